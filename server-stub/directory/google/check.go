package google

import (
	"context"
	"fmt"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// checkSize is how many people Check looks at.
const checkSize = 25

// Check implements directory.Source. It tries every right that a reading needs.
func (s *Source) Check(ctx context.Context) (string, error) {
	rd, err := s.reader(true, checkTries, nil)
	if err != nil {
		return "", err
	}
	if rd.shape, err = rd.session.shape(ctx); err != nil {
		return "", s.unavailable(err)
	}
	if err := rd.units(ctx); err != nil {
		return "", s.unavailable(err)
	}
	groups := request{step: "read groups", method: http.MethodGet, path: "/admin/directory/v1/groups", query: url.Values{
		"customer": {s.cfg.Customer}, "maxResults": {"1"}, "fields": {"kind,groups(id)"},
	}}
	if err := rd.session.pages(ctx, groups, "groups", func(*page) (int, error) { return 0, nil }); err != nil {
		return "", s.unavailable(err)
	}
	units := s.cfg.OrgUnits
	if len(units) == 0 {
		units = []string{""}
	}
	people, cards, codes := 0, 0, 0
	for _, unit := range units {
		r := rd.usersRequest(unit, checkSize)
		r.query.Set("fields", strings.Replace(r.query.Get("fields"), "nextPageToken,", "", 1)) // one page
		if err := rd.session.pages(ctx, r, "users", func(p *page) (int, error) {
			for _, u := range p.users {
				record, err := s.person(u, rd.shape)
				if err != nil {
					return people, err
				}
				if people++; len(record.Cards) > 0 {
					cards++
				}
				if !record.AccessCode.Empty() {
					codes++
				}
			}
			return people, nil
		}); err != nil {
			return "", s.unavailable(err)
		}
	}
	if people == 0 {
		return "", s.errorf("%w: read people: nobody is there: correct customer or org_units", core.ErrInvalid)
	}
	text := fmt.Sprintf("Google lets %s read the people and groups of %s for %s", rd.account.email, s.cfg.Customer, s.cfg.Subject)
	if len(s.cfg.OrgUnits) > 0 {
		text = fmt.Sprintf("Google lets %s read the groups, and the people of %s, for %s", rd.account.email, strings.Join(s.cfg.OrgUnits, ", "), s.cfg.Subject)
	}
	if about := rd.shape.String(); about != "" {
		text += "; " + about
	}
	if len(rd.shape.kinds) > 0 {
		text += fmt.Sprintf("; of the first %d people %d have cards and %d an access code there", people, cards, codes)
	}
	switch {
	case s.cfg.WatchURL != "":
		text += "; changes are heard of at once"
	default:
		text += "; without watch_url changes are seen at the next interval"
	}
	return text, nil
}

var _ directory.Watcher = (*Source)(nil)
