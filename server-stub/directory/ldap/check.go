package ldap

import (
	"context"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// Check implements directory.Source. It reads at most one small page.
func (s *Source) Check(ctx context.Context) (string, error) {
	se, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	defer se.close()
	if err := s.learnDomains(ctx, se); err != nil {
		return "", err
	}
	count, more, nameless, keyless, example := 0, false, 0, 0, ""
	err = s.pages(ctx, se, listing{
		what: "people", size: 50,
		search: wire.Search{Base: se.base, Scope: wire.Subtree, Filter: se.mapping.filter, Attributes: se.mapping.attributes()},
		entry: func(e *wire.Entry) error {
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
			return nil
		},
		turn: func(last bool) error {
			more = !last
			return errEnough
		},
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", err
	}
	switch {
	case count == 0:
		return "", s.errorf("%w: nobody below %s matches %s: correct base_dn or filter", core.ErrInvalid, se.base, se.mapping.filter)
	case keyless > 0:
		return "", s.errorf("%w: %d of %d entries show no %s: give the service account the right to read it", core.ErrInvalid, keyless, count, se.mapping.keyName())
	}
	amount := fmt.Sprintf("%d people", count)
	if more {
		amount = fmt.Sprintf("more than %d people", count)
	}
	text := fmt.Sprintf("%s (%s) lists %s below %s, usernames like %s", se.host, se.product, amount, se.base, example)
	if nameless > 0 {
		text += fmt.Sprintf("; %d of the first %d have no username by the rule of this source and would be left out", nameless, count)
	}
	way, why, err := s.incremental(ctx, se)
	if err != nil {
		return "", err
	}
	if way == IncrementalOff {
		return text + "; each synchronisation reads everything (" + why + ")", nil
	}
	return text + "; what changed is asked for by " + string(way), nil
}
