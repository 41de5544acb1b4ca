package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// The caps of a reading: whoever reaches one is broken, not large.
const (
	maxPages    = 20_000 // 20 million people
	maxIdle     = 100    // pages in a row with nothing new
	maxLink     = 16 << 10
	minPageSize = 25
)

// The steps of a reading, as errors name them.
const (
	stepBookmark     = "read where changes of people begin"
	stepPeople       = "read people"
	stepGroups       = "read groups"
	stepChanges      = "read changed people"
	stepGroupChanges = "read changed groups"
)

// Read implements directory.Source. Beside one page it holds 16 bytes of each person, as Graph may list somebody twice, and 17 of
// each member of a group, as Graph tells a group in pieces.
func (s *Source) Read(ctx context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	se, err := s.open(maxTries)
	if err != nil {
		return directory.Reading{}, err
	}
	groups := r.Groups && !s.cfg.NoGroups
	if r.Since != nil {
		mark, err := s.parseBookmark(r.Since, groups)
		if err != nil {
			return directory.Reading{}, err
		}
		next, err := se.changes(ctx, mark, groups, sink)
		return directory.Reading{Next: next}, err
	}
	next, err := se.whole(ctx, groups, sink)
	return directory.Reading{Complete: err == nil, Next: next}, err
}

// whole reads everything. Where changes are told from on is asked before anything else, so that what changes meanwhile is told
// next time, and never lost.
func (se *session) whole(ctx context.Context, groups bool, sink directory.Sink) (directory.Bookmark, error) {
	s := se.s
	mark := bookmark{Version: bookmarkVersion, For: s.fingerprints.name()}
	var err error
	if mark.Users, err = se.latest(ctx); err != nil {
		return nil, err
	}
	seen := map[guid16]struct{}{}
	for size := s.cfg.PageSize; ; size = max(size/2, minPageSize) {
		err := se.everybody(ctx, size, seen, sink)
		if err == nil {
			break
		}
		f, ok := errors.AsType[*failure](err)
		if !ok || !f.tooLong || size <= minPageSize {
			return nil, err
		}
		s.logger.Info("pages are too long; beginning anew with smaller ones", "page_size", size)
	}
	if groups {
		if mark.Groups, err = se.everyGroup(ctx, sink); err != nil {
			return nil, err
		}
	}
	mark.Pages = se.pages
	return mark.bytes(), nil
}

// latest asks where changes of people are told from now on.
func (se *session) latest(ctx context.Context) (string, error) {
	address := se.s.graph.String() + "/v1.0/users/delta?$deltatoken=latest&$select=" + se.s.selected
	return se.walk(ctx, question{step: stepBookmark, permission: permissionUsers, address: address}, true, func(*page) (bool, error) { return false, nil })
}

// everybody follows the links from the first page to the last.
func (se *session) everybody(ctx context.Context, size int, seen map[guid16]struct{}, sink directory.Sink) error {
	s := se.s
	q := question{step: stepPeople, permission: permissionUsers, address: s.first(size)}
	_, err := se.walk(ctx, q, false, func(p *page) (bool, error) {
		news := false
		for _, raw := range p.rows {
			id, certain := quickID(raw)
			if !certain {
				var u user
				if err := json.Unmarshal(raw, &u); err != nil {
					return false, s.unavailable(spoilt(stepPeople, err))
				}
				id, certain = parseGUID(u.ID)
			}
			if certain { // else dirsync reports it
				if _, twice := seen[id]; twice {
					continue
				}
				seen[id], news = struct{}{}, true
			}
			if err := s.give(raw, id, certain, stepPeople, sink); err != nil {
				return false, err
			}
		}
		return news, nil
	})
	if f, ok := errors.AsType[*failure](err); ok && !f.tooLong {
		return fmt.Errorf("%w; %d people were read until then", err, len(seen))
	}
	return err
}

