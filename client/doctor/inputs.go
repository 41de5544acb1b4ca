package doctor

import (
	"context"
	"net/url"
	"time"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/proxy"
	"github.com/platenprint/platen/internal/clock"
)

// Server is the server, to be visited; *apiclient.Client is one.
type Server interface {
	Host() string
	Visit(ctx context.Context) (apiclient.Visit, error)
	Skew() (time.Duration, bool)
}

// Proxies finds the proxy of an address; *proxy.Finder is one.
type Proxies interface {
	Find(ctx context.Context, target *url.URL) (proxy.Choice, error)
}

// Keyring tells whether the keyring can be used; *tokenstore.Store is one.
type Keyring interface {
	Probe(ctx context.Context) tokenstore.Availability
}

// Processes lists the programs that this person can see running.
type Processes interface {
	List(ctx context.Context) ([]Process, error)
}

// Process is a running program.
type Process struct {
	PID  int
	Name string   // of its file, without folder and .exe
	Args []string // may be empty
}

// Inputs is what the checks look at. Nil interfaces make their check answer Unknown.
type Inputs struct {
	GOOS      string
	Env       map[string]string
	Config    config.Config
	Warnings  []config.Warning
	Confirmed bool   // Config has a server that no setting names, and that the person has confirmed (client/servers)
	Server    Server // nil when ServerError says why
	ServerErr error  // of apiclient.New, or why it may not be asked
	Proxies   Proxies
	Keyring   Keyring
	Tray      TrayProbe
	Presence  presence.Source
	Processes Processes
	Deploy    Deploy
	Backed    bool        // a directory answers for the OS account
	Browser   func() bool // tells whether a browser can be opened
	Web       Web
	Resident  func(ctx context.Context) error // asks the resident for its status; nil error: it runs
	Clock     clock.Clock
}

// All is every check. The server is visited once, by the first check that needs it.
func All(in Inputs) []Check {
	visit := once(in.visit)
	return []Check{
		{"config", in.config},
		{"proxy", func(ctx context.Context) Result { return in.proxy(ctx, visit) }},
		{"server", func(ctx context.Context) Result { return in.server(visit(ctx)) }},
		{"certificate", func(ctx context.Context) Result { return in.certificate(visit(ctx)) }},
		{"clock", func(ctx context.Context) Result { return in.clock(visit(ctx)) }},
		{"trust", func(ctx context.Context) Result { return in.trust(ctx, visit(ctx)) }},
		{"browser", func(ctx context.Context) Result { return in.browser(visit(ctx)) }},
		{"microsoft", func(ctx context.Context) Result { return in.microsoft(ctx, visit(ctx)) }},
		{"resident", in.resident},
		{"keyring", in.keyring},
		{"tray", in.tray},
		{"display", in.display},
		{"presence", in.presence},
		{"other clients", in.others},
	}
}

// visited is how a visit to the server went.
type visited struct {
	apiclient.Visit
	err error
}

func (in Inputs) visit(ctx context.Context) visited {
	if in.Server == nil {
		return visited{err: in.ServerErr}
	}
	v, err := in.Server.Visit(ctx)
	return visited{v, err}
}

func once(visit func(context.Context) visited) func(context.Context) visited {
	var known *visited
	return func(ctx context.Context) visited {
		if known == nil {
			v := visit(ctx)
			known = &v
		}
		return *known
	}
}
