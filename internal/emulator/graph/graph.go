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

// The application permissions that the emulator knows. Directory.Read.All stands for all of them, as in Graph.
const (
	PermissionUsers        = "User.Read.All"
	PermissionGroups       = "GroupMember.Read.All"
	PermissionApplications = "Application.Read.All"
	permissionDirectory    = "Directory.Read.All"
)

// The limits of Graph.
const (
	defaultTop = 100
	maxTop     = 999
	deltaTop   = 200                // rows and members of a page of changes, whatever $top says
	deltaLife  = 7 * 24 * time.Hour // of a token
	maxBatch   = 20                 // requests in one
)

// Options say how an emulator runs.
type Options struct {
	People       []Person
	Groups       []Group
	Applications []Application
	// Permissions are the application permissions that were granted to every app. Nil: those that a token's roles say.
	Permissions []string
	// Units are the resource units that may be spent in ten seconds; whoever spends more is told to wait. 0: any number. Graph gives
	// 3500, 5000 or 8000, by the size of the tenant.
	Units int
	// Authority is where the tokens come from, with the tenant: https://localhost:8443/TENANT. Their signatures are checked
	// with the keys that it publishes.
	Authority string
	Client    *http.Client // asks the authority for its keys; http.DefaultClient if nil
	Clock     clock.Clock  // clock.System if nil
	Log       *slog.Logger // none if nil; never gets a token
}

// Emulator is the people, groups and applications of one tenant. Everything is in memory. It is safe for concurrent use.
type Emulator struct {
	opts Options
	mux  *http.ServeMux
	keys keyring

	mu           sync.Mutex // guards everything below
	granted      []string
	order        []string          // ids of people, as /users lists them
	people       map[string]Person // living and soft-deleted; nothing in one is ever changed in place
	gone         map[string]bool   // soft-deleted people
	changes      []change
	groupOrder   []string          // ids of groups, as /groups lists them
	groups       map[string]*Group // living ones
	groupChanges []groupChange
	fault        *Fault
	answered     int // since the fault was set
	calls        map[string]int
	spent        []spending
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
		people: map[string]Person{}, gone: map[string]bool{}, groups: map[string]*Group{}, calls: map[string]int{},
	}
	for _, p := range opts.People {
		e.order = append(e.order, p.ID())
		e.people[p.ID()] = p
	}
	for _, g := range opts.Groups {
		e.groupOrder = append(e.groupOrder, g.ID)
		e.groups[g.ID] = &g
	}
	for pattern, p := range map[string]endpoint{
		"/users":               {"users", PermissionUsers, 2, e.users},
		"/users/delta":         {"delta", PermissionUsers, 2, e.delta},
		"/users/{id}":          {"user", PermissionUsers, 1, e.user},
		"/groups":              {"groups", PermissionGroups, 2, e.listGroups},
		"/groups/delta":        {"groups/delta", PermissionGroups, 2, e.groupDelta},
		"/groups/{id}":         {"group", PermissionGroups, 1, e.group},
		"/groups/{id}/members": {"members", PermissionGroups, 3, e.members},
		"/applications":        {"applications", PermissionApplications, 1, e.applications},
	} {
		e.mux.HandleFunc("GET /v1.0"+pattern, e.answer(p))
	}
	e.mux.HandleFunc("POST /v1.0/$batch", e.batch)
	e.administration()
	return e
}

// Handler serves the emulator. It must be served over TLS: azcore sends no token otherwise.
func (e *Emulator) Handler() http.Handler { return e.mux }

// Calls counts the requests so far by endpoint, as Fault names them; those in a batch too.
func (e *Emulator) Calls() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.calls)
}

// page is one answer with a list.
type page struct {
	Context   string           `json:"@odata.context"`
	NextLink  string           `json:"@odata.nextLink,omitempty"`
	DeltaLink string           `json:"@odata.deltaLink,omitempty"`
	Value     []map[string]any `json:"value"`

	one bool // not a list: the only row is the answer
}

