package dirsync_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
)

// single is a directory of two people.
type single struct{ disabled bool }

func (*single) ID() core.SourceID { return "corp" }

func (*single) Check(context.Context) (string, error) { return "fine", nil }

func (s *single) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	return directory.Reading{Complete: true}, errors.Join(
		sink.Person(directory.Record{Key: "1", KeyKind: core.IdentityObjectGUID, Username: "alex", Disabled: s.disabled}),
		sink.Person(directory.Record{Key: "2", KeyKind: core.IdentityObjectGUID, Username: "kim"}),
	)
}

// Whoever disabled the account first: once an administrator did, only an administrator enables it.
func TestAnAdministratorsDisablingOutlivesTheDirectorys(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context, admin *users.Service, id core.UserID) error // while the directory has it disabled
		want bool                                                                  // disabled, after the directory enabled it
	}{
		{"nothing", func(context.Context, *users.Service, core.UserID) error { return nil }, false},
		{"disabled too", func(ctx context.Context, admin *users.Service, id core.UserID) error {
			_, err := admin.Disable(ctx, "admin", id)
			return err
		}, true},
		{"enabled and disabled", func(ctx context.Context, admin *users.Service, id core.UserID) error {
			_, err := admin.Enable(ctx, "admin", id)
			_, disableErr := admin.Disable(ctx, "admin", id)
			return errors.Join(err, disableErr)
		}, true},
		{"disabled and enabled", func(ctx context.Context, admin *users.Service, id core.UserID) error {
			_, err := admin.Disable(ctx, "admin", id)
			_, enableErr := admin.Enable(ctx, "admin", id)
			return errors.Join(err, enableErr)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := storetest.OpenSQLite(t)
			now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
			clock := func() time.Time { return now }
			admin := users.New(users.Deps{Store: db, Clock: clock})
			sync := dirsync.New(db, clock, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})
			src := &single{disabled: true}
			id := core.UserID(0)
			disabled := func() (is bool) {
				now = now.Add(time.Minute)
				if _, err := sync.Run(t.Context(), src, dirsync.Settings{}); err != nil {
					t.Fatal(err)
				}
				if err := db.View(t.Context(), func(tx store.Tx) (err error) {
					if id, err = tx.IdentityOwner(t.Context(), "corp", core.IdentityObjectGUID, "1"); err != nil {
						return err
					}
					u, err := tx.User(t.Context(), id)
					is = u.Disabled
					return err
				}); err != nil {
					t.Fatal(err)
				}
				return is
			}
			disabled()
			if err := tt.do(t.Context(), admin, id); err != nil {
				t.Fatal(err)
			}
			if !disabled() {
				t.Error("enabled although the directory has it disabled")
			}
			src.disabled = false
			if disabled() != tt.want {
				t.Errorf("disabled after the directory enabled it: %v, want %v", !tt.want, tt.want)
			}
			if !tt.want {
				return
			}
			if _, err := admin.Enable(t.Context(), "admin", id); err != nil {
				t.Fatal(err)
			}
			if disabled() {
				t.Error("the administrator's enabling did not last")
			}
		})
	}
}
