package credentials_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

const source core.SourceID = "google"

var allKinds = []core.CredentialKind{core.CredentialCard, core.CredentialCode, core.CredentialPIN}

// site is a database with a Service on it, and what people were told.
type site struct {
	*credentials.Service
	t     *testing.T
	store store.Store
	keys  *keys.Keys
	now   time.Time
	told  []dirsync.Notice
}

// cheap is a cost of hashes for tests.
var cheap = passhash.Params{Time: 1, MemoryKiB: 64, Parallelism: 1}

func newSite(t *testing.T, change func(*credentials.Policy)) *site {
	t.Helper()
	return onStore(t, storetest.OpenSQLite(t), change)
}

func onStore(t *testing.T, st store.Store, change func(*credentials.Policy)) *site {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	k, err := keys.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, store: st, keys: k, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	s.with(change)
	return s
}

// with makes the Service anew with another policy.
func (s *site) with(change func(*credentials.Policy)) {
	s.t.Helper()
	policy := credentials.DefaultPolicy()
	if change != nil {
		change(&policy)
	}
	if err := policy.Check(); err != nil {
		s.t.Fatal(err)
	}
	s.Service = credentials.New(credentials.Deps{
		Store: s.store, Clock: func() time.Time { return s.now }, Keys: s.keys, Policy: policy, Hasher: passhash.New(cheap),
		Notify: func(_ context.Context, _ store.Tx, n dirsync.Notice) error {
			s.told = append(s.told, n)
			return nil
		},
		Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
	})
}

// user makes a person.
func (s *site) user(name string) core.User {
	s.t.Helper()
	u := core.User{Username: name, CreatedAt: s.now, UpdatedAt: s.now}
	s.update(func(tx store.Tx) (err error) {
		u.ID, err = tx.CreateUser(s.t.Context(), u)
		return err
	})
	return u
}

func (s *site) update(fn func(store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// record is what the directory has of a person.
func record(key, code string, cards ...string) directory.Record {
	r := directory.Record{
		Key: key, KeyKind: core.IdentityGoogleID, Username: key, DisplayName: "Name of " + key, Email: key + "@example.org", Credentials: allKinds,
		AccessCode: secret.New(code),
	}
	for _, c := range cards {
		r.Cards = append(r.Cards, secret.New(c))
	}
	return r
}

// synced is what a run did.
type synced struct {
	plans   []dirsync.CredentialPlan
	users   []core.User
	undo    [][]byte
	notices []dirsync.Notice
}

// sync does what dirsync does with a chunk of records: plan, make who is new, apply.
func (s *site) sync(items ...dirsync.CredentialItem) synced {
	s.t.Helper()
	var out synced
	s.update(func(tx store.Tx) error {
		out = synced{}
		run := s.Begin(source)
		plans, err := run.Plan(s.t.Context(), tx, items)
		if err != nil {
			return err
		}
		for i, item := range items {
			u := item.User
			if u.ID == 0 {
				u = core.User{Username: item.Record.Username, Email: item.Record.Email, Source: source, CreatedAt: s.now}
				if u.ID, err = tx.CreateUser(s.t.Context(), u); err != nil {
					return err
				}
			}
			undo, notices, err := run.Apply(s.t.Context(), tx, s.now, u, plans[i])
			if err != nil {
				return err
			}
			out.users, out.undo, out.notices = append(out.users, u), append(out.undo, undo), append(out.notices, notices...)
		}
		out.plans = plans
		return nil
	})
	return out
}

// syncOne is sync of one person.
func (s *site) syncOne(u core.User, r directory.Record) synced {
	s.t.Helper()
	return s.sync(dirsync.CredentialItem{User: u, Record: r})
}

// owner tells whose card or code a value is, as "name", "name+PIN", "disabled" or "nobody".
func (s *site) owner(kind core.CredentialKind, value string) string {
	s.t.Helper()
	find := s.FindCode
	if kind == core.CredentialCard {
		find = s.FindCard
	}
	f, err := find(s.t.Context(), secret.New(value))
	switch {
	case errors.Is(err, core.ErrNotFound):
		return "nobody"
	case errors.Is(err, core.ErrDisabled):
		return "disabled"
	case err != nil:
		s.t.Fatal(err)
	case f.NeedsPIN:
		return f.User.Username + "+PIN"
	}
	return f.User.Username
}

func (s *site) wantOwner(kind core.CredentialKind, value, want string) {
	s.t.Helper()
	if got := s.owner(kind, value); got != want {
		s.t.Errorf("the %s is that of %s, want %s", kind, got, want)
	}
}

// inForce describes a person's credentials: "card generated 34".
func (s *site) inForce(u core.User) (list []string) {
	s.t.Helper()
	have, err := s.List(s.t.Context(), u.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range have {
		list = append(list, fmt.Sprint(c.Kind, " ", c.Origin, " ", c.Hint))
	}
	return list
}