// endpoint is what can be asked for.
type endpoint struct {
	name       string // of Fault and Calls
	permission string
	units      int // what asking costs
	list       func(r *http.Request, base string) (page, error)
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
func (e *Emulator) answer(to endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.calls[to.name]++
		e.mu.Unlock()
		base := "https://" + r.Host + r.URL.Path
		err := e.authorise(r, to.permission)
		fault, count, strikes := e.strike(to.name)
		if err == nil && strikes && fault.Status != 0 {
			err = fault.refusal(base)
		}
		if err == nil {
			err = e.spend(to.units, r)
		}
		var p page
		if err == nil {
			p, err = to.list(r, base)
		}
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		p.Context = "https://" + r.Host + "/v1.0/$metadata#" + strings.TrimPrefix(r.URL.Path, "/v1.0/")
		if strikes {
			fault.spoil(&p, r, base, count)
		}
		raw, err := p.json()
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		if strikes && fault.Truncate {
			raw = raw[:len(raw)*2/3]
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(raw)
	}
}

const contentType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

// json writes an answer: a list, or its only row with the context in front.
func (p page) json() ([]byte, error) {
	if !p.one {
		return json.Marshal(p)
	}
	context, err := json.Marshal(map[string]string{"@odata.context": p.Context + "/$entity"})
	if err != nil {
		return nil, err
	}
	row, err := json.Marshal(p.Value[0])
	return slices.Concat(context[:len(context)-1], []byte(","), row[1:]), err
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

// selection reads $select of a type whose properties those are.
func selection(text, kind string, all, usual []string) ([]string, error) {
	if text == "" {
		return usual, nil
	}
	list := strings.Split(text, ",")
	for _, name := range list {
		if !slices.Contains(all, name) && (kind != "user" || !directoryExtension.MatchString(name)) {
			return nil, bad("BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, kind)
		}
	}
	return list, nil
}

func userSelection(text string) ([]string, error) { return selection(text, "user", properties, usual) }

// known refuses parameters that the emulator does not have, so that nobody believes they do something.
func known(r *http.Request, names ...string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) && name != salt {
			return bad("Request_UnsupportedQuery", "The emulator does not know the parameter %q here.", name)
		}
	}
	return nil
}

// paging reads $top and $skiptoken of a list.
func paging(r *http.Request) (top int, t token, err error) {
	if err := known(r, "$top", "$select", "$skiptoken"); err != nil {
		return 0, t, err
	}
	q := r.URL.Query()
	top = defaultTop
	if text := q.Get("$top"); text != "" {
		if top, err = strconv.Atoi(text); err != nil || top < 1 || top > maxTop {
			return 0, t, bad("Request_UnsupportedQuery", "Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.", text)
		}
	}
	if text := q.Get("$skiptoken"); text != "" {
		if t, err = parseToken(text); err != nil {
			return 0, t, bad("Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
	}
	return top, t, nil
}

// more is the link to the page that begins at t.
func more(r *http.Request, base string, t token) string {
	q := r.URL.Query()
	q.Set("$skiptoken", t.text())
	q.Del(salt)
	return base + "?" + q.Encode()
}

// users answers /users.
func (e *Emulator) users(r *http.Request, base string) (page, error) {
	top, t, err := paging(r)
	if err != nil {
		return page{}, err
	}
	selected, err := userSelection(r.URL.Query().Get("$select"))
	if err != nil {
		return page{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := page{Value: []map[string]any{}}
	for ; t.Next < len(e.order) && len(p.Value) < top; t.Next++ {
		if person := e.living(e.order[t.Next]); person != nil {
			p.Value = append(p.Value, person.row(selected))
		}
	}
	if t.Next < len(e.order) {
		p.NextLink = more(r, base, t)
	}
	return p, nil
}

// user answers /users/ID, where ID is the object id or the userPrincipalName.
func (e *Emulator) user(r *http.Request, _ string) (page, error) {
	if err := known(r, "$select"); err != nil {
		return page{}, err
	}
	selected, err := userSelection(r.URL.Query().Get("$select"))
	if err != nil {
		return page{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	person := e.living(e.find(r.PathValue("id")))
	if person == nil {
		return page{}, missing(r.PathValue("id"))
	}
	return page{Value: []map[string]any{person.row(selected)}, one: true}, nil
}

func missing(id string) error {
	return &refusal{
		status: http.StatusNotFound, code: "Request_ResourceNotFound",
		message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id),
	}
}

// living is a person who is there, nil for none.
func (e *Emulator) living(id string) Person {
	if e.gone[id] {
		return nil
	}
	return e.people[id]
}

// find makes an object id of one, or of a userPrincipalName.
func (e *Emulator) find(name string) string {
	if !strings.Contains(name, "@") {
		return strings.ToLower(name)
	}
	for _, id := range e.order {
		if strings.EqualFold(e.people[id].text("userPrincipalName"), name) {
			return id
		}
	}
	return name
}