// walk follows links from page to page and returns the link for the next time, which only changes have. take tells whether
// a page had anything new.
func (se *session) walk(ctx context.Context, q question, changes bool, take func(*page) (bool, error)) (string, error) {
	s := se.s
	broken := func(format string, args ...any) error {
		return s.unavailable(fmt.Errorf(q.step+": "+format+"; the next synchronisation tries again", args...))
	}
	visited := map[[16]byte]struct{}{}
	for pages, idle := 1, 0; ; pages++ {
		visited[digest([]byte(q.address))] = struct{}{}
		p, err := se.page(ctx, q)
		if err != nil {
			return "", s.unavailable(err)
		}
		se.pages++
		news, err := take(p)
		if err != nil {
			return "", err
		}
		if idle++; news {
			idle = 0
		}
		if p.next == "" {
			if !changes {
				return "", nil
			}
			if p.delta == "" {
				return "", broken("the last page does not say where changes go on")
			}
			link, err := s.follow(p.delta, nil)
			if err != nil {
				return "", s.unavailable(fmt.Errorf("%s: %w", q.step, err))
			}
			return link, nil
		}
		if q.address, err = s.follow(p.next, visited); err != nil {
			return "", s.unavailable(fmt.Errorf("%s: %w", q.step, err))
		}
		switch {
		case ctx.Err() != nil:
			return "", s.unavailable(fmt.Errorf("%s: %w", q.step, ctx.Err()))
		case idle >= maxIdle:
			return "", broken("%d pages in a row had nothing new", idle)
		case pages >= maxPages:
			return "", broken("there is no end after %d pages", pages)
		}
	}
}

// spoilt is the error of a row that is not what was asked for.
func spoilt(step string, err error) error {
	return fmt.Errorf("%s: a row is not what was asked for: %w; the next synchronisation tries again", step, err)
}

// give hands over one person, unless they are known as they are. Who is not wanted is not handed over; in a reading of changes
// they are said to be gone by the caller.
func (s *Source) give(raw json.RawMessage, id guid16, certain bool, step string, sink directory.Sink) error {
	_, err := s.offer(raw, id, certain, step, sink)
	return err
}

// offer is give, and tells whether the person is one of this source's.
func (s *Source) offer(raw json.RawMessage, id guid16, certain bool, step string, sink directory.Sink) (wanted bool, err error) {
	var f directory.Fingerprint
	if certain {
		if f = s.fingerprints.of(raw); sink.Unchanged(s.key(id), f) {
			return true, nil
		}
	}
	var u user
	if err := json.Unmarshal(raw, &u); err != nil {
		return false, s.unavailable(spoilt(step, err))
	}
	if got, ok := parseGUID(u.ID); certain && (!ok || got != id) {
		return false, s.unavailable(spoilt(step, fmt.Errorf("somebody has two ids, %s and %q", id, u.ID)))
	}
	if u.Removed != nil || !s.cfg.Guests && strings.EqualFold(u.Type, guest) {
		return false, nil
	}
	if err := s.readable(u, step); err != nil {
		return false, err
	}
	r, err := s.record(u, raw)
	if err != nil {
		return false, s.unavailable(spoilt(step, err))
	}
	r.Fingerprint = f
	if err := sink.Person(r); err != nil {
		return false, s.errorf("hand over %q: %w", u.UPN, err)
	}
	return true, nil
}

// readable refuses somebody of whom nobody can tell whether they are disabled: Graph answers null for what a lesser permission
// does not show, and taking that for enabled would let in everybody who was locked out there.
func (s *Source) readable(u user, step string) error {
	if u.Enabled == nil {
		return s.errorf("%w: %s: %q does not show accountEnabled, so nobody knows whether it is disabled: give the application the application permission %s, not a lesser one, at %s",
			core.ErrUnavailable, step, u.UPN, permissionUsers, s.grantPage())
	}
	return nil
}

// first is the address of the first page.
func (s *Source) first(size int) string {
	return s.graph.String() + "/v1.0/users?$top=" + strconv.Itoa(size) + "&$select=" + s.selected
}

// follow checks a link. It is taken as it is, but only to the same host and never twice.
func (s *Source) follow(link string, visited map[[16]byte]struct{}) (string, error) {
	u, err := url.Parse(link)
	switch {
	case err != nil || link == "" || len(link) > maxLink:
		return "", errors.New("the link to the next page is none; the next synchronisation tries again")
	case u.Scheme != "https" || u.User != nil || hostPort(u) != hostPort(s.graph):
		return "", fmt.Errorf("the link to the next page leads to %q, not to %s: it is not followed; find out who answers for Graph", u.Scheme+"://"+u.Host, s.graph.Host)
	}
	if _, again := visited[digest([]byte(link))]; again {
		return "", errors.New("the links to the next page lead in a circle; the next synchronisation tries again")
	}
	return link, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}
