package dirsync

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// facts are what planning one record must know of all the others. They are gathered before anything is written, so that a plan
// on a snapshot and the run that applies it come to the same.
type facts struct {
	keys, claims, sids, onPremises counter // how many records bring each

	present  map[core.UserID]struct{} // people of the source who are in the listing
	leaving  map[core.UserID]struct{} // who leaves, where not everything was listed
	complete bool
	doubles  map[core.SourceID]int // people whom another source lists under the same key
}

// counter counts texts by their digests.
type counter struct {
	seed  maphash.Seed
	times map[uint64]uint8
}

func newCounter() counter { return counter{maphash.MakeSeed(), map[uint64]uint8{}} }

func (c counter) add(texts ...string) {
	d := digest(c.seed, texts...)
	c.times[d] = min(c.times[d], 1) + 1
}

func (c counter) any(texts ...string) bool  { return c.times[digest(c.seed, texts...)] > 0 }
func (c counter) many(texts ...string) bool { return c.times[digest(c.seed, texts...)] > 1 }

// listed tells whether the user is in the listing.
func (f *facts) listed(id core.UserID) bool { _, ok := f.present[id]; return ok }

// leaves tells whether a user of the source leaves in this run.
func (f *facts) leaves(id core.UserID) bool {
	if f.complete {
		return !f.listed(id)
	}
	_, ok := f.leaving[id]
	return ok
}

func (f *facts) doubled(source core.SourceID) { f.doubles[source]++ }

// survey gathers the facts of a listing.
func survey(ctx context.Context, tx store.Tx, l *listing) (*facts, error) {
	f := &facts{
		keys: newCounter(), claims: newCounter(), sids: newCounter(), onPremises: newCounter(), present: map[core.UserID]struct{}{},
		leaving: map[core.UserID]struct{}{}, complete: l.complete, doubles: map[core.SourceID]int{},
	}
	for _, id := range l.same {
		f.present[id] = struct{}{}
	}
	for _, k := range l.doubled {
		f.keys.add(string(k.Kind), k.ID) // met unchanged too
	}
	owners := newOwners(tx, l.source, func(_ directory.Key, id core.UserID) { f.present[id] = struct{}{} })
	err := l.people.records(func(_ int, r staged) error {
		f.keys.add(string(r.KeyKind), r.Key)
		if r.SID != "" {
			f.sids.add(clean(r.SID))
		}
		if r.OnPremises != "" {
			f.onPremises.add(r.OnPremises)
		}
		for _, folded := range strongFolds(r.Record) {
			f.claims.add(string(folded))
		}
		return owners.ask(ctx, keyOf(r.Record))
	})
	if err == nil {
		err = owners.flush(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("look through what source %q lists: %w", l.source, err)
	}
	for _, id := range l.out {
		f.leaving[id] = struct{}{}
	}
	return f, nil
}

// owners asks whom a source knows by keys, many at once.
type owners struct {
	tx     store.Tx
	source core.SourceID
	yield  func(directory.Key, core.UserID)
	wanted map[core.IdentityKind][]string
	n      int
}

func newOwners(tx store.Tx, source core.SourceID, yield func(directory.Key, core.UserID)) *owners {
	return &owners{tx: tx, source: source, yield: yield, wanted: map[core.IdentityKind][]string{}}
}

func (o *owners) ask(ctx context.Context, k directory.Key) error {
	o.wanted[k.Kind] = append(o.wanted[k.Kind], k.ID)
	if o.n++; o.n < chunkSize {
		return nil
	}
	return o.flush(ctx)
}

func (o *owners) flush(ctx context.Context) error {
	for kind, ids := range o.wanted {
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		if err := o.tx.SourceOwners(ctx, o.source, kind, slices.Compact(ids), func(id string, owner core.UserID) {
			o.yield(directory.Key{Kind: kind, ID: id}, owner)
		}); err != nil {
			return err
		}
		o.wanted[kind] = ids[:0]
	}
	o.n = 0
	return nil
}
