package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// Lookup implements directory.Looker. A key that is none of this source is nobody's.
func (s *Source) Lookup(ctx context.Context, keys []directory.Key, sink directory.Sink) error {
	se, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer se.close()
	if err := s.learnDomains(ctx, se); err != nil {
		return err
	}
	for some := range slices.Chunk(keys, batch) {
		if err := s.lookup(ctx, se, some, sink); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) lookup(ctx context.Context, se *session, keys []directory.Key, sink directory.Sink) error {
	var filters strings.Builder
	for _, k := range keys {
		if filter, err := se.mapping.keyFilter(k.ID); err == nil && k.Kind == se.mapping.keyKind {
			filters.WriteString(filter)
		}
	}
	found := map[string]bool{}
	if filters.Len() > 0 {
		rd := newReader(s, se, false, sink)
		err := rd.people(ctx, both(se.mapping.filter, "(|"+filters.String()+")"), func(e *wire.Entry) error {
			found[se.mapping.key(e)] = true
			return rd.person(e)
		})
		if err != nil {
			return err
		}
	}
	for _, k := range keys {
		if k.Kind == se.mapping.keyKind && found[k.ID] {
			continue
		}
		if err := sink.Gone(k); err != nil {
			return s.errorf("hand over that %s is gone: %w", k.ID, err)
		}
	}
	return nil
}
