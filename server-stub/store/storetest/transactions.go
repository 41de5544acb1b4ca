package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

var transactionTests = []test{
	{"an update that fails leaves nothing", func(t *testing.T, s store.Store) {
		ours := errors.New("ours")
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.SetMeta(t.Context(), "k", "v"); err != nil {
				return err
			}
			return ours
		})
		if !errors.Is(err, ours) {
			t.Errorf("Update = %v, want the function's own error", err)
		}
		wantMeta(t, s, "k", "")
	}},
	{"an update that panics leaves nothing and lets the next one in", func(t *testing.T, s store.Store) {
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(t.Context(), func(tx store.Tx) error {
				_ = tx.SetMeta(t.Context(), "k", "v")
				panic("oh")
			})
		}()
		wantMeta(t, s, "k", "")
		update(t, s, func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "2") })
		wantMeta(t, s, "k", "2")
	}},
	{"an ended context leaves nothing", func(t *testing.T, s store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx store.Tx) error {
			if err := tx.SetMeta(ctx, "k", "v"); err != nil {
				return err
			}
			cancel()
			return tx.SetMeta(ctx, "k2", "v")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update = %v, want context.Canceled", err)
		}
		wantMeta(t, s, "k", "")
	}},
	{"an error of a statement ends the transaction though the function goes on", func(t *testing.T, s store.Store) {
		session := core.Session{ID: "s", UserID: newUser(t, s, "alex").ID}
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.CreateSession(t.Context(), session); err != nil {
				return err
			}
			_ = tx.CreateSession(t.Context(), session)
			return nil
		})
		if !errors.Is(err, core.ErrConflict) {
			t.Errorf("Update = %v, want core.ErrConflict", err)
		}
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.Session(t.Context(), "s"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("Session = %v, want core.ErrNotFound", err)
			}
			return nil
		})
	}},
	{"a view sees one snapshot", func(t *testing.T, s store.Store) {
		update(t, s, func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "before") })
		view(t, s, func(tx store.Tx) error {
			if v, err := tx.Meta(t.Context(), "k"); v != "before" || err != nil {
				t.Errorf("Meta = %q, %v", v, err)
			}
			update(t, s, func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "after") })
			if v, err := tx.Meta(t.Context(), "k"); v != "before" || err != nil {
				t.Errorf("Meta in the same view = %q, %v; want before", v, err)
			}
			return nil
		})
		wantMeta(t, s, "k", "after")
	}},
	{"a view cannot write", func(t *testing.T, s store.Store) {
		err := s.View(t.Context(), func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "v") })
		if err == nil {
			t.Error("a View wrote and succeeded")
		}
		wantMeta(t, s, "k", "")
	}},
	{"updates at the same time lose nothing", func(t *testing.T, s store.Store) {
		const writers, rounds = 4, 10
		update(t, s, func(tx store.Tx) error { return tx.PutAttempts(t.Context(), core.Attempts{Key: "n"}) })
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range rounds {
					if err := s.Update(t.Context(), func(tx store.Tx) error {
						a, err := tx.Attempts(t.Context(), "n")
						if err != nil {
							return err
						}
						a.Count++
						return tx.PutAttempts(t.Context(), a)
					}); err != nil {
						t.Errorf("update: %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		view(t, s, func(tx store.Tx) error {
			if a, err := tx.Attempts(t.Context(), "n"); a.Count != writers*rounds || err != nil {
				t.Errorf("counted %d, %v; want %d", a.Count, err, writers*rounds)
			}
			return nil
		})
	}},
	{"reads that are cancelled never answer another read (R-DB-1)", func(t *testing.T, s store.Store) {
		const keys = 20
		update(t, s, func(tx store.Tx) error {
			for i := range keys {
				if err := tx.SetMeta(t.Context(), fmt.Sprint("k", i), strings.Repeat(fmt.Sprint(i, "."), 50)); err != nil {
					return err
				}
			}
			return nil
		})
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for round := range 100 {
					i := (worker + round) % keys
					ctx, cancel := context.WithCancel(t.Context())
					go cancel()
					_ = s.View(ctx, func(tx store.Tx) error {
						v, err := tx.Meta(ctx, fmt.Sprint("k", i))
						if err == nil && v != strings.Repeat(fmt.Sprint(i, "."), 50) {
							t.Errorf("asked for k%d, got %q", i, v)
						}
						return err
					})
					cancel()
				}
			})
		}
		wg.Wait()
	}},
	{"text that is not text is refused", func(t *testing.T, s store.Store) {
		for _, bad := range []string{"a\x00b", "\xff"} {
			err := s.Update(t.Context(), func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", bad) })
			if !errors.Is(err, core.ErrInvalid) {
				t.Errorf("SetMeta(%q) = %v, want core.ErrInvalid", bad, err)
			}
		}
	}},
	{"ping answers", func(t *testing.T, s store.Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("Ping = %v", err)
		}
	}},
}

// wantMeta checks a value, "" for none.
func wantMeta(t *testing.T, s store.Store, key, want string) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		got, err := tx.Meta(t.Context(), key)
		if want == "" && !errors.Is(err, core.ErrNotFound) || want != "" && (got != want || err != nil) {
			t.Errorf("Meta(%q) = %q, %v; want %q", key, got, err, want)
		}
		return nil
	})
}
