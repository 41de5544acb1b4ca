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
	keys, claims, sids, onPremises *counter // how many records bring each
	called                         *counter // likewise UPNs, usernames and e-mail addresses together

	same     []core.UserID            // people of the source who are in the listing: as they were seen last, sorted
	present  []core.UserID            // and new or changed, sorted
	leaving  map[core.UserID]struct{} // who leaves, where not everything was listed
	complete bool
	doubles  map[core.SourceID]int // people whom another source lists under the same key

	tied map[core.UserID]directory.Key // whom records were tied to so far, which the source did not have
}

// counter counts texts by their digests: first all are added, then it is asked.
type counter struct {
	seed    maphash.Seed
	digests []uint64
}

func newCounter() *counter { return &counter{seed: maphash.MakeSeed()} }

func (c *counter) add(texts ...string) { c.digests = append(c.digests, digest(c.seed, texts...)) }

func (c *counter) ready() { slices.Sort(c.digests) }

// times tells how often the text was added.
func (c *counter) times(text string) (n int) {
	d := digest(c.seed, text)
	for i, _ := slices.BinarySearch(c.digests, d); i < len(c.digests) && c.digests[i] == d; i++ {
		n++
	}
	return n
}

// any tells whether the text was added, many whether it was more than once.
func (c *counter) any(texts ...string) bool { return c.atLeast(1, texts) }

func (c *counter) many(texts ...string) bool { return c.atLeast(2, texts) }

func (c *counter) atLeast(times int, texts []string) bool {
	d := digest(c.seed, texts...)
	i, found := slices.BinarySearch(c.digests, d)
	return found && i+times-1 < len(c.digests) && c.digests[i+times-1] == d
}

// listed tells whether the user is in the listing.
func (f *facts) listed(id core.UserID) bool {
	_, same := slices.BinarySearch(f.same, id)
	if same {
		return true
	}
	_, present := slices.BinarySearch(f.present, id)
	return present
}

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
		keys: newCounter(), claims: newCounter(), sids: newCounter(), onPremises: newCounter(), called: newCounter(), same: l.same,
		leaving: map[core.UserID]struct{}{}, complete: l.complete, doubles: map[core.SourceID]int{}, tied: map[core.UserID]directory.Key{},
	}
	for _, k := range l.doubled {
		f.keys.add(string(k.Kind), k.ID) // met unchanged too
	}
	owners := newOwners(tx, l.source, func(_ directory.Key, id core.UserID) { f.present = append(f.present, id) })
	err := l.people.records(func(_ int, r staged) error {
		f.keys.add(string(r.KeyKind), r.Key)
		if r.SID != "" {
			f.sids.add(clean(r.SID))
		}
		if r.OnPremises != "" {
			f.onPremises.add(r.OnPremises)
		}
		folds := strongFolds(r.Record)
		for _, folded := range folds {
			f.claims.add(string(folded))
			f.called.add(string(folded))
		}
		if folded, err := canon(clean(r.Email)); err == nil && !slices.Contains(folds, folded) {
			f.called.add(string(folded))
		}
		return owners.ask(ctx, keyOf(r.Record))
	})
	if err == nil {
		err = owners.flush(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("look through what source %q lists: %w", l.source, err)
	}
	slices.Sort(f.present)
	for _, c := range []*counter{f.keys, f.claims, f.sids, f.onPremises, f.called} {
		c.ready()
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
