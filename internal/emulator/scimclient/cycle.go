package scimclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Failure is something that was not taken. A provisioning service tries it again with its next cycle.
type Failure struct {
	Who string // the provider's id
	Did string
	Err error
}

// Report is what one cycle did.
type Report struct {
	Created, Updated, Disabled, Enabled, Deleted int
	Groups                                       int // made or changed
	Failed                                       []Failure
}

func (r *Report) fail(who, did string, err error) {
	r.Failed = append(r.Failed, Failure{who, did, err})
}

// Err joins the failures, nil for none.
func (r *Report) Err() error {
	var list []error
	for _, f := range r.Failed {
		list = append(list, fmt.Errorf("%s %s: %w", f.Did, f.Who, f.Err))
	}
	return errors.Join(list...)
}

// Cycle brings the application to what the scope says, one resource after the other: new people are looked for and made, others
// changed; who left the scope is disabled, as Entra does for 30 days before it deletes them (see Delete).
func (c *Client) Cycle(ctx context.Context, scope Scope) Report {
	var r Report
	in := map[string]bool{}
	for _, p := range scope.People {
		in[p.ID] = true
		c.person(ctx, p, &r)
	}
	for _, id := range sorted(c.people) {
		if k := c.people[id]; !in[id] && k.active {
			c.switchTo(ctx, id, k, false, &r)
		}
	}
	for _, p := range scope.People { // managers are known by now
		c.manager(ctx, p, &r)
	}
	for _, g := range scope.Groups {
		in[g.ID] = true
		c.group(ctx, g, &r)
	}
	for _, id := range sorted(c.groups) {
		if !in[id] {
			c.dropGroup(ctx, id, &r)
		}
	}
	return r
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Delete deletes people for good: they were deleted in the directory 30 days ago.
func (c *Client) Delete(ctx context.Context, ids ...string) Report {
	var r Report
	for _, id := range ids {
		k, ok := c.people[id]
		if !ok {
			continue
		}
		_, err := c.do(ctx, http.MethodDelete, "/Users/"+k.id, nil)
		var s *Status
		if err != nil && (!errors.As(err, &s) || s.Code != http.StatusNotFound) {
			r.fail(id, "delete", err)
			continue
		}
		delete(c.people, id)
		r.Deleted++
	}
	return r
}

func (c *Client) person(ctx context.Context, p Person, r *Report) {
	k, ok := c.people[p.ID]
	if !ok {
		id, err := c.find(ctx, "/Users", c.o.Match, c.matching(p), "")
		if err != nil {
			r.fail(p.ID, "find", err)
			return
		}
		if id == "" {
			c.create(ctx, p, r)
			return
		}
		k = known{id: id} // everything is sent
	}
	if err := c.update(ctx, p, k); err != nil {
		var s *Status
		if errors.As(err, &s) && s.Code == http.StatusNotFound {
			delete(c.people, p.ID) // looked for again next time
		}
		r.fail(p.ID, "update", err)
		return
	}
	if k.person != p {
		r.Updated++
	}
	k.person = p
	c.people[p.ID] = k
	if k.active == p.Disabled {
		c.switchTo(ctx, p.ID, k, !p.Disabled, r)
	}
}

// matching is the value of the attribute that people are found by.
func (c *Client) matching(p Person) string {
	for _, m := range p.mapped() {
		if m[0] == c.o.Match {
			return m[1]
		}
	}
	return p.UserName
}

func (c *Client) create(ctx context.Context, p Person, r *Report) {
	a, err := c.do(ctx, http.MethodPost, "/Users", c.whole(p))
	if err == nil && a.ID == "" {
		err = errors.New("the answer has no id")
	}
	if err != nil {
		r.fail(p.ID, "create", err)
		return
	}
	c.people[p.ID] = known{id: a.ID, person: p, active: !p.Disabled}
	r.Created++
}

func (c *Client) switchTo(ctx context.Context, id string, k known, active bool, r *Report) {
	if _, err := c.do(ctx, http.MethodPatch, "/Users/"+k.id, c.patch(c.truth(active))); err != nil {
		r.fail(id, "switch", err)
		return
	}
	k.active = active
	c.people[id] = k
	if active {
		r.Enabled++
	} else {
		r.Disabled++
	}
}

// update sends what differs from what was sent last.
func (c *Client) update(ctx context.Context, p Person, k known) error {
	if c.o.Style == Okta {
		if k.person == p {
			return nil
		}
		if _, err := c.do(ctx, http.MethodGet, "/Users/"+k.id, nil); err != nil {
			return err
		}
		body := c.whole(p)
		body["id"] = k.id
		_, err := c.do(ctx, http.MethodPut, "/Users/"+k.id, body)
		return err
	}
	var changes []change
	before := k.person.mapped()
	for i, m := range p.mapped() {
		if m[1] != before[i][1] {
			changes = append(changes, change{m[0], m[1], before[i][1] == ""})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := c.do(ctx, http.MethodPatch, "/Users/"+k.id, c.patch(c.operations(changes)))
	return err
}

// manager is sent on its own, as the other person must be there first.
func (c *Client) manager(ctx context.Context, p Person, r *Report) {
	k, ok := c.people[p.ID]
	boss := c.people[p.Manager].id
	if !ok || c.o.Style == Okta || p.Manager == "" || boss == "" || k.boss == boss {
		return
	}
	if _, err := c.do(ctx, http.MethodPatch, "/Users/"+k.id, c.patch(c.operations([]change{{enterprise + ":manager", boss, true}}))); err != nil {
		r.fail(p.ID, "manager", err)
		return
	}
	k.boss = boss
	c.people[p.ID] = k
}

func (c *Client) group(ctx context.Context, g Group, r *Report) {
	k, ok := c.groups[g.ID]
	if !ok {
		id, err := c.find(ctx, "/Groups", "displayName", g.Name, "&excludedAttributes=members")
		if err == nil && id == "" {
			var a answer
			a, err = c.do(ctx, http.MethodPost, "/Groups", c.wholeGroup(g)) // always without members
			id = a.ID
		}
		if err != nil {
			r.fail(g.ID, "create", err)
			return
		}
		k = knownGroup{id, Group{ID: g.ID, Name: g.Name}}
		c.groups[g.ID] = k
		r.Groups++
	}
	var ops []any
	if k.group.Name != g.Name {
		ops = append(ops, c.operations([]change{{"displayName", g.Name, false}})...)
	}
	come, gone := c.difference(k.group.Members, g.Members)
	ops = append(ops, c.memberOperations(come, gone)...)
	if len(ops) == 0 {
		return
	}
	if _, err := c.do(ctx, http.MethodPatch, "/Groups/"+k.id, c.patch(ops)); err != nil {
		r.fail(g.ID, "update", err)
		return
	}
	c.groups[g.ID] = knownGroup{k.id, g}
	r.Groups++
}

// difference returns the application's ids of members that come and go.
func (c *Client) difference(before, after []string) (come, gone []string) {
	for _, id := range after {
		if !slices.Contains(before, id) && c.ID(id) != "" {
			come = append(come, c.ID(id))
		}
	}
	for _, id := range before {
		if !slices.Contains(after, id) && c.ID(id) != "" {
			gone = append(gone, c.ID(id))
		}
	}
	return come, gone
}

func (c *Client) dropGroup(ctx context.Context, id string, r *Report) {
	if _, err := c.do(ctx, http.MethodDelete, "/Groups/"+c.groups[id].id, nil); err != nil {
		r.fail(id, "delete", err)
		return
	}
	delete(c.groups, id)
	r.Groups++
}
