package dirsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// State is what the store knows that a plan needs.
type State struct {
	// People are the source's users, soft-deleted ones included, and those of other sources that this source once listed.
	People []Person
	// Holders are all names, of anybody, with a fold that a record newly claims.
	Holders map[auth.Folded][]core.NameHolder
	// Inactive are those of the holders who may not sign in.
	Inactive map[core.UserID]core.User
	// Owners are the users known by a SID that a record brings anew.
	Owners map[string][]Person
}

// Person is a user with what hangs on it.
type Person struct {
	User       core.User
	Identities []core.ExternalIdentity // of this source
	Names      []core.LoginName        // in force and ended, of any source
}

// loadState reads what planning records needs.
func loadState(ctx context.Context, tx store.Tx, source core.SourceID, records []wanted) (State, error) {
	state, err := loadPeople(ctx, tx, source)
	if err != nil {
		return State{}, err
	}
	folds, sids := lookups(state, records)
	state.Holders, state.Inactive = make(map[auth.Folded][]core.NameHolder, len(folds)), make(map[core.UserID]core.User)
	hold := func(h core.NameHolder) {
		state.Holders[h.Folded] = append(state.Holders[h.Folded], h)
		if !h.Active {
			state.Inactive[h.UserID] = core.User{}
		}
	}
	if err := tx.HoldersOf(ctx, folds, hold); err != nil {
		return State{}, fmt.Errorf("look up who holds the names: %w", err)
	}
	for id := range state.Inactive {
		if state.Inactive[id], err = tx.User(ctx, id); err != nil {
			return State{}, fmt.Errorf("read user %d: %w", id, err)
		}
	}
	owners := map[string][]core.UserID{}
	if err := tx.OwnersOf(ctx, core.IdentitySID, sids, func(sid string, id core.UserID) { owners[sid] = append(owners[sid], id) }); err != nil {
		return State{}, fmt.Errorf("look up who has the SIDs: %w", err)
	}
	state.Owners = make(map[string][]Person, len(owners))
	for sid, ids := range owners {
		for _, id := range ids {
			owner, err := loadPerson(ctx, tx, source, id)
			if err != nil {
				return State{}, err
			}
			state.Owners[sid] = append(state.Owners[sid], owner)
		}
	}
	return state, nil
}

func loadPeople(ctx context.Context, tx store.Tx, source core.SourceID) (State, error) {
	users, err := tx.ListUsers(ctx, store.UserFilter{Source: &source, IncludeDeleted: true})
	if err != nil {
		return State{}, fmt.Errorf("list the users of the source: %w", err)
	}
	state := State{People: make([]Person, len(users))}
	index := make(map[core.UserID]int, len(users))
	for i, u := range users {
		state.People[i], index[u.ID] = Person{User: u}, i
	}
	if err := tx.SourceNames(ctx, source, func(n core.LoginName) {
		if i, known := index[n.UserID]; known {
			state.People[i].Names = append(state.People[i].Names, n)
		}
	}); err != nil {
		return State{}, fmt.Errorf("list the names of the source's users: %w", err)
	}
	var others []core.UserID // whom another source keeps now
	if err := tx.SourceIdentities(ctx, source, func(e core.ExternalIdentity) {
		if i, known := index[e.UserID]; known {
			state.People[i].Identities = append(state.People[i].Identities, e)
		} else if e.Kind != core.IdentitySID {
			others = append(others, e.UserID)
		}
	}); err != nil {
		return State{}, fmt.Errorf("list the identities of the source: %w", err)
	}
	slices.Sort(others)
	for _, id := range slices.Compact(others) {
		p, err := loadPerson(ctx, tx, source, id)
		if err != nil {
			return State{}, err
		}
		state.People = append(state.People, p)
	}
	return state, nil
}

func loadPerson(ctx context.Context, tx store.Tx, source core.SourceID, id core.UserID) (Person, error) {
	u, err := tx.User(ctx, id)
	if err != nil {
		return Person{}, fmt.Errorf("read user %d: %w", id, err)
	}
	p := Person{User: u}
	if p.Names, err = tx.UserNames(ctx, id); err != nil {
		return Person{}, fmt.Errorf("list the names of user %d: %w", id, err)
	}
	identities, err := tx.UserIdentities(ctx, id)
	if err != nil {
		return Person{}, fmt.Errorf("list the identities of user %d: %w", id, err)
	}
	for _, identity := range identities {
		if identity.Source == source {
			p.Identities = append(p.Identities, identity)
		}
	}
	return p, nil
}
