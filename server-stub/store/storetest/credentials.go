package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// lookupOf is a lookup of its own for each text.
func lookupOf(text string) (l [32]byte) {
	copy(l[:], "lookup of "+text)
	return l
}

// newCredential makes a card or a code and returns it with its id.
func newCredential(t *testing.T, s store.Store, u core.User, kind core.CredentialKind, value string) core.Credential {
	t.Helper()
	c := core.Credential{
		UserID: u.ID, Kind: kind, Origin: core.OriginSource, Source: "corp", Lookup: lookupOf(value), Sealed: []byte("sealed " + value), Hint: "34",
		Weak: "short", WithPIN: true, Place: 2, CreatedAt: day,
	}
	update(t, s, func(tx store.Tx) (err error) {
		c.ID, err = tx.CreateCredential(t.Context(), c)
		return err
	})
	return c
}

// credentialsOf reads a person's.
func credentialsOf(t *testing.T, s store.Store, u core.User) (list []core.Credential) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		list, err = tx.UserCredentials(t.Context(), u.ID)
		return err
	})
	return list
}

var credentialTests = []test{
	{"a credential comes back as it was stored", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		want := []core.Credential{newCredential(t, s, u, core.CredentialCard, "1"), {UserID: u.ID, Kind: core.CredentialPIN, Origin: core.OriginAdmin, PHC: "$argon2id$", CreatedAt: day}}
		update(t, s, func(tx store.Tx) (err error) {
			want[1].ID, err = tx.CreateCredential(t.Context(), want[1])
			return err
		})
		if diff := cmp.Diff(want, credentialsOf(t, s, u)); diff != "" {
			t.Errorf("UserCredentials (-want +got):\n%s", diff)
		}
		want[0].Sealed, want[0].PHC, want[0].Weak, want[0].WithPIN, want[0].Place = nil, "x", "", false, 0
		update(t, s, func(tx store.Tx) error { return tx.UpdateCredential(t.Context(), want[0]) })
		if diff := cmp.Diff(want, credentialsOf(t, s, u)); diff != "" {
			t.Errorf("UserCredentials after a change (-want +got):\n%s", diff)
		}
	}},
	{"a value is in force once, and free when it ended", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		first := newCredential(t, s, alex, core.CredentialCard, "1")
		newCredential(t, s, bea, core.CredentialCode, "1") // another kind is another value
		again := first
		again.UserID = bea.ID
		update(t, s, func(tx store.Tx) error {
			if _, err := tx.CreateCredential(t.Context(), again); !errors.Is(err, core.ErrConflict) {
				t.Errorf("CreateCredential of a value in force: %v, want ErrConflict", err)
			}
			// The transaction goes on.
			if err := tx.EndCredentials(t.Context(), day.Add(time.Hour), "replaced", first.ID, 99); err != nil {
				return err
			}
			_, err := tx.CreateCredential(t.Context(), again)
			return err
		})
		first.EndedAt, first.EndedWhy = day.Add(time.Hour), "replaced"
		if diff := cmp.Diff([]core.Credential{first}, credentialsOf(t, s, alex)); diff != "" {
			t.Errorf("the ended one (-want +got):\n%s", diff)
		}
		view(t, s, func(tx store.Tx) error {
			got, err := tx.FindCredential(t.Context(), core.CredentialCard, first.Lookup)
			if err == nil && got.UserID != bea.ID {
				t.Errorf("the card is user %d's, want %d", got.UserID, bea.ID)
			}
			if _, err := tx.FindCredential(t.Context(), core.CredentialPIN, first.Lookup); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("FindCredential of another kind: %v, want ErrNotFound", err)
			}
			return err
		})
		update(t, s, func(tx store.Tx) error {
			if err := tx.ReviveCredential(t.Context(), first.ID); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("ReviveCredential of a value in force elsewhere: %v, want ErrNotFound", err)
			}
			return nil
		})
	}},
	{"an ended one is put in force again", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		want := newCredential(t, s, u, core.CredentialCode, "1")
		update(t, s, func(tx store.Tx) error { return tx.EndCredentials(t.Context(), day, "gone", want.ID) })
		update(t, s, func(tx store.Tx) error { return tx.ReviveCredential(t.Context(), want.ID) })
		if diff := cmp.Diff([]core.Credential{want}, credentialsOf(t, s, u)); diff != "" {
			t.Errorf("revived (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			if err := tx.ReviveCredential(t.Context(), want.ID); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("ReviveCredential of one in force: %v, want ErrNotFound", err)
			}
			return nil
		})
	}},
	{"many are read at once", func(t *testing.T, s store.Store) {
		alex, bea, carl := newUser(t, s, "alex"), newUser(t, s, "bea"), newUser(t, s, "carl")
		a1, b1 := newCredential(t, s, alex, core.CredentialCard, "1"), newCredential(t, s, bea, core.CredentialCard, "2")
		gone := newCredential(t, s, alex, core.CredentialCard, "3")
		newCredential(t, s, carl, core.CredentialCard, "4")
		update(t, s, func(tx store.Tx) error { return tx.EndCredentials(t.Context(), day, "", gone.ID) })
		view(t, s, func(tx store.Tx) error {
			var got, known []int64
			err := tx.CredentialsOf(t.Context(), []core.UserID{alex.ID, bea.ID}, func(c core.Credential) { got = append(got, c.ID) })
			if err != nil {
				return err
			}
			if diff := cmp.Diff([]int64{a1.ID, b1.ID}, got); diff != "" {
				t.Errorf("CredentialsOf (-want +got):\n%s", diff)
			}
			err = tx.CredentialsByLookup(t.Context(), core.CredentialCard, [][32]byte{lookupOf("3"), lookupOf("1"), lookupOf("9")}, func(c core.Credential) { known = append(known, c.ID) })
			if diff := cmp.Diff([]int64{a1.ID, gone.ID}, known); diff != "" {
				t.Errorf("CredentialsByLookup, also the ended one (-want +got):\n%s", diff)
			}
			return err
		})
	}},
	{"they are listed page by page", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		var want []int64
		for _, v := range []string{"1", "2", "3"} {
			want = append(want, newCredential(t, s, u, core.CredentialCode, v).ID)
		}
		newCredential(t, s, u, core.CredentialCard, "1")
		view(t, s, func(tx store.Tx) error {
			page, err := tx.ListCredentials(t.Context(), core.CredentialCode, want[0], 1)
			if len(page) != 1 || page[0].ID != want[1] {
				t.Errorf("the page after the first is %v, want the second", page)
			}
			return err
		})
	}},
	{"PINs that wait and people without a code are found", func(t *testing.T, s store.Store) {
		alex, bea, gone := newUser(t, s, "alex"), newUser(t, s, "bea"), newUser(t, s, "gone")
		newCredential(t, s, alex, core.CredentialCode, "1")
		waiting := newCredential(t, s, bea, core.CredentialPIN, "2")
		hashed := newCredential(t, s, alex, core.CredentialPIN, "3")
		hashed.PHC = "$argon2id$"
		gone.DeletedAt = day
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.UpdateCredential(t.Context(), hashed), tx.UpdateUser(t.Context(), gone))
		})
		view(t, s, func(tx store.Tx) error {
			pins, err := tx.UnhashedPINs(t.Context(), 9)
			if len(pins) != 1 || pins[0].ID != waiting.ID {
				t.Errorf("UnhashedPINs = %v, want that of bea", pins)
			}
			people, err2 := tx.WithoutCode(t.Context(), 0, 9)
			if diff := cmp.Diff([]core.UserID{bea.ID}, people); diff != "" {
				t.Errorf("WithoutCode (-want +got):\n%s", diff)
			}
			return errors.Join(err, err2)
		})
	}},
	{"erasing leaves the lookups of codes and nothing else", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		code := newCredential(t, s, u, core.CredentialCode, "1")
		newCredential(t, s, u, core.CredentialCard, "2")
		update(t, s, func(tx store.Tx) error { return tx.EraseCredentials(t.Context(), u.ID, day) })
		code.Sealed, code.Weak, code.Source, code.EndedAt, code.EndedWhy = nil, "", "", day, "erased"
		if diff := cmp.Diff([]core.Credential{code}, credentialsOf(t, s, u)); diff != "" {
			t.Errorf("after erasing (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteCredentialsBefore(t.Context(), day.Add(time.Second), day)
			if n != 1 {
				t.Errorf("%d were forgotten, want 1", n)
			}
			return err
		})
	}},
	{"ended codes are kept longer than ended cards", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		code, card, alive := newCredential(t, s, u, core.CredentialCode, "1"), newCredential(t, s, u, core.CredentialCard, "2"), newCredential(t, s, u, core.CredentialCard, "3")
		update(t, s, func(tx store.Tx) error {
			if err := tx.EndCredentials(t.Context(), day, "gone", code.ID, card.ID); err != nil {
				return err
			}
			n, err := tx.DeleteCredentialsBefore(t.Context(), day, day.Add(time.Second))
			if n != 1 {
				t.Errorf("%d were forgotten, want the card", n)
			}
			return err
		})
		code.EndedAt, code.EndedWhy, code.Sealed = day, "gone", nil
		if diff := cmp.Diff([]core.Credential{code, alive}, credentialsOf(t, s, u)); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	}},
}
