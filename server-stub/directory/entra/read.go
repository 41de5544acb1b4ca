package entra

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// The caps of a read: whoever reaches one is broken, not large.
const (
	maxPages    = 20_000 // 20 million people
	maxIdle     = 100    // pages in a row with nobody new
	maxLink     = 16 << 10
	minPageSize = 25
)

// Read implements directory.Source. Beside one page it holds 16 bytes of each person: Graph may list somebody twice.
func (s *Source) Read(ctx context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	se, err := s.open(maxTries)
	if err != nil {
		return directory.Reading{}, err
	}
	seen := map[[16]byte]struct{}{}
	for size := s.cfg.PageSize; ; size = max(size/2, minPageSize) {
		err := se.everybody(ctx, size, seen, sink.Person)
		f, ok := errors.AsType[*failure](err)
		if !ok || !f.tooLong || size <= minPageSize {
			return directory.Reading{Complete: err == nil}, err
		}
		s.logger.Info("pages are too long; beginning anew with smaller ones", "page_size", size)
	}
}

// everybody follows the links from the first page to the last.
func (se *session) everybody(ctx context.Context, size int, seen map[[16]byte]struct{}, yield func(directory.Record) error) error {
	s := se.s
	visited := map[[16]byte]struct{}{}
	address := s.first(size)
	for pages, idle := 1, 0; ; pages++ {
		visited[digest(address)] = struct{}{}
		p, err := se.page(ctx, address)
		if err != nil {
			return s.unavailable(fmt.Errorf("%w; %d people were read until then", err, len(seen)))
		}
		idle++
		for _, u := range p.users {
			if guid.MatchString(u.ID) { // else dirsync reports it
				id := digest(strings.ToLower(u.ID))
				if _, twice := seen[id]; twice {
					continue
				}
				seen[id] = struct{}{}
				idle = 0
			}
			if err := s.give(u, yield); err != nil {
				return err
			}
		}
		if p.next == "" {
			return nil
		}
		if address, err = s.follow(p.next, visited); err != nil {
			return s.unavailable(err)
		}
		switch {
		case ctx.Err() != nil:
			return s.unavailable(fmt.Errorf("read people: %w", ctx.Err()))
		case idle >= maxIdle:
			return s.unavailable(fmt.Errorf("read people: %d pages in a row had nobody new; the next synchronisation tries again", idle))
		case pages >= maxPages:
			return s.unavailable(fmt.Errorf("read people: there is no end after %d pages; the next synchronisation tries again", pages))
		}
	}
}

// give hands over one person.
func (s *Source) give(u user, yield func(directory.Record) error) error {
	if u.Removed != nil || !s.cfg.Guests && strings.EqualFold(u.Type, guest) {
		return nil
	}
	if err := s.readable(u); err != nil {
		return err
	}
	if err := yield(s.record(u)); err != nil {
		return s.errorf("hand over %q: %w", u.UPN, err)
	}
	return nil
}

// readable refuses somebody of whom nobody can tell whether they are disabled: Graph answers null for what a lesser permission
// does not show, and taking that for enabled would let in everybody who was locked out there.
func (s *Source) readable(u user) error {
	if u.Enabled == nil {
		return s.errorf("%w: read people: %q does not show accountEnabled, so nobody knows whether it is disabled: give the application the application permission User.Read.All, not a lesser one",
			core.ErrUnavailable, u.UPN)
	}
	return nil
}

// first is the address of the first page.
func (s *Source) first(size int) string {
	return s.graph.String() + "/v1.0/users?$top=" + strconv.Itoa(size) + "&$select=" + selected
}

// follow checks a link to the next page. It is taken as it is, but only to the same host and never twice.
func (s *Source) follow(link string, visited map[[16]byte]struct{}) (string, error) {
	u, err := url.Parse(link)
	switch {
	case err != nil || len(link) > maxLink:
		return "", errors.New("read people: the link to the next page is none; the next synchronisation tries again")
	case u.Scheme != "https" || u.User != nil || hostPort(u) != hostPort(s.graph):
		return "", fmt.Errorf("read people: the link to the next page leads to %q, not to %s: it is not followed; find out who answers for Graph", u.Scheme+"://"+u.Host, s.graph.Host)
	}
	if _, again := visited[digest(link)]; again {
		return "", errors.New("read people: the links to the next page lead in a circle; the next synchronisation tries again")
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

// digest is a short name of a text.
func digest(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

// soon is how long before its end a certificate is told about.
const soon = 60 * 24 * time.Hour

// checkSize is how many people Check looks at.
const checkSize = 25

// Check implements directory.Source.
func (s *Source) Check(ctx context.Context) (string, error) {
	se, err := s.open(checkTries)
	if err != nil {
		return "", err
	}
	p, err := se.page(ctx, s.first(checkSize))
	if err != nil {
		return "", s.unavailable(err)
	}
	named, short, homeless := 0, 0, 0
	for _, u := range p.users {
		if u.Removed != nil || !s.cfg.Guests && strings.EqualFold(u.Type, guest) {
			continue
		}
		if err := s.readable(u); err != nil {
			return "", err
		}
		r := s.record(u)
		if r.Username != "" {
			named++
		}
		if r.SAM != "" {
			short++
			if r.Domain == "" {
				homeless++
			}
		}
	}
	if named == 0 {
		return "", s.errorf("%w: among the first %d accounts nobody has the name that username asks for: choose upn, nickname, sam, mail or auto, and guests: yes for a tenant of guests",
			core.ErrInvalid, len(p.users))
	}
	text := fmt.Sprintf("the tenant %s lets the application %s read its people", s.cfg.Tenant, s.cfg.ClientID)
	if homeless > 0 {
		text += fmt.Sprintf("; %d of %d short names stand in no NetBIOS domain, so set domain or netbios_domains", homeless, short)
	}
	if c := se.credential.certificate; c != nil {
		text += "; its certificate expires on " + c.NotAfter.UTC().Format(time.DateOnly)
		if c.NotAfter.Sub(s.now()) < soon {
			text += ", so renew it soon"
		}
	}
	return text, nil
}
