package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// newMail queues a mail and returns it with its id.
func newMail(t *testing.T, s store.Store, u core.User, key string, next time.Time) core.Mail {
	t.Helper()
	m := core.Mail{
		Key: key, MessageID: "<" + key + "@example.org>", Template: "welcome", Language: "de", UserID: u.ID, To: "alex@example.org", Secret: true,
		Sealed: []byte("sealed"), State: core.MailWaiting, CreatedAt: day, NextAt: next, ChangedAt: day,
	}
	update(t, s, func(tx store.Tx) (err error) {
		m.ID, _, err = tx.QueueMail(t.Context(), m)
		return err
	})
	return m
}

func mailOf(t *testing.T, s store.Store, id int64) (m core.Mail) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		m, err = tx.Mail(t.Context(), id)
		return err
	})
	return m
}

var outboxTests = []test{
	{"a mail comes back as it was queued, and its key is good once", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		want := newMail(t, s, u, "a", day)
		update(t, s, func(tx store.Tx) error {
			_, fresh, err := tx.QueueMail(t.Context(), want)
			if fresh {
				t.Error("the key was good twice")
			}
			return err
		})
		if diff := cmp.Diff(want, mailOf(t, s, want.ID)); diff != "" {
			t.Errorf("Mail (-want +got):\n%s", diff)
		}
	}},
	{"what is due comes in its order, and one of two gets it", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		later, first, second := newMail(t, s, u, "later", day.Add(time.Hour)), newMail(t, s, u, "first", day.Add(-time.Hour)), newMail(t, s, u, "second", day)
		view(t, s, func(tx store.Tx) error {
			due, err := tx.DueMail(t.Context(), day, 9)
			var got []int64
			for _, m := range due {
				got = append(got, m.ID)
			}
			if diff := cmp.Diff([]int64{first.ID, second.ID}, got); diff != "" {
				t.Errorf("DueMail (-want +got):\n%s", diff)
			}
			return err
		})
		first.State, first.Tries, first.ChangedAt, first.Sealed, first.NextAt, first.Problem = core.MailSending, 1, day.Add(time.Minute), nil, time.Time{}, "x"
		update(t, s, func(tx store.Tx) error { return tx.MoveMail(t.Context(), core.MailWaiting, first) })
		update(t, s, func(tx store.Tx) error {
			if err := tx.MoveMail(t.Context(), core.MailWaiting, first); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("the second to take it: %v, want ErrNotFound", err)
			}
			return nil
		})
		if diff := cmp.Diff(first, mailOf(t, s, first.ID)); diff != "" {
			t.Errorf("after it was taken (-want +got):\n%s", diff)
		}
		view(t, s, func(tx store.Tx) error {
			counts, err := tx.CountMail(t.Context())
			if diff := cmp.Diff(map[core.MailState]int{core.MailWaiting: 2, core.MailSending: 1}, counts); diff != "" {
				t.Errorf("CountMail (-want +got):\n%s", diff)
			}
			page, err2 := tx.ListMail(t.Context(), []core.MailState{core.MailWaiting, core.MailFailed}, second.ID, 9)
			if len(page) != 1 || page[0].ID != later.ID {
				t.Errorf("ListMail before the last = %v, want the one that is due later", page)
			}
			all, err3 := tx.ListMail(t.Context(), nil, 0, 9)
			if len(all) != 3 || all[0].ID != second.ID {
				t.Errorf("ListMail of everything = %v", all)
			}
			return errors.Join(err, err2, err3)
		})
	}},
	{"mail is cancelled, deleted and forgotten", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		a, b := newMail(t, s, alex, "a", day), newMail(t, s, bea, "b", day)
		update(t, s, func(tx store.Tx) error {
			n, err := tx.CancelMail(t.Context(), alex.ID, "undone", day.Add(time.Minute))
			if n != 1 {
				t.Errorf("%d were cancelled, want 1", n)
			}
			return err
		})
		a.State, a.Sealed, a.Problem, a.ChangedAt = core.MailCancelled, nil, "undone", day.Add(time.Minute)
		if diff := cmp.Diff(a, mailOf(t, s, a.ID)); diff != "" {
			t.Errorf("cancelled (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteMailBefore(t.Context(), day.Add(time.Hour))
			if n != 1 {
				t.Errorf("%d were forgotten, want the cancelled one", n)
			}
			return errors.Join(err, tx.DeleteUserMail(t.Context(), alex.ID))
		})
		if diff := cmp.Diff(b, mailOf(t, s, b.ID)); diff != "" {
			t.Errorf("that of another person (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error { return tx.DeleteUserMail(t.Context(), bea.ID) })
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.Mail(t.Context(), b.ID); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("Mail after it was deleted: %v, want ErrNotFound", err)
			}
			return nil
		})
	}},
}
