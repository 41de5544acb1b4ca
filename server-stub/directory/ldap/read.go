package ldap

import (
	"context"
	"errors"
	"fmt"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// maxEmptyPages is how many pages without an entry may follow each other before the server is taken for broken.
const maxEmptyPages = 100

// Read implements directory.Source. It asks page by page and holds one page in memory; the paging of go-ldap itself would
// hold everybody, more than a gigabyte for 100,000 people.
func (s *Source) Read(ctx context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	se, err := s.open(ctx)
	if err != nil {
		return directory.Reading{}, err
	}
	defer se.close()
	err = s.pages(ctx, se, s.cfg.PageSize, func(entries []*goldap.Entry, _ bool) error {
		for _, e := range entries {
			if err := s.readable(se, e); err != nil {
				return err
			}
			if err := sink.Person(se.mapping.record(e)); err != nil {
				return s.errorf("hand over %q: %w", e.DN, err)
			}
		}
		return nil
	})
	if err != nil {
		return directory.Reading{}, err
	}
	return directory.Reading{Complete: true}, nil
}

// readable refuses an account of Active Directory that does not show whether it is disabled: taking it for enabled would
// let everybody in who was locked out there.
func (s *Source) readable(se *session, e *goldap.Entry) error {
	if se.mapping.ad && e.GetEqualFoldAttributeValue(attributeUAC) == "" {
		return s.errorf("%w: %q does not show its %s, so nobody knows whether it is disabled: give the service account the right to read it, or exclude such entries by filter",
			core.ErrUnavailable, e.DN, attributeUAC)
	}
	return nil
}

// errEnough ends pages early, without a mistake of the directory.
var errEnough = errors.New("enough")

// pages calls page for each page, and tells whether it was the last.
func (s *Source) pages(ctx context.Context, se *session, size int, page func(entries []*goldap.Entry, last bool) error) error {
	paging := goldap.NewControlPaging(uint32(size))
	request := goldap.NewSearchRequest(se.base, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false, se.mapping.filter, se.mapping.attributes(), []goldap.Control{paging})
	if err := s.learnDomains(ctx, se); err != nil {
		return err
	}
	for read, empty := 0, 0; ; {
		var result *goldap.SearchResult
		err := se.within(ctx, s.cfg.PageTimeout, func() (err error) {
			result, err = se.ldap.Search(request)
			return err
		})
		if err != nil {
			return s.errorf("%w: read people below %s: the read ended after %d people: %w%s", core.ErrUnavailable, se.base, read, err, readRemedy(err))
		}
		var cookie []byte
		if answer, ok := goldap.FindControl(result.Controls, goldap.ControlTypePaging).(*goldap.ControlPaging); ok {
			cookie = answer.Cookie
		}
		if err := page(result.Entries, len(cookie) == 0); err != nil {
			return err
		}
		if len(cookie) == 0 {
			return nil
		}
		read += len(result.Entries)
		if empty++; len(result.Entries) > 0 {
			empty = 0
		}
		if empty > maxEmptyPages {
			return s.errorf("%w: read people below %s: the server goes on without giving entries", core.ErrUnavailable, se.base)
		}
		paging.SetCookie(cookie)
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
	return ""
}

// Check implements directory.Source. It reads at most one small page.
func (s *Source) Check(ctx context.Context) (string, error) {
	se, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	defer se.close()
	count, more, nameless, keyless, example := 0, false, 0, 0, ""
	err = s.pages(ctx, se, 50, func(entries []*goldap.Entry, last bool) error {
		for _, e := range entries {
			if err := s.readable(se, e); err != nil {
				return err
			}
			r := se.mapping.record(e)
			count++
			if r.Username == "" {
				nameless++
			} else if example == "" {
				example = r.Username
			}
			if r.Key == "" {
				keyless++
			}
		}
		more = !last
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", err
	}
	switch {
	case count == 0:
		return "", s.errorf("%w: nobody below %s matches %s: correct base_dn or filter", core.ErrInvalid, se.base, se.mapping.filter)
	case keyless > 0:
		return "", s.errorf("%w: %d of %d entries show no %s: give the service account the right to read it", core.ErrInvalid, keyless, count, se.mapping.names[attrKey])
	}
	amount := fmt.Sprintf("%d people", count)
	if more {
		amount = fmt.Sprintf("more than %d people", count)
	}
	text := fmt.Sprintf("%s (%s) lists %s below %s, usernames like %s", se.host, se.product, amount, se.base, example)
	if nameless > 0 {
		text += fmt.Sprintf("; %d of the first %d have no username by the rule of this source and would be left out", nameless, count)
	}
	return text, nil
}
