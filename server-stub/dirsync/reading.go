package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// compareEvery is how often everything is read and compared, whatever bookmarks and fingerprints say.
const compareEvery = 24 * time.Hour

// read reads the source: what changed since its bookmark, or everything; kind is set to which of them before it is tried. Without an
// error the listing is all of it.
func (s *Syncer) read(ctx context.Context, source directory.Source, settings Settings, kind *core.RunKind) (*listing, error) {
	id := source.ID()
	var st core.SourceState
	if err := s.store.View(ctx, func(tx store.Tx) (err error) {
		st, err = tx.SourceState(ctx, id)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read how source %q stands: %w", id, err)
	}
	full := settings.Full || st.LastFull.IsZero() || s.now().Sub(st.LastFull) >= compareEvery
	if since, pending := s.openBookmark(st, settings); since != nil && !full {
		*kind = core.RunChanges
		l, err := s.readSince(ctx, source, settings, since, pending)
		if !errors.Is(err, directory.ErrStartOver) {
			return l, err
		}
		s.cfg.Logger.InfoContext(ctx, "the directory's bookmark is of no use any more, so everything is read", "source", id)
	}
	*kind = core.RunFull
	return s.readAll(ctx, source, settings, full)
}

// readAll reads everything. compare: fingerprints are not asked, and everything is compared.
func (s *Syncer) readAll(ctx context.Context, source directory.Source, settings Settings, compare bool) (*listing, error) {
	st := &stager{s: s, source: source.ID(), compare: compare, complete: true}
	if err := s.store.View(ctx, func(tx store.Tx) (err error) {
		if st.known, err = loadKnown(ctx, tx, source.ID()); err != nil {
			return err
		}
		return st.loadGroups(ctx, tx)
	}); err != nil {
		return nil, err
	}
	reading, err := source.Read(ctx, directory.Request{Groups: true}, st)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("read source %q: %w", source.ID(), ctx.Err())
	case !reading.Complete:
		return nil, fmt.Errorf("%w: source %q was asked for everything and did not list it: nobody was changed", core.ErrInvalid, source.ID())
	case st.read == 0:
		return nil, fmt.Errorf("%w: source %q lists nobody, which is never taken for \"everybody left\"; check its filter and base", core.ErrInvalid, source.ID())
	}
	if !settings.NoDelete {
		if err := s.confirm(ctx, source, st); err != nil {
			return nil, err
		}
	}
	st.people.close()
	st.groups.close()
	l := &listing{
		source: source.ID(), settings: settings, complete: true, read: st.read, people: st.people, groups: st.groups, bookmark: reading.Next,
		first: len(st.known.rows) == 0, compared: compare,
	}
	var in *inside
	if len(settings.Scope.Groups) > 0 {
		if err := s.store.View(ctx, func(tx store.Tx) (err error) {
			in, err = s.scope(ctx, tx, l, st)
			return err
		}); err != nil {
			return nil, err
		}
		if err := l.drop(in); err != nil {
			return nil, err
		}
	}
	for i := range st.known.rows {
		row := &st.known.rows[i]
		if row.listed && (in == nil || in.has(st.known.key(row))) {
			l.same = append(l.same, row.user)
		}
	}
	slices.Sort(l.same)
	if in != nil && l.people.n == 0 && len(l.same) == 0 {
		return nil, fmt.Errorf("%w: nobody whom source %q lists is in the groups of its scope, which is never taken for \"everybody left\"; "+
			"check the scope", core.ErrInvalid, source.ID())
	}
	l.doubled = st.doubled
	for _, g := range st.seenGroups {
		if !g.listed && g.DeletedAt.IsZero() {
			l.groupsGone = append(l.groupsGone, g.ID)
		}
	}
	slices.Sort(l.groupsGone)
	return l, nil
}

// readSince reads what changed, and looks again at records that were left out (pending), where the source can.
// directory.ErrStartOver: everything must be read.
func (s *Syncer) readSince(ctx context.Context, source directory.Source, settings Settings, since directory.Bookmark, pending []directory.Key) (*listing, error) {
	st := &stager{s: s, source: source.ID(), compare: true, last: map[directory.Key]int{}}
	scoped := len(settings.Scope.Groups) > 0
	if err := s.store.View(ctx, func(tx store.Tx) (err error) {
		if scoped {
			if st.known, err = loadKnown(ctx, tx, source.ID()); err != nil {
				return err
			}
		}
		return st.loadGroups(ctx, tx)
	}); err != nil {
		return nil, err
	}
	reading, err := source.Read(ctx, directory.Request{Since: since, Groups: true}, st)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("read what changed in source %q: %w", source.ID(), ctx.Err())
	case reading.Complete:
		return nil, fmt.Errorf("source %q was asked what changed and listed everything: %w", source.ID(), directory.ErrStartOver)
	}
	pending = slices.DeleteFunc(pending, func(k directory.Key) bool { _, said := st.last[k]; return said })
	if looker, ok := source.(directory.Looker); ok && len(pending) > 0 {
		if err := looker.Lookup(ctx, pending, st); err != nil {
			return nil, err
		}
		pending = nil
	}
	l := &listing{source: source.ID(), settings: settings, bookmark: reading.Next, pending: pending}
	if scoped {
		if err := s.scopeChanges(ctx, source, l, st); err != nil {
			return nil, err
		}
	}
	return l, st.settle(l)
}

// seenGroup is a group as it was seen last.
type seenGroup struct {
	store.DirectoryGroup

	listed bool
}

