package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// PermissionUsers is the application permission to read people.
const PermissionUsers = "User.Read.All"

// The limits of Graph.
const (
	defaultTop = 100
	maxTop     = 999
	deltaTop   = 200                // rows of a page of changes, whatever $top says
	deltaLife  = 7 * 24 * time.Hour // of a token
)

// Options say how an emulator runs.
type Options struct {
	People []Person
	// Permissions are the application permissions that were granted to every app, beside those in a token's roles.
	Permissions []string
	// Authority is where the tokens come from, with the tenant: https://localhost:8443/TENANT. Their signatures are checked
	// with the keys that it publishes.
	Authority string
	Client    *http.Client // asks the authority for its keys; http.DefaultClient if nil
	Clock     clock.Clock  // clock.System if nil
	Log       *slog.Logger // none if nil; never gets a token
}

// Emulator is the people of one tenant. Everything is in memory. It is safe for concurrent use.
type Emulator struct {
	opts Options
	mux  *http.ServeMux
	keys keyring

	mu       sync.Mutex // guards everything below
	granted  []string
	order    []string          // ids, as /users lists them
	people   map[string]Person // living and soft-deleted; nothing in one is ever changed in place
	gone     map[string]bool   // soft-deleted
	changes  []change
	fault    *Fault
	answered int // since the fault was set
	calls    map[string]int
}

// New prepares an emulator as an http.Handler (see Handler).
func New(opts Options) *Emulator {
	if opts.Client == nil {
		opts.Client = http.DefaultClient
	}
	if opts.Clock == nil {
		opts.Clock = clock.System
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	e := &Emulator{
		opts: opts, mux: http.NewServeMux(), keys: keyring{authority: opts.Authority, client: opts.Client}, granted: opts.Permissions,
		people: map[string]Person{}, gone: map[string]bool{}, calls: map[string]int{},
	}
	for _, p := range opts.People {
		e.order = append(e.order, p.ID())
		e.people[p.ID()] = p
	}
	e.mux.HandleFunc("GET /v1.0/users", e.answer("users", e.users))
	e.mux.HandleFunc("GET /v1.0/users/delta", e.answer("delta", e.delta))
	return e
}

// Handler serves the emulator. It must be served over TLS: azcore sends no token otherwise.
func (e *Emulator) Handler() http.Handler { return e.mux }

// Calls counts the requests so far by endpoint: "users", "delta".
func (e *Emulator) Calls() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.calls)
}

// page is one answer with people.
type page struct {
	Context   string           `json:"@odata.context"`
	NextLink  string           `json:"@odata.nextLink,omitempty"`
	DeltaLink string           `json:"@odata.deltaLink,omitempty"`
	Value     []map[string]any `json:"value"`
}

// refusal is an answer without.
type refusal struct {
	status        int
	code, message string
	location      string
	retryAfter    time.Duration
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func bad(code, format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// answer is what all endpoints have in common.
func (e *Emulator) answer(name string, list func(r *http.Request, base string) (page, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.calls[name]++
		e.mu.Unlock()
		base := "https://" + r.Host + r.URL.Path
		err := e.authorise(r)
		fault, count, strikes := e.strike(name)
		if err == nil && strikes && fault.Status != 0 {
			err = fault.refusal(base)
		}
		var p page
		if err == nil {
			p, err = list(r, base)
		}
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		p.Context = "https://" + r.Host + "/v1.0/$metadata#users"
		if strikes {
			fault.spoil(&p, r, base, count)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		if strikes && fault.Truncate {
			raw = raw[:len(raw)*2/3]
		}
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
		_, _ = w.Write(raw)
	}
}

func (e *Emulator) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := errors.AsType[*refusal](err)
	if !ok {
		f = &refusal{status: http.StatusInternalServerError, code: "UnknownError", message: err.Error()}
	}
	e.opts.Log.InfoContext(r.Context(), "refused", "path", r.URL.Path, "status", f.status, "code", f.code)
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.retryAfter.Seconds())))
	}
	if f.location != "" {
		w.Header().Set("Location", f.location)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": f.code, "message": f.message,
		"innerError": map[string]any{"date": e.opts.Clock().UTC().Format("2006-01-02T15:04:05"), "request-id": GUID(r.RequestURI), "client-request-id": GUID(r.RequestURI)},
	}})
}

// selection reads $select.
func selection(text string) ([]string, error) {
	if text == "" {
		return usual, nil
	}
	list := strings.Split(text, ",")
	for _, name := range list {
		if !slices.Contains(properties, name) {
			return nil, bad("BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.user'.", name)
		}
	}
	return list, nil
}

// known refuses parameters that the emulator does not have, so that nobody believes they do something.
func known(r *http.Request, names ...string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) {
			return bad("Request_UnsupportedQuery", "The emulator does not know the parameter %q here.", name)
		}
	}
	return nil
}

// users answers /users.
func (e *Emulator) users(r *http.Request, base string) (page, error) {
	q := r.URL.Query()
	if err := known(r, "$top", "$select", "$skiptoken"); err != nil {
		return page{}, err
	}
	selected, err := selection(q.Get("$select"))
	if err != nil {
		return page{}, err
	}
	top := defaultTop
	if text := q.Get("$top"); text != "" {
		if top, err = strconv.Atoi(text); err != nil || top < 1 || top > maxTop {
			return page{}, bad("Request_UnsupportedQuery", "Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.", text)
		}
	}
	var t token
	if text := q.Get("$skiptoken"); text != "" {
		if t, err = parseToken(text); err != nil {
			return page{}, bad("Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := page{Value: []map[string]any{}}
	for ; t.Next < len(e.order) && len(p.Value) < top; t.Next++ {
		if id := e.order[t.Next]; !e.gone[id] && e.people[id] != nil {
			p.Value = append(p.Value, e.people[id].row(selected))
		}
	}
	if t.Next < len(e.order) {
		next := r.URL.Query()
		next.Set("$skiptoken", t.text())
		p.NextLink = base + "?" + next.Encode()
	}
	return p, nil
}
