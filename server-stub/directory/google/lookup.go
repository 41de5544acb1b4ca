package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

var _ directory.Looker = (*Source)(nil)

// Lookup implements directory.Looker. Who is in none of the organisational units is gone, as for Read.
func (s *Source) Lookup(ctx context.Context, keys []directory.Key, sink directory.Sink) error {
	rd, err := s.reader(false, maxTries, sink)
	if err != nil {
		return err
	}
	if rd.shape, err = rd.session.shape(ctx); err != nil {
		return s.unavailable(err)
	}
	if err := rd.units(ctx); err != nil { // of one that is not there, nobody can be told to be outside of it
		return s.unavailable(err)
	}
	for some := range slices.Chunk(keys, atOnce) {
		found := make([]*user, len(some))
		all, few := errgroup.WithContext(ctx)
		for i, k := range some {
			all.Go(func() (err error) {
				found[i], err = rd.one(few, k)
				return err
			})
		}
		if err := all.Wait(); err != nil {
			return s.unavailable(err)
		}
		for i, k := range some {
			if err := rd.give(k, found[i]); err != nil {
				return s.kind(err)
			}
		}
	}
	return nil
}

// one asks for somebody; nil: they are gone, or of no interest here.
func (rd *reader) one(ctx context.Context, k directory.Key) (*user, error) {
	if k.Kind != core.IdentityGoogleID || k.ID == "" || strings.Trim(k.ID, ".") == "" {
		return nil, nil //nolint:nilnil // nobody, as said above
	}
	r := rd.userRequest(k.ID)
	var u user
	err := rd.call(ctx, r, func(body io.Reader) (err error) {
		u, err = decodeUser(body)
		return err
	})
	if f, ok := errors.AsType[*failure](err); ok && f.status == http.StatusNotFound && f.reason == "notFound" {
		return nil, nil //nolint:nilnil // nobody
	}
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(u.ID) != k.ID:
		return nil, &failure{step: r.step, err: fmt.Errorf("the answer is about somebody else, %q", oneLine(u.Email)), remedy: "the next synchronisation tries again"}
	case len(rd.s.cfg.OrgUnits) > 0 && u.Unit == "":
		return nil, &failure{
			step: r.step, err: fmt.Errorf("%q does not show its organisational unit", oneLine(u.Email)),
			remedy: fmt.Sprintf("give %s a role that reads users, in admin.google.com > Account > Admin roles", rd.s.cfg.Subject),
		}
	case !rd.s.inUnits(u.Unit):
		return nil, nil //nolint:nilnil // of no interest
	}
	return &u, nil
}

// userRequest asks for one person, with the fields that a list has.
func (rd *reader) userRequest(id string) request {
	q := url.Values{"projection": {"basic"}, "viewType": {"admin_view"}, "prettyPrint": {"false"}, "fields": {"kind,orgUnitPath," + userFields}}
	if len(rd.shape.mask) > 0 {
		q.Set("projection", "custom")
		q.Set("customFieldMask", strings.Join(rd.shape.mask, ","))
		q.Set("fields", "kind,orgUnitPath,"+userFields+",customSchemas")
	}
	return request{step: "look somebody up", method: http.MethodGet, path: "/admin/directory/v1/users/" + url.PathEscape(id), query: q}
}

// decodeUser reads a user to its end.
func decodeUser(r io.Reader) (user, error) {
	var answer struct {
		Kind string `json:"kind"`
		user
	}
	d := json.NewDecoder(r)
	if err := d.Decode(&answer); err != nil {
		return user{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return user{}, errors.New("there is more after the end")
	}
	if !strings.HasSuffix(answer.Kind, "directory#user") {
		return user{}, fmt.Errorf("it is of the kind %q and not user", oneLine(answer.Kind))
	}
	return answer.user, nil
}

// inUnits tells whether a unit is one of those that are read, or below one.
func (s *Source) inUnits(path string) bool {
	return len(s.cfg.OrgUnits) == 0 || slices.ContainsFunc(s.cfg.OrgUnits, func(unit string) bool {
		unit = strings.TrimSuffix(unit, "/")
		return strings.EqualFold(path, unit) || len(path) > len(unit) && path[len(unit)] == '/' && strings.EqualFold(path[:len(unit)], unit)
	})
}

// give hands somebody over, or says that they are gone.
func (rd *reader) give(k directory.Key, u *user) error {
	if u == nil {
		if err := rd.sink.Gone(k); err != nil {
			return given{fmt.Errorf("hand over that %s is gone: %w", k.ID, err)}
		}
		return nil
	}
	r, err := rd.s.person(*u, rd.shape)
	if err != nil {
		return err
	}
	if err := rd.sink.Person(r); err != nil {
		return given{fmt.Errorf("hand over %q: %w", u.Email, err)}
	}
	return nil
}
