package google

import (
	"context"
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

// MyCustomer is the alias that stands for the customer of whoever asks.
const MyCustomer = "my_customer"

// Options say how an emulator runs.
type Options struct {
	Directory Directory
	// Account is the service account that tokens are given to.
	Account Account
	// Scopes are those that the customer's administrator delegated to the service account; AllScopes if nil.
	Scopes []string
	// PublicURL is where the emulator is served, https://localhost:8447: the audience of assertions.
	PublicURL string
	Client    *http.Client // posts notifications; http.DefaultClient if nil
	Clock     clock.Clock  // clock.System if nil
	Log       *slog.Logger // none if nil; never gets a token
}

// Emulator is one customer. Everything is in memory. It is safe for concurrent use.
type Emulator struct {
	opts Options
	mux  *http.ServeMux

	posts sync.WaitGroup // notifications under way

	mu       sync.Mutex // guards everything below
	dir      Directory
	deleted  []User
	scopes   []string
	apiOff   bool
	tokens   map[string]grant
	channels map[string]*channel
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
	if opts.Scopes == nil {
		opts.Scopes = AllScopes()
	}
	e := &Emulator{
		opts: opts, mux: http.NewServeMux(), dir: opts.Directory.complete(), scopes: opts.Scopes,
		tokens: map[string]grant{}, channels: map[string]*channel{}, calls: map[string]int{},
	}
	const base = "/admin/directory/v1"
	user, group, schema, unit := []string{ScopeUser, scopeUserAll}, []string{ScopeGroup, scopeGroupAll}, []string{ScopeSchema, scopeSchemaAll}, []string{ScopeOrgUnit, scopeOrgUnitAll}
	e.mux.HandleFunc("POST /token", e.token)
	e.mux.HandleFunc("GET "+base+"/users", e.answer("users", user, e.listUsers))
	e.mux.HandleFunc("GET "+base+"/users/{key}", e.answer("user", user, e.getUser))
	e.mux.HandleFunc("POST "+base+"/users/watch", e.answer("watch", user, e.watch))
	e.mux.HandleFunc("POST /admin/directory_v1/channels/stop", e.answer("stop", user, e.stop))
	e.mux.HandleFunc("GET "+base+"/groups", e.answer("groups", group, e.listGroups))
	e.mux.HandleFunc("GET "+base+"/groups/{key}/members", e.answer("members", group, e.listMembers))
	e.mux.HandleFunc("GET "+base+"/customer/{customer}/orgunits", e.answer("orgunits", unit, e.listOrgUnits))
	e.mux.HandleFunc("GET "+base+"/customer/{customer}/orgunits/{path...}", e.answer("orgunit", unit, e.getOrgUnit))
	e.mux.HandleFunc("GET "+base+"/customer/{customer}/schemas", e.answer("schemas", schema, e.listSchemas))
	e.mux.HandleFunc("GET "+base+"/customer/{customer}/schemas/{key}", e.answer("schema", schema, e.getSchema))
	e.admin()
	return e
}

// Handler serves the emulator.
func (e *Emulator) Handler() http.Handler { return e.mux }

// Calls counts the requests so far by endpoint: "token", "users", "groups", "members" ...
func (e *Emulator) Calls() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.calls)
}

func (e *Emulator) count(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[name]++
}

// Delegate sets the scopes that the customer's administrator delegated to the service account.
func (e *Emulator) Delegate(scopes ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scopes = scopes
}

// EnableAPI says whether the Admin SDK API is enabled in the service account's project; it is from the beginning.
func (e *Emulator) EnableAPI(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.apiOff = !on
}

// ExpireTokens ends all access tokens.
func (e *Emulator) ExpireTokens() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.tokens)
}

// object is a JSON object.
type object = map[string]any

// refusal is an answer without a resource.
type refusal struct {
	status     int
	reason     string
	domain     string
	message    string
	retryAfter time.Duration
}

func (r *refusal) Error() string { return r.reason + ": " + r.message }

func invalid(format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, reason: "invalid", message: fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return &refusal{status: http.StatusNotFound, reason: "notFound", message: "Resource Not Found: " + what}
}

// answer is what all endpoints of the API have in common.
func (e *Emulator) answer(name string, scopes []string, do func(r *http.Request) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.count(name)
		err := e.authorise(r, scopes)
		fault, count, strikes := e.strike(name)
		if err == nil && strikes && fault.Status != 0 {
			err = fault.refusal()
		}
		var body object
		if err == nil {
			body, err = do(r)
		}
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		if strikes {
			fault.spoil(body, r, count)
		}
		if mask := r.URL.Query().Get("fields"); mask != "" && body != nil {
			m, err := parseFields(mask)
			if err != nil {
				e.refuse(w, r, err)
				return
			}
			body = m.of(body)
		}
		if body == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		raw, err := json.MarshalIndent(body, "", "  ")
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		if strikes && fault.Truncate {
			raw = raw[:len(raw)*2/3]
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write(raw)
	}
}

func (e *Emulator) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := errors.AsType[*refusal](err)
	if !ok {
		f = &refusal{status: http.StatusInternalServerError, reason: "backendError", message: err.Error()}
	}
	e.opts.Log.InfoContext(r.Context(), "refused", "path", r.URL.Path, "status", f.status, "reason", f.reason)
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.retryAfter.Seconds())))
	}
	if f.domain == "" {
		f.domain = "global"
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(object{"error": object{
		"code": f.status, "message": f.message, "errors": []object{{"message": f.message, "domain": f.domain, "reason": f.reason}},
	}})
}

// known refuses parameters that the emulator does not have, so that nobody believes they do something.
func known(r *http.Request, names ...string) error {
	names = append(names, "fields", "alt", "prettyPrint", "maxResults", "pageToken")
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) {
			return invalid("The emulator does not know the parameter %q here.", name)
		}
	}
	return nil
}

// customer checks which customer is meant.
func (e *Emulator) customer(id string) error {
	if id != MyCustomer && id != e.dir.Customer {
		return &refusal{status: http.StatusBadRequest, reason: "badRequest", message: "Bad Request"}
	}
	return nil
}

// pageToken is where a page begins. Salt makes tokens to one place differ.
type pageToken struct {
	After string `json:"a"`
	Salt  int    `json:"s,omitempty"`
}

// paged answers one page of the rows, which are sorted by key: those after the token's key. It is how real tokens behave when
// rows come and go between pages.
func paged[T any](r *http.Request, kind, list string, usual, most int, rows []T, key func(T) string, show func(T) object) (object, error) {
	q := r.URL.Query()
	n := usual
	if text := q.Get("maxResults"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			return nil, invalid("Invalid value '%s'. Values must be within the range: [1, %d]", text, most)
		}
		n = min(n, most)
	}
	var from pageToken
	if text := q.Get("pageToken"); text != "" {
		var err error
		if from, err = parseToken(text); err != nil {
			return nil, invalid("Invalid Input: pageToken")
		}
	}
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	begin := 0
	for from.After != "" && begin < len(rows) && key(rows[begin]) <= from.After {
		begin++
	}
	end := min(begin+n, len(rows))
	body := object{"kind": kind, "etag": `"` + list + `"`}
	if end > begin { // an empty list is left out, as Google does
		shown := make([]any, 0, end-begin)
		for _, row := range rows[begin:end] {
			shown = append(shown, show(row))
		}
		body[list] = shown
	}
	if end < len(rows) {
		body["nextPageToken"] = pageToken{After: key(rows[end-1])}.text()
	}
	return body, nil
}

// Wait waits for the notifications that are under way, until ctx ends.
func (e *Emulator) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.posts.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
