package dirsync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// chunkSize is how many people are planned and written at once: large enough for the store to be asked in bulk, small enough to
// be a few megabytes.
const chunkSize = 2000

// loadState reads what planning the records of a chunk needs.
func loadState(ctx context.Context, tx store.Tx, source core.SourceID, chunk []wanted) (state, error) {
	l := loader{ctx: ctx, tx: tx, source: source, chunk: chunk}
	l.state = state{
		owners: make([]core.UserID, len(chunk)), links: make([][]link, len(chunk)), people: map[core.UserID]*Person{},
		holders: map[auth.Folded][]core.NameHolder{}, inactive: map[core.UserID]core.User{}, sids: map[string][]core.UserID{},
		locals: map[string][]core.UserID{}, roles: map[core.UserID]core.Role{},
	}
	for _, step := range []func() error{l.owners, l.sids, l.locals, l.links, l.loadPeople, l.holders, l.candidates} {
		if err := step(); err != nil {
			return state{}, fmt.Errorf("read what is known of the people of source %q: %w", source, err)
		}
	}
	return l.state, nil
}

// loader fills a state, step by step.
type loader struct {
	ctx    context.Context
	tx     store.Tx
	source core.SourceID
	chunk  []wanted
	state  state
}

// owners finds whom this source knows.
func (l *loader) owners() error {
	at := make(map[directory.Key][]int, len(l.chunk))
	ask := newOwners(l.tx, l.source, func(k directory.Key, id core.UserID) {
		for _, i := range at[k] {
			l.state.owners[i] = id
			l.state.people[id] = nil
		}
	})
	for i, w := range l.chunk {
		k := keyOf(w.rec)
		at[k] = append(at[k], i)
		if err := ask.ask(l.ctx, k); err != nil {
			return err
		}
	}
	return ask.flush(l.ctx)
}

// sids finds whom any source knows by the records' SIDs.
func (l *loader) sids() error {
	var sids []string
	for _, w := range l.chunk {
		if w.rec.SID != "" {
			sids = append(sids, w.rec.SID)
		}
	}
	slices.Sort(sids)
	return l.tx.OwnersOf(l.ctx, core.IdentitySID, slices.Compact(sids), func(sid string, id core.UserID) {
		l.state.sids[sid] = append(l.state.sids[sid], id)
	})
}

// locals finds whom any source knows by the ids that the records have in the local directory.
func (l *loader) locals() error {
	var ids []string
	for _, w := range l.chunk {
		if w.rec.OnPremises != "" {
			ids = append(ids, w.rec.OnPremises)
		}
	}
	slices.Sort(ids)
	return l.tx.OwnersOf(l.ctx, core.IdentityObjectGUID, slices.Compact(ids), func(guid string, id core.UserID) {
		l.state.locals[guid] = append(l.state.locals[guid], id)
	})
}

// global are the kinds of ids that no two directories give to different people.
func global(kind core.IdentityKind) bool {
	switch kind {
	case core.IdentityObjectGUID, core.IdentityEntryUUID, core.IdentityEntraOID, core.IdentityGoogleID:
		return true
	case core.IdentitySID, core.IdentitySCIMID, core.IdentityCSVKey:
	}
	return false
}

// links finds, for records that this source never had, who has one of their ids: the key, the id in the local directory, the SID.
func (l *loader) links() error {
	wantedIDs := map[core.IdentityKind][]string{}
	for i, w := range l.chunk {
		if l.state.owners[i] != 0 {
			continue
		}
		for _, k := range linkKeys(w.rec) {
			if k != (directory.Key{}) {
				wantedIDs[k.Kind] = append(wantedIDs[k.Kind], k.ID)
			}
		}
	}
	found := map[directory.Key][]core.UserID{}
	for kind, ids := range wantedIDs {
		slices.Sort(ids)
		if err := l.tx.OwnersOf(l.ctx, kind, slices.Compact(ids), func(id string, owner core.UserID) {
			k := directory.Key{Kind: kind, ID: id}
			found[k] = append(found[k], owner)
		}); err != nil {
			return err
		}
	}
	listed, err := l.listedElsewhere(found)
	if err != nil {
		return err
	}
	for i, w := range l.chunk {
		if l.state.owners[i] != 0 {
			continue
		}
		for n, k := range linkKeys(w.rec) {
			for _, id := range found[k] {
				l.state.links[i] = append(l.state.links[i], link{user: id, how: string(k.Kind), listed: n == 0 && listed[k]})
				l.state.people[id] = nil
			}
		}
		for _, id := range l.state.sids[w.rec.SID] {
			l.state.links[i] = append(l.state.links[i], link{user: id, how: "SID"})
			l.state.people[id] = nil
		}
	}
	return nil
}

