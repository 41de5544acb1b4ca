package dirsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// mostAbsent is the most people whom a source is asked for one by one. That more have left is for the brake to doubt.
const mostAbsent = 500

// confirm asks the source for the people whom a whole listing lacks, before anybody takes them for gone: one whose name changes
// while pages are read in the order of names may be on none of them. Who is found counts as listed. An error is one of the reading.
func (s *Syncer) confirm(ctx context.Context, source directory.Source, st *stager) error {
	looker, ok := source.(directory.Looker)
	if !ok {
		return nil
	}
	keys, err := s.absent(ctx, st)
	if err != nil || len(keys) == 0 || len(keys) > mostAbsent {
		return err
	}
	c := &confirming{stager: st, asked: make(map[directory.Key]bool, len(keys))}
	for _, k := range keys {
		c.asked[k] = true
	}
	if err := looker.Lookup(ctx, keys, c); err != nil {
		return fmt.Errorf("look for %d people whom source %q does not list: %w", len(keys), source.ID(), err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("look for people whom source %q does not list: %w", source.ID(), ctx.Err())
	}
	if c.found > 0 {
		s.cfg.Logger.InfoContext(ctx, "people whom the directory did not list are there all the same", "source", source.ID(), "asked", len(keys), "found", c.found)
	}
	return nil
}

// absent returns the keys of the source's living people whom the listing lacks, sorted.
func (s *Syncer) absent(ctx context.Context, st *stager) ([]directory.Key, error) {
	missing := map[core.UserID][]directory.Key{}
	for i := range st.known.rows {
		if row := &st.known.rows[i]; !row.listed && !row.met {
			missing[row.user] = append(missing[row.user], st.known.key(row))
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	for i := range st.known.rows {
		if row := &st.known.rows[i]; row.listed || row.met {
			delete(missing, row.user) // known by another id too, which is listed
		}
	}
	ids := make([]core.UserID, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var keys []directory.Key
	err := s.store.View(ctx, func(tx store.Tx) error {
		keys = nil
		for part := range slices.Chunk(ids, chunkSize) {
			if err := tx.UsersOf(ctx, part, func(u core.User) {
				if u.Source == st.source && u.DeletedAt.IsZero() {
					keys = append(keys, missing[u.ID]...)
				}
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read whom source %q does not list: %w", st.source, err)
	}
	slices.SortFunc(keys, compareKeys)
	return keys, nil
}

// confirming takes only who was asked for.
type confirming struct {
	*stager

	asked map[directory.Key]bool
	found int
}

var _ directory.Sink = (*confirming)(nil)

// first tells whether k was asked for and is handed over for the first time.
func (c *confirming) first(k directory.Key) bool {
	if !c.asked[k] {
		return false
	}
	c.found++
	delete(c.asked, k)
	return true
}

// Unchanged implements directory.Sink.
func (c *confirming) Unchanged(k directory.Key, f directory.Fingerprint) bool {
	return c.asked[k] && c.stager.Unchanged(k, f) && c.first(k)
}

// Person implements directory.Sink.
func (c *confirming) Person(r directory.Record) error {
	if !c.first(keyOf(r)) {
		return nil
	}
	return c.stager.Person(r)
}

// Group implements directory.Sink.
func (c *confirming) Group(directory.Group) error { return nil }

// Gone implements directory.Sink.
func (c *confirming) Gone(directory.Key) error { return nil }
