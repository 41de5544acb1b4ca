package scim

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// Prefix is where the handler must be mounted, with the whole path left in the request.
const Prefix = "/scim/v2"

// Engine takes in what a provider sends. *dirsync.Syncer is one.
type Engine interface {
	// Push does all of the set and what hangs on it (Also) or nothing; a *dirsync.StoppedError says that the brake refused it.
	Push(ctx context.Context, source core.SourceID, settings dirsync.Settings, set dirsync.PushSet) (dirsync.PushResult, error)
}

// Connection is one identity provider, as it is configured. What it may do can be switched off (row A3-54).
type Connection struct {
	Source   core.SourceID
	Settings dirsync.Settings // NoDelete keeps people whom the provider deletes
	NoCreate bool             // new people are refused
	NoUpdate bool             // changes are refused, but for taking people out
}

// Deps is what the handler works with. All are needed.
type Deps struct {
	Store  store.Store
	Engine Engine
	// Connection returns the connection of that id, false where there is none any more.
	Connection func(core.SourceID) (Connection, bool)
	// BaseURL is how providers reach the handler, such as "https://print.example.org/scim/v2": the Tenant URL.
	BaseURL string
	Key     [32]byte // of the counters of failed tries
	Clock   clock.Clock
	Logger  *slog.Logger
}

// Handler is the SCIM server. Safe for concurrent use.
type Handler struct {
	d      Deps
	users  *resourceType
	groups *resourceType
	routes []route
	tokens *Tokens
	watch  *watch

	locks locks

	mu     sync.Mutex
	queues map[core.SourceID]*queue // guarded by mu
}

// New makes the handler.
func New(d Deps) *Handler {
	h := &Handler{
		d: d, users: userType(), groups: groupType(), tokens: NewTokens(d.Store, d.Clock), watch: newWatch(), queues: map[core.SourceID]*queue{},
	}
	h.routes = h.table()
	return h
}

// Handler returns what answers below Prefix. Every route asks for a token of a connection.
func (h *Handler) Handler() http.Handler { return http.HandlerFunc(h.serve) }

// Routes lists every route there is, such as "GET /scim/v2/Users/{id}".
func (h *Handler) Routes() []string {
	list := make([]string, len(h.routes))
	for i, r := range h.routes {
		list[i] = r.method + " " + r.pattern()
	}
	return list
}

// queue is where the changes of a connection wait.
func (h *Handler) queue(source core.SourceID) *queue {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.queues[source]
	if q == nil {
		q = &queue{engine: h.d.Engine}
		h.queues[source] = q
	}
	return q
}
