package google

import (
	"net/http"
	"time"
)

// Fault is something that goes wrong. It begins after After good answers and spoils Times of them, all when Times is 0.
type Fault struct {
	Endpoint string `json:"endpoint,omitempty"` // "users", "groups", "members", "watch", "token" ...; any but token if empty
	After    int    `json:"after,omitempty"`
	Times    int    `json:"times,omitempty"`

	// Status answers with an error: 403, 429, 401, 404, 500, 503 ...
	Status     int    `json:"status,omitempty"`
	Reason     string `json:"reason,omitempty"`     // such as quotaExceeded; the status's usual one if empty
	RetryAfter int    `json:"retryAfter,omitempty"` // in seconds; 0: no such header

	Truncate  bool   `json:"truncate,omitempty"`  // the JSON ends in its middle, the connection does not
	Empty     bool   `json:"empty,omitempty"`     // the page has nobody, and a token for the same place under a new name each time
	Duplicate bool   `json:"duplicate,omitempty"` // the token leads to this page again, under a new name each time
	Cycle     bool   `json:"cycle,omitempty"`     // the token leads to this page again
	Replay    bool   `json:"replay,omitempty"`    // everybody on the page is there twice
	Hide      string `json:"hide,omitempty"`      // a field that everybody lacks
	Last      bool   `json:"last,omitempty"`      // the page is the last one, with nobody on it
}

// SetFault makes something go wrong from now on; nil makes all well again.
func (e *Emulator) SetFault(f *Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.answered = f, 0
}

// strike tells whether an answer is to be spoilt, and the how manyth it is since the fault was set.
func (e *Emulator) strike(endpoint string) (fault Fault, count int, strikes bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.fault
	if f == nil || f.Endpoint != endpoint && (f.Endpoint != "" || endpoint == "token") {
		return Fault{}, 0, false
	}
	e.answered++
	return *f, e.answered, e.answered > f.After && (f.Times == 0 || e.answered <= f.After+f.Times)
}

// usualReason is the reason and domain of a status. Source: Directory API, "Limits and quotas"; Google's standard error responses.
func usualReason(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authError"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "notFound"
	case http.StatusTooManyRequests:
		return "rateLimitExceeded"
	case http.StatusBadRequest:
		return "invalid"
	case http.StatusGone:
		return "deleted"
	}
	return "backendError"
}

func (f Fault) refusal() *refusal {
	r := &refusal{status: f.Status, reason: f.Reason, message: "A fault of the emulator.", retryAfter: time.Duration(f.RetryAfter) * time.Second}
	if r.reason == "" {
		r.reason = usualReason(f.Status)
	}
	switch r.reason {
	case "quotaExceeded", "userRateLimitExceeded", "rateLimitExceeded", "dailyLimitExceeded":
		r.domain, r.message = "usageLimits", "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'."
	case "authError":
		r.message = "Invalid Credentials"
	case "forbidden":
		r.message = "Not Authorized to access this resource/api"
	}
	return r
}

// lists are the fields with rows.
var lists = []string{"users", "groups", "members"}

// spoil changes the answer to r.
func (f Fault) spoil(body object, r *http.Request, count int) {
	query := r.URL.Query()
	for _, name := range lists {
		rows, ok := body[name].([]any)
		if !ok {
			continue
		}
		if f.Replay {
			body[name] = append(rows, rows...)
		}
		for _, row := range rows {
			if o, ok := row.(object); ok && f.Hide != "" {
				delete(o, f.Hide)
			}
		}
		if f.Empty || f.Last {
			delete(body, name)
		}
	}
	switch {
	case f.Last:
		delete(body, "nextPageToken")
	case f.Cycle:
		body["nextPageToken"] = query.Get("pageToken")
		if query.Get("pageToken") == "" {
			body["nextPageToken"] = pageToken{}.text()
		}
	case f.Empty, f.Duplicate:
		t, err := parseToken(query.Get("pageToken"))
		if err != nil {
			t = pageToken{} // the first page
		}
		t.Salt = count
		body["nextPageToken"] = t.text()
	}
}