// linkKeys are the ids of a record by which other sources may know the person, its key first (zero for one of its source only).
func linkKeys(r directory.Record) (keys []directory.Key) {
	if global(r.KeyKind) {
		keys = append(keys, keyOf(r))
	} else {
		keys = append(keys, directory.Key{})
	}
	if r.OnPremises != "" {
		keys = append(keys, directory.Key{Kind: core.IdentityObjectGUID, ID: r.OnPremises})
	}
	return keys
}

// listedElsewhere tells which of the ids are the keys by which another source lists its people, not ids that it only mentions.
func (l *loader) listedElsewhere(found map[directory.Key][]core.UserID) (map[directory.Key]bool, error) {
	var ids []core.UserID
	for _, owners := range found {
		ids = append(ids, owners...)
	}
	slices.Sort(ids)
	listed := map[directory.Key]bool{}
	err := l.tx.EntriesOf(l.ctx, slices.Compact(ids), func(e store.DirectoryEntry) {
		if e.Source != l.source {
			listed[directory.Key(e.Key)] = true
		}
	})
	return listed, err
}

// loadPeople reads everybody met so far, with what hangs on them.
func (l *loader) loadPeople() error { return l.load(slices.Sorted(maps.Keys(l.state.people))) }

func (l *loader) load(ids []core.UserID) error {
	if len(ids) == 0 {
		return nil
	}
	if err := l.tx.UsersOf(l.ctx, ids, func(u core.User) { l.state.people[u.ID] = &Person{User: u} }); err != nil {
		return err
	}
	for i, id := range l.state.owners {
		if id != 0 && l.state.people[id] == nil {
			l.state.owners[i] = 0 // erased
		}
	}
	if err := l.tx.NamesOf(l.ctx, ids, func(n core.LoginName) {
		if p := l.state.people[n.UserID]; p != nil {
			p.Names = append(p.Names, n)
		}
	}); err != nil {
		return err
	}
	return l.tx.IdentitiesOf(l.ctx, ids, func(e core.ExternalIdentity) {
		if p := l.state.people[e.UserID]; p != nil {
			p.Identities = append(p.Identities, e)
		}
	})
}

// holders finds who holds the names that records newly claim, and by which somebody may be found.
func (l *loader) holders() error {
	seen := map[auth.Folded]bool{}
	var folds []auth.Folded
	for i := range l.chunk {
		w := &l.chunk[i]
		person := l.state.person(i)
		for _, n := range w.names {
			asked := (strong(n.Kind) || n.Kind == core.NameAlias) && !holds(person, n) || n.Kind == core.NameEmail && person == nil
			if asked && !seen[n.Folded] {
				seen[n.Folded] = true
				folds = append(folds, n.Folded)
			}
		}
	}
	away := map[core.UserID]bool{}
	if err := l.tx.HoldersOf(l.ctx, folds, func(h core.NameHolder) {
		l.state.holders[h.Folded] = append(l.state.holders[h.Folded], h)
		if !h.Active {
			away[h.UserID] = true
		}
	}); err != nil {
		return err
	}
	return l.tx.UsersOf(l.ctx, slices.Sorted(maps.Keys(away)), func(u core.User) { l.state.inactive[u.ID] = u })
}

// candidates reads the people who may be those of records that this source never had.
func (l *loader) candidates() error {
	ids := map[core.UserID]bool{}
	for i := range l.chunk {
		if l.state.owners[i] != 0 || len(l.state.links[i]) > 0 {
			continue
		}
		for _, c := range l.chunk[i].byNames() {
			for _, h := range l.state.holders[c.folded] {
				if _, known := l.state.people[h.UserID]; !known && h.ValidTo.IsZero() && h.UserSource != l.source && h.UserSource != core.LocalSource {
					ids[h.UserID] = true
				}
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	grants, err := l.tx.RoleGrants(l.ctx)
	if err != nil {
		return err
	}
	for _, g := range grants {
		l.state.roles[g.UserID] = g.Role
	}
	return l.load(slices.Sorted(maps.Keys(ids)))
}
