package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// token is what a $skiptoken or $deltatoken holds; for everybody else it is opaque.
type token struct {
	Select  []string  `json:"s,omitempty"` // frozen: the tokens of /users/delta carry the parameters of the first request
	Since   int       `json:"c"`           // changes before that are known
	Until   int       `json:"u,omitempty"` // changes from then on are for the next time
	Next    int       `json:"n,omitempty"` // the first row of the next page
	Initial bool      `json:"i,omitempty"` // everybody, not only who changed
	At      time.Time `json:"t,omitzero"`  // when it was issued
	Salt    int       `json:"x,omitempty"` // makes a link look new, for faults
}

func (t token) text() string {
	raw, _ := json.Marshal(t) // no field of it can fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseToken(text string) (token, error) {
	var t token
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	t.Next = max(t.Next, 0)
	return t, err
}

// change is one entry of the tenant's log.
type change struct {
	id         string
	properties []string // whose values changed; none: created, deleted or restored
	removed    string   // the reason of @removed, "" for people who are there
}

// delta answers /users/delta.
func (e *Emulator) delta(r *http.Request, base string) (page, error) {
	if err := known(r, "$top", "$select", "$skiptoken", "$deltatoken"); err != nil {
		return page{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Clock()
	t, latest, err := e.deltaToken(r.URL.Query(), now)
	if err != nil {
		return page{}, err
	}
	p := page{Value: []map[string]any{}}
	if latest {
		p.DeltaLink = base + "?$deltatoken=" + t.text()
		return p, nil
	}
	rows := e.changed(t)
	from := min(t.Next, len(rows))
	to := min(from+deltaTop, len(rows))
	p.Value = append(p.Value, rows[from:to]...)
	if to < len(rows) {
		t.Next = to
		p.NextLink = base + "?$skiptoken=" + t.text()
		return p, nil
	}
	p.DeltaLink = base + "?$deltatoken=" + token{Select: t.Select, Since: t.Until, At: now}.text()
	return p, nil
}

// deltaToken reads or makes the token of a request. latest tells that only the token itself is wanted.
func (e *Emulator) deltaToken(q url.Values, now time.Time) (t token, latest bool, err error) {
	old := q.Get("$deltatoken")
	if text := q.Get("$skiptoken"); text != "" {
		old = text
	}
	if old == "" || old == "latest" {
		selected, err := selection(q.Get("$select"))
		end := len(e.changes)
		if old == "latest" {
			return token{Select: selected, Since: end, At: now}, true, err
		}
		return token{Select: selected, Since: end, Until: end, Initial: true, At: now}, false, err
	}
	t, err = parseToken(old)
	if err != nil || len(t.Select) == 0 || t.Since < 0 || t.Since > len(e.changes) || t.Until > len(e.changes) {
		return t, false, bad("BadRequest", "The token is not valid.")
	}
	if now.Sub(t.At) > deltaLife {
		return t, false, bad("syncStateNotFound", "The sync state generation is not found; begin anew.")
	}
	if q.Get("$skiptoken") == "" {
		t.Until = len(e.changes)
	}
	return t, false, nil
}

// changed lists the rows that a token is about. What changed several times is one row.
func (e *Emulator) changed(t token) []map[string]any {
	var rows []map[string]any
	if t.Initial {
		for _, id := range e.order {
			if p := e.people[id]; p != nil && !e.gone[id] {
				rows = append(rows, p.row(t.Select))
			}
		}
		return rows
	}
	var ids []string
	last, fields := map[string]change{}, map[string][]string{}
	for _, c := range e.changes[t.Since:max(t.Until, t.Since)] {
		if _, seen := last[c.id]; !seen {
			ids = append(ids, c.id)
		}
		last[c.id] = c
		if len(c.properties) == 0 {
			fields[c.id] = t.Select
		}
		fields[c.id] = append(slices.Clone(fields[c.id]), c.properties...)
	}
	for _, id := range ids {
		if reason := last[id].removed; reason != "" {
			rows = append(rows, map[string]any{"id": id, "@removed": map[string]string{"reason": reason}})
			continue
		}
		// Only what is selected is tracked, and only what changed is there: absent is not null.
		tracked := slices.DeleteFunc(fields[id], func(name string) bool { return !slices.Contains(t.Select, name) })
		if len(tracked) > 0 && e.people[id] != nil {
			rows = append(rows, e.people[id].row(tracked))
		}
	}
	return rows
}

// Add puts somebody into the tenant.
func (e *Emulator) Add(p Person) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.people[p.ID()] == nil {
		e.order = append(e.order, p.ID())
	}
	e.people[p.ID()] = p
	e.changes = append(e.changes, change{id: p.ID()})
}

// Change sets properties of a person; nil clears one.
func (e *Emulator) Change(id string, values Person) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next, c := Person{}, change{id: id}
	for name, value := range e.people[id] {
		next[name] = value
	}
	for name, value := range values {
		if !reflect.DeepEqual(next[name], value) {
			next[name], c.properties = value, append(c.properties, name)
		}
	}
	e.people[id] = next
	if len(c.properties) > 0 {
		slices.SortFunc(c.properties, strings.Compare)
		e.changes = append(e.changes, c)
	}
}

// Remove deletes a person: into the bin, from where Restore brings them back, or for good.
func (e *Emulator) Remove(id string, forGood bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := change{id: id, removed: "changed"}
	e.gone[id] = true
	if forGood {
		c.removed = "deleted"
		delete(e.people, id)
	}
	e.changes = append(e.changes, c)
}

// Restore brings back a person from the bin.
func (e *Emulator) Restore(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.gone, id)
	e.changes = append(e.changes, change{id: id})
}
