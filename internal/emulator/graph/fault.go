package graph

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is something that goes wrong. It begins after After good answers and spoils Times of them, all when Times is 0.
type Fault struct {
	// Endpoint is "users", "delta" (of users), "user", "groups", "groups/delta", "group", "members", "applications" or "batch"; any if
	// empty. Requests in a batch count for themselves.
	Endpoint string
	After    int
	Times    int

	// Status answers with an error: 429, 503, 504, 410 (with a Location to begin anew), 400, 401, 403 ...
	Status     int
	Code       string        // such as syncStateNotFound; the status's usual one if empty
	RetryAfter time.Duration // in whole seconds; 0: no such header

	Truncate  bool   // the JSON ends in its middle, the connection does not
	NextLink  string // is this one instead of the right one
	DeltaLink string // is this one instead of the right one, where one is
	Cycle     bool   // the next page is this one again
	Empty     bool   // the page has nobody, and a link to itself under a new name each time
	Replay    bool   // everybody on the page is there twice
	Ghosts    bool   // everybody on the page is said to be removed, too, as they once were
	Reverse   bool   // the rows come in the opposite order
	Endless   bool   // neither a next page nor a link for the next time follows
	Duplicate bool   // the link leads to this page again, under a new name each time
	Hide      string // a property that everybody lacks
}

// salt is a parameter that means nothing: it makes a link look new.
const salt = "emulator-salt"

// SetFault makes something go wrong from now on; nil makes all well again.
func (e *Emulator) SetFault(f *Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.answered = f, 0
}

// Grant sets the application permissions that apps have; new tokens say so in their roles.
func (e *Emulator) Grant(permissions ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.granted = permissions
}

// Granted returns them.
func (e *Emulator) Granted() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.granted
}

// strike tells whether an answer is to be spoilt, and the how manyth it is since the fault was set.
func (e *Emulator) strike(endpoint string) (fault Fault, count int, strikes bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.fault
	if f == nil || f.Endpoint != "" && f.Endpoint != endpoint {
		return Fault{}, 0, false
	}
	e.answered++
	return *f, e.answered, e.answered > f.After && (f.Times == 0 || e.answered <= f.After+f.Times)
}

func (f Fault) refusal(base string) *refusal {
	r := &refusal{status: f.Status, code: f.Code, message: "A fault of the emulator.", retryAfter: f.RetryAfter}
	if r.code == "" {
		r.code = map[int]string{
			http.StatusTooManyRequests: "TooManyRequests", http.StatusServiceUnavailable: "serviceNotAvailable", http.StatusGatewayTimeout: "UnknownError",
			http.StatusGone: "syncStateInvalid", http.StatusForbidden: "Authorization_RequestDenied", http.StatusUnauthorized: "InvalidAuthenticationToken",
		}[f.Status]
	}
	if f.Status == http.StatusForbidden {
		r.message = "Insufficient privileges to complete the operation." // the words of Graph, which name no permission
	}
	if f.Status == http.StatusGone {
		r.location = base + "?$deltatoken="
	}
	return r
}

// spoil changes the page that is the answer to r. base is the address without the query.
func (f Fault) spoil(p *page, r *http.Request, base string, count int) {
	if f.Replay {
		p.Value = append(p.Value, p.Value...)
	}
	if f.Ghosts {
		for _, row := range slices.Clone(p.Value) {
			p.Value = append(p.Value, map[string]any{"id": row["id"], "@removed": map[string]string{"reason": "changed"}})
		}
	}
	if f.Hide != "" {
		for _, row := range p.Value {
			row[f.Hide] = nil
		}
	}
	if f.Reverse {
		slices.Reverse(p.Value)
	}
	query := r.URL.Query()
	switch {
	case f.Endless:
		p.NextLink, p.DeltaLink = "", ""
	case f.NextLink != "":
		p.NextLink = f.NextLink
	case f.Cycle:
		p.NextLink = base + "?" + query.Encode()
	case f.Empty, f.Duplicate:
		query.Set(salt, strconv.Itoa(count))
		p.NextLink = base + "?" + query.Encode()
	}
	if f.DeltaLink != "" && p.DeltaLink != "" {
		p.DeltaLink = f.DeltaLink
	}
	if f.Empty {
		p.Value = p.Value[:0]
	}
	if p.NextLink != "" {
		p.DeltaLink = ""
	}
}
