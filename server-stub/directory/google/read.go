package google

import (
	"context"
	"errors"
	"fmt"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"strconv"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

const minPageSize = 25

// Read implements directory.Source. It reads everything: the API cannot tell what changed. Beside a page, or a few groups with
// their members, it holds 16 bytes of each person.
func (s *Source) Read(ctx context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	if r.Since != nil {
		return directory.Reading{}, s.errorf("read: %w", directory.ErrStartOver)
	}
	rd, err := s.reader(r.Groups, maxTries, sink)
	if err != nil {
		return directory.Reading{}, err
	}
	if err := rd.everything(ctx, r.Groups); err != nil {
		return directory.Reading{}, err
	}
	return directory.Reading{Complete: true}, nil
}

// reader is one reading.
type reader struct {
	*session

	sink  directory.Sink
	shape shape
	size  int                   // of a page of people
	seen  map[[16]byte]struct{} // people handed over
	all   []directory.Key       // people, where a group has everybody of the customer as a member
	whole string                // the id of the customer as a member, "" while no group has it
}

// scopes are those that a reading needs.
func (s *Source) scopes(groups bool) []string {
	list := []string{ScopeUsers}
	if groups {
		list = append(list, ScopeGroups)
	}
	if len(s.cfg.OrgUnits) > 0 {
		list = append(list, ScopeOrgUnits)
	}
	if s.wantsFields() {
		list = append(list, ScopeSchemas)
	}
	return list
}

func (s *Source) reader(groups bool, tries int, sink directory.Sink) (*reader, error) {
	se, err := s.open(tries, s.scopes(groups)...)
	if err != nil {
		return nil, err
	}
	return &reader{session: se, sink: sink, size: s.cfg.PageSize, seen: map[[16]byte]struct{}{}}, nil
}

func (rd *reader) everything(ctx context.Context, groups bool) error {
	s := rd.s
	var err error
	if rd.shape, err = rd.session.shape(ctx); err != nil {
		return s.unavailable(err)
	}
	for _, hint := range rd.shape.hints {
		s.logger.Info("about the custom fields", "hint", hint)
	}
	if err := rd.units(ctx); err != nil {
		return s.unavailable(err)
	}
	if groups {
		if err := rd.groups(ctx); err != nil {
			return s.kind(err)
		}
	}
	units := s.cfg.OrgUnits
	if len(units) == 0 {
		units = []string{""}
	}
	for _, unit := range units {
		if err := rd.people(ctx, unit); err != nil {
			return s.kind(err)
		}
	}
	switch {
	case len(rd.seen) == 0 && len(s.cfg.OrgUnits) > 0:
		return s.unavailable(errors.New("read people: nobody is in the organisational units: correct org_units; an empty list never means that everybody left"))
	case len(rd.seen) == 0:
		return s.unavailable(errors.New("read people: Google lists nobody, not even the administrator who reads: check customer; an empty list never means that everybody left"))
	}
	if rd.whole != "" {
		return s.kind(rd.everybody())
	}
	return nil
}

// given is an error of the sink.
type given struct{ error }

func (g given) Unwrap() error { return g.error }

// kind gives an error its kind and the name of the source. Errors of the sink have theirs.
func (s *Source) kind(err error) error {
	if err == nil {
		return nil
	}
	if g, ok := errors.AsType[given](err); ok {
		return s.errorf("%w", g.error)
	}
	return s.unavailable(err)
}

// units checks that the organisational units are there: a list of people asked for by one that is not might be empty, and an
// empty one means that nobody is left.
func (rd *reader) units(ctx context.Context) error {
	for _, unit := range rd.s.cfg.OrgUnits {
		if unit == "/" {
			continue
		}
		parts := strings.Split(unit[1:], "/")
		for i := range parts {
			parts[i] = url.PathEscape(parts[i])
		}
		r := request{
			step: fmt.Sprintf("look for the organisational unit %q", unit), method: http.MethodGet,
			path:   "/admin/directory/v1/customer/" + url.PathEscape(rd.s.cfg.Customer) + "/orgunits/" + strings.Join(parts, "/"),
			query:  url.Values{"fields": {"orgUnitPath"}},
			remedy: "correct org_units where the unit was renamed, moved or deleted; nobody was changed",
		}
		if err := rd.call(ctx, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// people lists those of a unit and of the units below it; "" is everybody. Pages that are too long are asked for anew in
// smaller ones.
func (rd *reader) people(ctx context.Context, unit string) error {
	for ; ; rd.size = max(rd.size/2, minPageSize) {
		err := rd.session.pages(ctx, rd.usersRequest(unit, rd.size), "users", func(p *page) (int, error) { return rd.take(ctx, p) })
		if f, ok := errors.AsType[*failure](err); ok && f.tooLong && rd.size > minPageSize {
			rd.s.logger.Info("pages are too long; beginning anew with smaller ones", "page_size", rd.size)
			continue
		}
		if err != nil && len(rd.seen) > 0 {
			return fmt.Errorf("%w; %d people were read until then", err, len(rd.seen))
		}
		return err
	}
}

// usersRequest asks for a page of people.
func (rd *reader) usersRequest(unit string, size int) request {
	q := url.Values{
		"customer": {rd.s.cfg.Customer}, "maxResults": {strconv.Itoa(size)}, "orderBy": {"email"}, "projection": {"basic"}, "viewType": {"admin_view"}, "prettyPrint": {"false"},
		"fields": {"kind,nextPageToken,users(" + userFields + ")"},
	}
	if len(rd.shape.mask) > 0 {
		q.Set("projection", "custom")
		q.Set("customFieldMask", strings.Join(rd.shape.mask, ","))
		q.Set("fields", "kind,nextPageToken,users("+userFields+",customSchemas)")
	}
	step := "read people"
	if unit != "" {
		q.Set("query", "orgUnitPath='"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(unit)+"'")
		step = fmt.Sprintf("read the people of %q", unit)
	}
	return request{step: step, method: http.MethodGet, path: "/admin/directory/v1/users", query: q}
}

// take hands over a page of people, and nobody twice: units overlap, and pages may.
func (rd *reader) take(ctx context.Context, p *page) (fresh int, err error) {
	for _, u := range p.users {
		if err := ctx.Err(); err != nil {
			return fresh, &failure{step: "read people", err: err}
		}
		if u.ID != "" { // else dirsync reports it
			id := digest(u.ID)
			if _, twice := rd.seen[id]; twice {
				continue
			}
			rd.seen[id] = struct{}{}
		}
		fresh++
		r, err := rd.s.person(u, rd.shape)
		if err != nil {
			return fresh, err
		}
		if rd.whole != "" && u.ID != "" {
			rd.all = append(rd.all, r.Identity())
		}
		if err := rd.sink.Person(r); err != nil {
			return fresh, given{fmt.Errorf("hand over %q: %w", u.Email, err)}
		}
	}
	return fresh, nil
}

// person refuses somebody of whom nobody can tell whether they are suspended: taking that for "no" would let in everybody who
// was locked out there.
func (s *Source) person(u user, sh shape) (directory.Record, error) {
	if u.Suspended == nil {
		return directory.Record{}, &failure{
			step: "read people", err: fmt.Errorf("%q does not show whether it is suspended", u.Email),
			remedy: fmt.Sprintf("give %s a role that reads users, in admin.google.com > Account > Admin roles", s.cfg.Subject),
		}
	}
	return s.record(u, sh), nil
}

// key is the key of a person or a group.
func key(id string) directory.Key {
	return directory.Key{Kind: core.IdentityGoogleID, ID: strings.TrimSpace(id)}
}
