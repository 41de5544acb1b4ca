package ldap

import (
	"context"
	"errors"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// maxEmptyPages is how many pages without an entry may follow each other before the server is taken for broken.
const maxEmptyPages = 100

// Read implements directory.Source. It asks page by page, takes each entry off the connection as it comes, and builds a record only
// of what the sink does not know by its fingerprint.
func (s *Source) Read(ctx context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	se, err := s.open(ctx)
	if err != nil {
		return directory.Reading{}, err
	}
	defer se.close()
	if err := s.learnDomains(ctx, se); err != nil {
		return directory.Reading{}, err
	}
	if r.Since != nil {
		return s.readSince(ctx, se, r, sink)
	}
	next, err := s.begin(ctx, se, r.Groups) // first: what changes meanwhile is then read again, rather than missed
	if err != nil {
		return directory.Reading{}, err
	}
	rd := newReader(s, se, r.Groups, sink)
	if err := rd.everything(ctx); err != nil {
		return directory.Reading{}, err
	}
	return directory.Reading{Complete: true, Next: next}, nil
}

// reader is one reading.
type reader struct {
	*Source

	se      *session
	sink    directory.Sink
	seen    map[id]struct{} // who was handed over: a server may give somebody twice who is moved meanwhile
	members *members        // nil: groups are not asked for
	since   bool            // only some people are read, so that not everybody's primary group is known
}

func newReader(s *Source, se *session, groups bool, sink directory.Sink) *reader {
	rd := &reader{Source: s, se: se, sink: sink, seen: map[id]struct{}{}}
	if groups {
		rd.members = newMembers(se.mapping)
	}
	return rd
}

func (rd *reader) everything(ctx context.Context) error {
	if rd.members != nil {
		if err := rd.groupNames(ctx); err != nil {
			return err
		}
	}
	if err := rd.people(ctx, rd.se.mapping.filter, rd.person); err != nil {
		return err
	}
	if rd.members == nil {
		return nil
	}
	return rd.groups(ctx, rd.groupFilter())
}

// people reads those that the filter finds.
func (rd *reader) people(ctx context.Context, filter string, entry func(*wire.Entry) error) error {
	return rd.pages(ctx, rd.se, listing{
		what: "people", size: rd.cfg.PageSize, entry: entry,
		search: wire.Search{Base: rd.se.base, Scope: wire.Subtree, Filter: filter, Attributes: rd.se.mapping.attributes()},
	})
}

// person hands an entry over, if it is not as it was.
func (rd *reader) person(e *wire.Entry) error {
	m := rd.se.mapping
	if err := rd.readable(rd.se, e); err != nil {
		return err
	}
	key := m.key(e)
	if key != "" && m.unique {
		who, _ := idOf(key)
		if _, twice := rd.seen[who]; twice {
			return nil
		}
		rd.seen[who] = struct{}{}
	}
	if rd.members != nil && key != "" {
		rd.members.note(e, key)
	}
	f := m.fingerprint(e)
	if key != "" && rd.sink.Unchanged(directory.Key{Kind: m.keyKind, ID: key}, f) {
		return nil
	}
	r := m.record(e)
	r.Fingerprint = f
	if err := rd.sink.Person(r); err != nil {
		return rd.errorf("hand over %q: %w", e.DN, err)
	}
	return nil
}

// readable refuses an account of Active Directory that does not show whether it is disabled: taking it for enabled would
// let everybody in who was locked out there.
func (s *Source) readable(se *session, e *wire.Entry) error {
	if se.mapping.ad && len(e.Value(attributeUAC)) == 0 {
		return s.errorf("%w: %q does not show its %s, so nobody knows whether it is disabled: give the service account the right to read it, or exclude such entries by filter",
			core.ErrUnavailable, e.DN, attributeUAC)
	}
	return nil
}

// errEnough ends pages early, without a mistake of the directory.
var errEnough = errors.New("enough")

// listing is one search that is read page by page.
type listing struct {
	what   string // people, groups: for errors
	search wire.Search
	size   int // entries asked for at a time
	entry  func(*wire.Entry) error
	turn   func(last bool) error // after each page, when the connection is free for other requests; may be nil
}

// pages reads a listing. The server's failures are explained, errors of entry and turn are returned as they are.
func (s *Source) pages(ctx context.Context, se *session, l listing) error {
	controls, cookie := l.search.Controls, []byte(nil)
	for read, empty := 0, 0; ; {
		l.search.Controls = append([]wire.Control{wire.Paging(l.size, cookie)}, controls...)
		count, own := 0, error(nil)
		err := se.within(ctx, s.cfg.PageTimeout, func() error {
			answer, err := se.wire.Search(l.search, func(e *wire.Entry) error {
				if count++; read+count > s.most {
					own = s.errorf("%w: read %s below %s: the server gives more than %d of them, and goes on: nobody was changed; choose a narrower base_dn or filter",
						core.ErrUnavailable, l.what, l.search.Base, s.most)
					return own
				}
				own = l.entry(e)
				return own
			})
			if err != nil {
				return err
			}
			cookie, err = wire.NextPage(answer)
			return err
		})
		read += count
		switch {
		case own != nil:
			return errors.Join(own, ctx.Err())
		case err != nil:
			return s.errorf("%w: read %s below %s: the read ended after %d %s: %w%s", core.ErrUnavailable, l.what, l.search.Base, read, l.what, err, readRemedy(err))
		case ctx.Err() != nil:
			return s.errorf("read %s below %s: %w", l.what, l.search.Base, ctx.Err())
		}
		if l.turn != nil {
			if err := l.turn(len(cookie) == 0); err != nil {
				return err
			}
		}
		if len(cookie) == 0 {
			return nil
		}
		if empty++; count > 0 {
			empty = 0
		}
		if empty > maxEmptyPages {
			return s.errorf("%w: read %s below %s: the server goes on without giving entries: nobody was changed; the next synchronisation tries again", core.ErrUnavailable, l.what, l.search.Base)
		}
	}
}

// readRemedy says what an administrator can do about a read that failed.
func readRemedy(err error) string {
	switch {
	case goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded):
		return ": the server limits how many entries the service account may read; raise that limit for it (OpenLDAP: limits dn.exact=... size=unlimited size.prtotal=unlimited)"
	case goldap.IsErrorWithCode(err, goldap.LDAPResultTimeLimitExceeded), goldap.IsErrorWithCode(err, goldap.LDAPResultAdminLimitExceeded):
		return ": the server's limit for the service account is too low; raise it, or choose a smaller page_size or a narrower filter"
	case goldap.IsErrorWithCode(err, goldap.LDAPResultNoSuchObject), goldap.IsErrorWithCode(err, goldap.LDAPResultReferral):
		return ": correct base_dn"
	case goldap.IsErrorWithCode(err, goldap.LDAPResultInsufficientAccessRights), goldap.IsErrorWithCode(err, goldap.LDAPResultOperationsError):
		return ": give the service account the right to read, or set bind_dn and bind_password_file"
	}
	return ": nobody was changed; the next synchronisation tries again"
}
