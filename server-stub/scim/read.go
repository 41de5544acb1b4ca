package scim

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Pages of a list.
const (
	usualPage = 100
	maxPage   = 1000
	// maxPageBytes is how long a page may get, about: it is made in memory. A shorter one than was asked for is followed by a next one
	// (RFC 7644 section 3.4.2.4).
	maxPageBytes = 4 << 20
	memberBytes  = 200 // of one member, about
)

// read answers one resource.
func (c *call) read(t *resourceType) error {
	q := c.r.URL.Query()
	v := t.parseView(q.Get("attributes"), q.Get("excludedAttributes"))
	var o object
	var r store.SCIMResource
	err := c.d.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		if r, err = c.living(tx, t); err != nil {
			return err
		}
		o, err = c.whole(tx, t, r, v.wants("members"))
		return err
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", etag(r))
	if tag := c.r.Header.Get("If-None-Match"); tag != "" && matches(tag, r) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(http.StatusOK, v.apply(t, o))
}

// living reads the resource of the path, if it is there and not deleted.
func (c *call) living(tx store.Tx, t *resourceType) (store.SCIMResource, error) {
	r, err := tx.SCIMResource(c.r.Context(), c.token.Source, store.SCIMKind(t.name), c.id)
	if err == nil && !r.DeletedAt.IsZero() {
		err = core.ErrNotFound
	}
	return r, err
}

// whole renders a resource, with its members if they are wanted.
func (c *call) whole(tx store.Tx, t *resourceType, r store.SCIMResource, withMembers bool) (object, error) {
	var members []store.SCIMMember
	if withMembers && r.Kind == store.SCIMGroup {
		var err error
		if members, err = tx.SCIMMembers(c.r.Context(), r.ID); err != nil {
			return nil, err
		}
	}
	return c.render(t, r, members)
}

// matches tells whether the header names the resource's version (RFC 7232 section 3). Versions are compared weakly.
func matches(header string, r store.SCIMResource) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == strings.TrimPrefix(etag(r), "W/") {
			return true
		}
	}
	return false
}

// list answers the resources for which a filter holds, a page of them. None is a list of none, not an error.
func (c *call) list(t *resourceType) error {
	q := c.r.URL.Query()
	if q.Get("sortBy") != "" {
		c.d.Logger.DebugContext(c.r.Context(), "sorting asked for and not supported", "source", string(c.token.Source))
	}
	start, count, err := page(q.Get("startIndex"), q.Get("count"))
	if err != nil {
		return err
	}
	v := t.parseView(q.Get("attributes"), q.Get("excludedAttributes"))
	var f filter
	if text := q.Get("filter"); strings.TrimSpace(text) != "" {
		if f, err = t.parseFilter(text); err != nil {
			return err
		}
	}
	s := search{call: c, kind: t, view: v, filter: f, start: start, count: count}
	if err := c.d.Store.View(c.r.Context(), s.run); err != nil {
		return err
	}
	return c.answer(http.StatusOK, listOf(s.found, s.total, start))
}

// page reads startIndex, which counts from 1, and count. What is below their least is their least (RFC 7644 section 3.4.2.4).
func page(startIndex, howMany string) (start, count int, err error) {
	start, count = 1, usualPage
	for text, to := range map[string]*int{startIndex: &start, howMany: &count} {
		if text == "" {
			continue
		}
		if *to, err = strconv.Atoi(text); err != nil {
			return 0, 0, wrong(invalidValue, "startIndex and count are whole numbers")
		}
	}
	return max(start, 1), min(max(count, 0), maxPage), nil
}

// search is one list while it is made.
type search struct {
	*call
	kind   *resourceType
	view   view
	filter filter
	start  int
	count  int

	found []any
	bytes int // of found, about
	total int
}

func (s *search) run(tx store.Tx) error {
	s.found, s.bytes, s.total = nil, 0, 0
	if s.filter == nil {
		return s.everything(tx)
	}
	ctx, kind := s.r.Context(), store.SCIMKind(s.kind.name)
	q, id := s.kind.narrow(s.filter)
	var candidates []store.SCIMResource
	var err error
	if id != "" {
		r, findErr := tx.SCIMResource(ctx, s.token.Source, kind, id)
		if findErr == nil && r.DeletedAt.IsZero() {
			candidates = append(candidates, r)
		} else if findErr != nil && s.failure(findErr).status != http.StatusNotFound {
			err = findErr
		}
	} else {
		return s.among(tx, kind, q)
	}
	if err != nil {
		return err
	}
	for _, r := range candidates {
		if err := s.consider(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// among looks at the resources that the filter may hold for while they come, so that no more than those of the page are kept. Only who
// is in a group must be asked for afterwards.
func (s *search) among(tx store.Tx, kind store.SCIMKind, q store.SCIMQuery) error {
	members := mentions(s.filter, "members")
	var list []store.SCIMResource
	var failed error
	err := tx.SCIMResources(s.r.Context(), s.token.Source, kind, q, func(r store.SCIMResource) {
		switch {
		case failed != nil:
			return
		case !members:
			var o object
			if o, failed = s.render(s.kind, r, nil); failed != nil || !s.filter.match(o) || !s.counts() {
				return
			}
		}
		list = append(list, r)
	})
	if err == nil {
		err = failed
	}
	for _, r := range list {
		switch {
		case err != nil:
			return err
		case members:
			err = s.consider(tx, r)
		default:
			err = s.take(tx, r)
		}
	}
	return err
}

// consider counts a resource if the filter holds for it, and takes it if it is of the page.
func (s *search) consider(tx store.Tx, r store.SCIMResource) error {
	o, err := s.whole(tx, s.kind, r, mentions(s.filter, "members"))
	if err != nil || !s.filter.match(o) || !s.counts() {
		return err
	}
	return s.take(tx, r)
}

// counts counts one more that was found, and tells whether it is of the page.
func (s *search) counts() bool {
	s.total++
	return s.total >= s.start && s.total-s.start < s.count
}

// take puts a resource on the page, if it is not too long already.
func (s *search) take(tx store.Tx, r store.SCIMResource) error {
	if s.bytes > maxPageBytes {
		return nil
	}
	o, err := s.whole(tx, s.kind, r, s.view.wants("members"))
	if err != nil {
		return err
	}
	members, _ := o["members"].([]any)
	s.bytes += len(r.Data) + memberBytes*len(members)
	s.found = append(s.found, s.view.apply(s.kind, o))
	return nil
}

// everything lists without a filter.
func (s *search) everything(tx store.Tx) error {
	ctx, kind := s.r.Context(), store.SCIMKind(s.kind.name)
	var err error
	if s.total, err = tx.CountSCIMResources(ctx, s.token.Source, kind, store.SCIMQuery{}); err != nil || s.count == 0 {
		return err
	}
	var list []store.SCIMResource
	q := store.SCIMQuery{Offset: s.start - 1, Limit: s.count}
	if err := tx.SCIMResources(ctx, s.token.Source, kind, q, func(r store.SCIMResource) { list = append(list, r) }); err != nil {
		return err
	}
	for _, r := range list {
		if err := s.take(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// mentions tells whether the filter looks at an attribute of the core schema.
func mentions(f filter, name string) bool {
	switch f := f.(type) {
	case both:
		return mentions(f.left, name) || mentions(f.right, name)
	case either:
		return mentions(f.left, name) || mentions(f.right, name)
	case except:
		return mentions(f.inner, name)
	case compare:
		return f.attr.name == name
	case among:
		return f.attr.name == name
	}
	return false
}
