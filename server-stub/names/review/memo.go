package review

import (
	"context"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

// memo remembers what was read: the same few names are asked about again and again for one person.
type memo struct {
	names.Reader

	holders map[auth.Folded][]core.NameHolder
	names   map[core.UserID][]core.LoginName
	users   map[core.UserID]core.User
}

func newMemo(tx names.Reader) *memo {
	return &memo{
		Reader: tx, holders: map[auth.Folded][]core.NameHolder{}, names: map[core.UserID][]core.LoginName{}, users: map[core.UserID]core.User{},
	}
}

func remembered[K comparable, V any](known map[K]V, key K, read func() (V, error)) (V, error) {
	if v, ok := known[key]; ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		known[key] = v
	}
	return v, err
}

// Holders implements names.Reader.
func (m *memo) Holders(ctx context.Context, folded auth.Folded) ([]core.NameHolder, error) {
	return remembered(m.holders, folded, func() ([]core.NameHolder, error) { return m.Reader.Holders(ctx, folded) })
}

// UserNames implements names.Reader.
func (m *memo) UserNames(ctx context.Context, id core.UserID) ([]core.LoginName, error) {
	return remembered(m.names, id, func() ([]core.LoginName, error) { return m.Reader.UserNames(ctx, id) })
}

// User implements names.Reader.
func (m *memo) User(ctx context.Context, id core.UserID) (core.User, error) {
	return remembered(m.users, id, func() (core.User, error) { return m.Reader.User(ctx, id) })
}

// then is the world after the switch: everybody's target is a username. What they go by today stays as an alias, which finds
// them as before. A UPN is a username for the resolution already, so only e-mail addresses change their kind.
type then struct {
	*memo

	to Target
}

// Holders implements names.Reader.
func (t then) Holders(ctx context.Context, folded auth.Folded) ([]core.NameHolder, error) {
	list, err := t.memo.Holders(ctx, folded)
	if err != nil || t.to != ToMail {
		return list, err
	}
	out := list[:len(list):len(list)]
	for _, h := range list {
		is, err := t.isTarget(ctx, h.LoginName)
		if err != nil {
			return nil, err
		}
		if is {
			h.ID, h.Kind = -h.ID, core.NameUPN
			out = append(out, h)
		}
	}
	return out, nil
}

// UserNames implements names.Reader.
func (t then) UserNames(ctx context.Context, id core.UserID) ([]core.LoginName, error) {
	list, err := t.memo.UserNames(ctx, id)
	if err != nil || t.to != ToMail {
		return list, err
	}
	out := list[:len(list):len(list)]
	for _, n := range list {
		is, err := t.isTarget(ctx, n)
		if err != nil {
			return nil, err
		}
		if is {
			n.ID, n.Kind = -n.ID, core.NameUPN
			out = append(out, n)
		}
	}
	return out, nil
}

// isTarget tells whether the name is an e-mail address that becomes its holder's username.
func (t then) isTarget(ctx context.Context, n core.LoginName) (bool, error) {
	if n.Kind != core.NameEmail || !n.ValidTo.IsZero() {
		return false, nil
	}
	u, err := t.User(ctx, n.UserID)
	return err == nil && u.DeletedAt.IsZero() && auth.Same(u.Email, n.Name), err
}
