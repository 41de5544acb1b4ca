package graph

import (
	"net/http"
	"strconv"
	"time"
)

// spending is what was asked for at some moment.
type spending struct {
	at    time.Time
	units int
}

// quotaWindow is the time in which no more than Options.Units may be spent.
const quotaWindow = 10 * time.Second

// spend takes resource units for a request, or says how long to wait. As in Graph $select and a small $top make a request
// cheaper by one unit each, but none is free.
func (e *Emulator) spend(units int, r *http.Request) error {
	if e.opts.Units == 0 {
		return nil
	}
	if r.URL.Query().Has("$select") {
		units--
	}
	if top, err := strconv.Atoi(r.URL.Query().Get("$top")); err == nil && top < 20 {
		units--
	}
	units = max(units, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Clock()
	for len(e.spent) > 0 && now.Sub(e.spent[0].at) >= quotaWindow {
		e.spent = e.spent[1:]
	}
	sum := units
	for _, s := range e.spent {
		sum += s.units
	}
	if sum > e.opts.Units && len(e.spent) > 0 {
		wait := quotaWindow - now.Sub(e.spent[0].at)
		return &refusal{
			status: http.StatusTooManyRequests, code: "TooManyRequests", message: "Too many requests.", retryAfter: wait.Truncate(time.Second) + time.Second,
		}
	}
	e.spent = append(e.spent, spending{now, units})
	return nil
}
