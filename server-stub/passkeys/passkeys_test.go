package passkeys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/passkeys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

const origin = "https://print.example.org:8444"

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type fixture struct {
	*passkeys.Service
	db   store.Store
	user core.UserID
	key  *authenticator
}

// newFixture has a person with a passkey.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{db: storetest.OpenSQLite(t), key: newAuthenticator(t)}
	f.Service = passkeys.New(f.db, func() time.Time { return now }, "Example University")
	if err := f.db.Update(t.Context(), func(tx store.Tx) (err error) {
		f.user, err = tx.CreateUser(t.Context(), core.User{Username: "olga@example.org", CreatedAt: now})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	p := passkeys.Person{Handle: passkeys.NewHandle(), Username: "olga@example.org", DisplayName: "Olga"}
	f.key.handle = p.Handle[:]
	kept, err := f.register(t, f.key, p)
	if err != nil {
		t.Fatal(err)
	}
	kept.UserID = f.user
	if err := f.db.Update(t.Context(), func(tx store.Tx) error { return tx.CreatePasskey(t.Context(), kept) }); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) register(t *testing.T, a *authenticator, p passkeys.Person) (core.Passkey, error) {
	t.Helper()
	options, state, err := f.BeginRegistration(origin, p)
	if err != nil {
		t.Fatal(err)
	}
	return f.FinishRegistration(origin, state, p, a.create(t, options))
}

func (f *fixture) signIn(t *testing.T) (core.User, error) {
	t.Helper()
	options, state, err := f.BeginLogin(origin)
	if err != nil {
		t.Fatal(err)
	}
	return f.FinishLogin(t.Context(), origin, state, f.key.get(t, options))
}

func TestAPasskeySignsItsPersonIn(t *testing.T) {
	f := newFixture(t)
	for range 2 {
		f.key.counter++
		u, err := f.signIn(t)
		if err != nil || u.ID != f.user {
			t.Fatalf("signed in %+v, %v", u, err)
		}
	}
	if err := f.db.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.UserPasskeys(t.Context(), f.user)
		if len(list) != 1 || !list[0].LastUsedAt.Equal(now) {
			t.Errorf("kept %+v", list)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAPasskeyThatIsNotRightSignsNobodyIn(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, f *fixture){
		"the finger was not asked for":  func(_ *testing.T, f *fixture) { f.key.flags = 1 },
		"nobody touched it":             func(_ *testing.T, f *fixture) { f.key.flags = 4 },
		"another site":                  func(_ *testing.T, f *fixture) { f.key.origin = "https://print.evil.example" },
		"another port":                  func(_ *testing.T, f *fixture) { f.key.origin = "https://print.example.org:9999" },
		"without TLS":                   func(_ *testing.T, f *fixture) { f.key.origin = "http://print.example.org:8444" },
		"another site's passkey":        func(_ *testing.T, f *fixture) { f.key.party = "evil.example" },
		"another person's name for it":  func(_ *testing.T, f *fixture) { f.key.handle = make([]byte, 32) },
		"no name for its person":        func(_ *testing.T, f *fixture) { f.key.handle = nil },
		"an unknown passkey":            func(_ *testing.T, f *fixture) { f.key.id = make([]byte, 16) },
		"a copy whose counter is older": func(_ *testing.T, f *fixture) { f.key.counter = 1 },
		"another key": func(t *testing.T, f *fixture) {
			t.Helper()
			var err error
			if f.key.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.key.counter = 5
			if _, err := f.signIn(t); err != nil {
				t.Fatal(err)
			}
			f.key.counter = 6
			change(t, f)
			if u, err := f.signIn(t); !errors.Is(err, core.ErrWrongCredentials) {
				t.Errorf("signed in %+v, %v", u, err)
			}
		})
	}
}

func TestAnAnswerIsGoodForItsQuestionOnly(t *testing.T) {
	f := newFixture(t)
	options, _, err := f.BeginLogin(origin)
	if err != nil {
		t.Fatal(err)
	}
	_, another, err := f.BeginLogin(origin)
	if err != nil {
		t.Fatal(err)
	}
	f.key.counter++
	answer := f.key.get(t, options)
	if _, err := f.FinishLogin(t.Context(), origin, another, answer); !errors.Is(err, core.ErrWrongCredentials) {
		t.Errorf("the answer to another question: %v", err)
	}
	if _, err := f.FinishLogin(t.Context(), origin, another, []byte("{}")); !errors.Is(err, core.ErrWrongCredentials) {
		t.Errorf("no answer: %v", err)
	}
	if _, err := f.FinishLogin(t.Context(), "https://evil.example", another, answer); !errors.Is(err, core.ErrWrongCredentials) {
		t.Errorf("at another address: %v", err)
	}
}

func TestADisabledPersonIsKnownAndRefused(t *testing.T) {
	f := newFixture(t)
	if err := f.db.Update(t.Context(), func(tx store.Tx) error {
		u, err := tx.User(t.Context(), f.user)
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(t.Context(), u)
	}); err != nil {
		t.Fatal(err)
	}
	f.key.counter++
	if _, err := f.signIn(t); !errors.Is(err, core.ErrDisabled) {
		t.Errorf("%v", err)
	}
}

func TestOnlyPasskeysThatVerifyTheirPersonAreMade(t *testing.T) {
	f := newFixture(t)
	p := passkeys.Person{Handle: passkeys.NewHandle(), Username: "sam"}
	for name, change := range map[string]func(a *authenticator){
		"the finger was not asked for": func(a *authenticator) { a.flags = 1 },
		"another site":                 func(a *authenticator) { a.origin = "https://evil.example" },
		"for another site":             func(a *authenticator) { a.party = "evil.example" },
	} {
		a := newAuthenticator(t)
		change(a)
		if _, err := f.register(t, a, p); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	options, state, err := f.BeginRegistration(origin, p)
	if err != nil {
		t.Fatal(err)
	}
	_ = options
	if _, err := f.FinishRegistration(origin, state, p, []byte(`{"id":1}`)); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("no passkey: %v", err)
	}
}

// Browsers keep passkeys for names, so there are none at a bare address.
func TestWherePasskeysAre(t *testing.T) {
	f := newFixture(t)
	for at, want := range map[string]error{
		"https://localhost:8444": nil, "https://print.example.org": nil, "https://127.0.0.1:8444": core.ErrInvalid, "https://[::1]:8444": core.ErrInvalid,
		"http://print.example.org": core.ErrInvalid, "": core.ErrInvalid, "print.example.org": core.ErrInvalid,
	} {
		if _, _, err := f.BeginLogin(at); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", at, err, want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA","authenticatorData":"AA","signature":"AA"}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		s := passkeys.New(nowhere{}, func() time.Time { return now }, "x")
		_, state, err := s.BeginLogin(origin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.FinishLogin(t.Context(), origin, state, answer); err == nil {
			t.Error("signed in")
		}
		p := passkeys.Person{Handle: passkeys.NewHandle(), Username: "sam"}
		_, state, err = s.BeginRegistration(origin, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.FinishRegistration(origin, state, p, answer); err == nil {
			t.Error("made")
		}
	})
}

// nowhere is a store that has nobody.
type nowhere struct{ store.Store }

func (nowhere) View(context.Context, func(store.Tx) error) error { return core.ErrNotFound }