// stager is the Sink of a reading.
type stager struct {
	s        *Syncer
	source   core.SourceID
	compare  bool // fingerprints are not asked
	complete bool

	known      *known // nil where nobody asks
	seenGroups map[directory.Key]*seenGroup

	people  arena
	groups  arena
	read    int
	doubled []directory.Key

	// last is, where not everything is listed, the place in people of what was said last of each, -1 for gone: directories repeat
	// themselves there.
	last       map[directory.Key]int
	goneGroups []int64
	buffer     []byte
}

var _ directory.Sink = (*stager)(nil)

func (st *stager) loadGroups(ctx context.Context, tx store.Tx) error {
	st.seenGroups = map[directory.Key]*seenGroup{}
	if err := tx.DirectoryGroups(ctx, st.source, func(g store.DirectoryGroup) {
		st.seenGroups[directory.Key{Kind: g.Kind, ID: g.ImmutableID}] = &seenGroup{DirectoryGroup: g}
	}); err != nil {
		return fmt.Errorf("read the groups of source %q: %w", st.source, err)
	}
	return nil
}

// Unchanged implements directory.Sink.
func (st *stager) Unchanged(k directory.Key, f directory.Fingerprint) bool {
	if st.compare || f == (directory.Fingerprint{}) {
		return false
	}
	return st.unchanged(k, st.s.seals.kept(f)) || st.unchangedGroup(k, st.s.seals.kept(f))
}

func (st *stager) unchanged(k directory.Key, kept directory.Fingerprint) bool {
	if st.known == nil {
		return false
	}
	row := st.known.find(k)
	if row == nil || row.seen != kept {
		return false
	}
	if row.listed {
		st.doubled = append(st.doubled, k)
	} else {
		st.read++
	}
	row.listed = true
	return true
}

func (st *stager) unchangedGroup(k directory.Key, kept directory.Fingerprint) bool {
	g := st.seenGroups[k]
	if g == nil || !g.DeletedAt.IsZero() || g.Fingerprint != kept {
		return false
	}
	g.listed = true
	return true
}

// Person implements directory.Sink.
func (st *stager) Person(r directory.Record) error {
	own := r.Fingerprint == (directory.Fingerprint{})
	st.buffer = packRecord(append(st.buffer[:0], make([]byte, recordHead)...), &r)
	if own {
		r.Fingerprint = fingerprintOf(st.buffer)
	}
	kept := st.s.seals.kept(r.Fingerprint)
	k := keyOf(r)
	copy(st.buffer, kept[:])
	if st.known != nil {
		row := st.known.find(k)
		if row != nil {
			row.met = true
		}
		switch {
		case row == nil:
		case row.listed:
			st.doubled = append(st.doubled, k)
		case row.seen == kept && own && !st.compare:
			row.listed = true
			st.read++
			return nil
		case row.seen == kept:
			st.buffer[recordHead-1] = 1
		}
	}
	st.read++
	if st.last != nil {
		st.last[k] = st.people.n
	}
	st.people.add(st.buffer)
	return nil
}

// Group implements directory.Sink.
func (st *stager) Group(g directory.Group) error {
	g.Name, g.SID = clean(g.Name), clean(g.SID)
	seen := st.seenGroups[g.Key]
	own := g.Fingerprint == (directory.Fingerprint{}) && !g.Changed
	where := g.Where
	g.Where = ""
	if own {
		g.Fingerprint = fingerprintOf(packGroup(st.buffer[:0], &g))
	}
	g.Fingerprint, g.Where = st.s.seals.kept(g.Fingerprint), where
	if seen != nil {
		if !st.compare && own && seen.DeletedAt.IsZero() && seen.Fingerprint == g.Fingerprint {
			seen.listed = true
			return nil
		}
		seen.listed = true
	}
	if seen != nil {
		st.goneGroups = slices.DeleteFunc(st.goneGroups, func(id int64) bool { return id == seen.ID })
	}
	st.buffer = packGroup(st.buffer[:0], &g)
	st.groups.add(st.buffer)
	return nil
}

// Gone implements directory.Sink.
func (st *stager) Gone(k directory.Key) error {
	if st.complete {
		return fmt.Errorf("%w: source %q lists everything, and says that somebody is gone", core.ErrInvalid, st.source)
	}
	if g := st.seenGroups[k]; g != nil {
		if g.DeletedAt.IsZero() {
			st.goneGroups = append(st.goneGroups, g.ID)
		}
		return nil
	}
	st.last[k] = -1
	return nil
}

// settle fills a listing of changes with what was said last of each.
func (st *stager) settle(l *listing) error {
	l.read, l.groups, l.groupsGone = len(st.last), st.groups, st.goneGroups
	l.people = st.people
	if err := l.people.keep(func(i int, b []byte) (bool, error) {
		r, err := unpackRecord(b)
		return err == nil && st.last[keyOf(r.Record)] == i, err
	}); err != nil {
		return err
	}
	for k, at := range st.last {
		if at < 0 {
			l.gone = append(l.gone, k)
		}
	}
	slices.SortFunc(l.gone, compareKeys)
	slices.Sort(l.groupsGone)
	l.groupsGone = slices.Compact(l.groupsGone)
	return nil
}

func compareKeys(a, b directory.Key) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// drop leaves out who is not in the scope.
func (l *listing) drop(in *inside) error {
	return l.people.keep(func(_ int, b []byte) (bool, error) {
		r, err := unpackRecord(b)
		return err == nil && in.has(keyOf(r.Record)), err
	})
}
