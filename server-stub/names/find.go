package names

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

// Reader is what Find reads; every store.Tx is one.
type Reader interface {
	Holders(ctx context.Context, folded auth.Folded) ([]core.NameHolder, error)
	UserNames(ctx context.Context, id core.UserID) ([]core.LoginName, error)
	User(ctx context.Context, id core.UserID) (core.User, error)
	OwnersByID(ctx context.Context, kind core.IdentityKind, immutableID string) ([]core.UserID, error)
	UserIdentities(ctx context.Context, id core.UserID) ([]core.ExternalIdentity, error)
}

// Find reads what Resolve needs and resolves. Errors are the reader's only: a name that leads to nobody is an Answer.
func Find(ctx context.Context, tx Reader, q Query, r Rules, now time.Time) (Answer, error) {
	asked := Ask(q, r)
	known, err := read(ctx, tx, asked)
	if err != nil {
		return Answer{}, fmt.Errorf("look up a name: %w", err)
	}
	return asked.Resolve(known, now), nil
}

func read(ctx context.Context, tx Reader, asked Asked) (Known, error) {
	var known Known
	ids := asked.IDs()
	for _, id := range ids {
		owners, err := tx.OwnersByID(ctx, id.Kind, id.Value)
		if err != nil {
			return Known{}, err
		}
		for _, owner := range owners {
			user, err := tx.User(ctx, owner)
			if err != nil {
				return Known{}, err
			}
			known.Owners = append(known.Owners, Owner{owner, user.Active()})
		}
	}
	for _, folded := range asked.Folds() {
		holders, err := tx.Holders(ctx, folded)
		if err != nil {
			return Known{}, err
		}
		known.Holders = append(known.Holders, holders...)
	}
	return known, known.readPeople(ctx, tx, len(ids) > 0)
}

// readPeople adds the other short names and UPNs of the holders, and their ids where ids were asked for.
func (k *Known) readPeople(ctx context.Context, tx Reader, withIDs bool) error {
	people := map[core.UserID]core.NameHolder{}
	have := map[int64]bool{}
	for _, h := range k.Holders {
		people[h.UserID] = h
		have[h.ID] = true
	}
	for id, holder := range people {
		all, err := tx.UserNames(ctx, id)
		if err != nil {
			return err
		}
		for _, n := range all {
			if (n.Kind == core.NameSAM || n.Kind == core.NameUPN) && !have[n.ID] {
				k.Holders = append(k.Holders, core.NameHolder{LoginName: n, Active: holder.Active, UserSource: holder.UserSource})
			}
		}
		if !withIDs {
			continue
		}
		identities, err := tx.UserIdentities(ctx, id)
		if err != nil {
			return err
		}
		k.Identities = append(k.Identities, identities...)
	}
	return nil
}
