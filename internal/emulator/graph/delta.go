package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
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
	Member  int       `json:"m,omitempty"` // the first of its members that were not told yet
	Initial bool      `json:"i,omitempty"` // everybody, not only who changed
	At      time.Time `json:"t,omitzero"`  // when it was issued
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
	t.Next, t.Member = max(t.Next, 0), max(t.Member, 0)
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
	e.mu.Lock()
	defer e.mu.Unlock()
	t, p, err := e.deltaToken(r, base, len(e.changes), userSelection)
	if err != nil || p.DeltaLink != "" {
		return p, err
	}
	end := 0
	if t.Initial {
		for end = len(e.order); t.Next < end && len(p.Value) < deltaTop; t.Next++ {
			if person := e.living(e.order[t.Next]); person != nil {
				p.Value = append(p.Value, person.row(t.Select))
			}
		}
	} else {
		rows := e.changed(t)
		end = len(rows)
		from := min(t.Next, end)
		t.Next = min(from+deltaTop, end)
		p.Value = append(p.Value, rows[from:t.Next]...)
	}
	e.linkDelta(&p, t, base, t.Next < end)
	return p, nil
}

// linkDelta says where a page of changes goes on.
func (e *Emulator) linkDelta(p *page, t token, base string, more bool) {
	if more {
		p.NextLink = base + "?$skiptoken=" + t.text()
		return
	}
	p.DeltaLink = base + "?$deltatoken=" + token{Select: t.Select, Since: t.Until, At: e.opts.Clock()}.text()
}

// deltaToken reads or makes the token of a request, when end changes were made. Where only the token itself is wanted, the page has it.
func (e *Emulator) deltaToken(r *http.Request, base string, end int, selection func(string) ([]string, error)) (t token, p page, err error) {
	p.Value = []map[string]any{}
	if err := known(r, "$top", "$select", "$skiptoken", "$deltatoken"); err != nil {
		return t, p, err
	}
	now, q := e.opts.Clock(), r.URL.Query()
	old := q.Get("$deltatoken")
	if text := q.Get("$skiptoken"); text != "" {
		old = text
	}
	if old == "" || old == "latest" {
		selected, err := selection(q.Get("$select"))
		if old == "latest" && err == nil {
			p.DeltaLink = base + "?$deltatoken=" + token{Select: selected, Since: end, At: now}.text()
		}
		return token{Select: selected, Since: end, Until: end, Initial: true, At: now}, p, err
	}
	t, err = parseToken(old)
	if err != nil || len(t.Select) == 0 || t.Since < 0 || t.Since > end || t.Until > end {
		return t, p, bad("BadRequest", "The token is not valid.")
	}
	if now.Sub(t.At) > deltaLife {
		return t, p, bad("syncStateNotFound", "The sync state generation is not found; begin anew.")
	}
	if q.Get("$skiptoken") == "" {
		t.Until = end
	}
	return t, p, nil
}

// changed lists the rows that a token of changes is about. What changed several times is one row.
func (e *Emulator) changed(t token) []map[string]any {
	var rows []map[string]any
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
