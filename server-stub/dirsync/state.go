package dirsync

import (
	"context"
	"fmt"

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

// keyKinds are the kinds of identity that can be a record's Key.
func keyKinds() []core.IdentityKind {
	return []core.IdentityKind{
		core.IdentityObjectGUID, core.IdentityEntryUUID, core.IdentityEntraOID, core.IdentityGoogleID, core.IdentitySCIMID, core.IdentityCSVKey,
	}
}

// loadState reads what planning records needs.
func loadState(ctx context.Context, tx store.Tx, source core.SourceID, records []wanted) (State, error) {
	state, err := loadPeople(ctx, tx, source)
	if err != nil {
		return State{}, err
	}
	folds, sids := lookups(state, records)
	state.Holders, state.Inactive = make(map[auth.Folded][]core.NameHolder, len(folds)), make(map[core.UserID]core.User)
	for _, folded := range folds {
		holders, err := tx.Holders(ctx, folded)
		if err != nil {
			return State{}, fmt.Errorf("look up who holds a name: %w", err)
		}
		if len(holders) > 0 {
			state.Holders[folded] = holders
		}
		for _, h := range holders {
			if h.Active {
				continue
			}
			if state.Inactive[h.UserID], err = tx.User(ctx, h.UserID); err != nil {
				return State{}, fmt.Errorf("read user %d: %w", h.UserID, err)
			}
		}
	}
	state.Owners = make(map[string][]Person)
	for _, sid := range sids {
		ids, err := tx.OwnersByID(ctx, core.IdentitySID, sid)
		if err != nil {
			return State{}, fmt.Errorf("look up who has a SID: %w", err)
		}
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
	state := State{People: make([]Person, 0, len(users))}
	index := make(map[core.UserID]int, len(users))
	for _, u := range users {
		names, err := tx.UserNames(ctx, u.ID)
		if err != nil {
			return State{}, fmt.Errorf("list the names of user %d: %w", u.ID, err)
		}
		p := Person{User: u, Names: names}
		index[u.ID] = len(state.People)
		state.People = append(state.People, p)
	}
	for _, kind := range append(keyKinds(), core.IdentitySID) {
		identities, err := tx.SourceIdentities(ctx, source, kind)
		if err != nil {
			return State{}, fmt.Errorf("list the identities of the source: %w", err)
		}
		for _, identity := range identities {
			i, known := index[identity.UserID]
			if known {
				state.People[i].Identities = append(state.People[i].Identities, identity)
				continue
			}
			if kind == core.IdentitySID {
				continue
			}
			// Another source keeps this person now.
			p, err := loadPerson(ctx, tx, source, identity.UserID)
			if err != nil {
				return State{}, err
			}
			index[identity.UserID] = len(state.People)
			state.People = append(state.People, p)
		}
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
