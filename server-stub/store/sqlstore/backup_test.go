package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var day = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// run starts a ledger until the end of the test, or until stop.
func run(t *testing.T, s store.Store) (l *ledger.Ledger, stop func()) {
	t.Helper()
	l = ledger.New(s, clock.Fixed(day), ledger.Options{Currency: "EUR"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return l, stop
}

// credit books 0.0001 for user 1.
func credit(ctx context.Context, l *ledger.Ledger, key string) error {
	_, err := l.Post(ctx, ledger.Posting{Key: key, Kind: core.TransferCredit, User: 1, Amount: 1, Actor: "admin", Note: "ü \u2028 <&>"})
	return err
}

// fill gives every table rows.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error {
		id, err := tx.CreateUser(ctx, core.User{Username: "alex", DisplayName: "Ä \"quoted\"\nline", Overdraft: 100, CreatedAt: day})
		if err != nil {
			return err
		}
		return errors.Join(
			tx.PutName(ctx, core.LoginName{UserID: id, Name: "alex", Folded: "alex", Kind: core.NameUPN, ValidFrom: day}),
			tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "ad", Kind: core.IdentitySID, ImmutableID: "S-1"}),
			tx.SetPasswordHash(ctx, id, "$argon2id$"),
			tx.CreateSession(ctx, core.Session{ID: "s", UserID: id, AccessHash: [32]byte{0xff}, CreatedAt: day}),
			tx.PutAttempts(ctx, core.Attempts{Key: "k", Count: 1}),
			tx.AppendAudit(ctx, core.AuditEvent{Actor: "admin", Action: "user.add"}),
			tx.SetMeta(ctx, "empty", ""),
			tx.CreateDevice(ctx, core.Device{ID: "d", Status: core.DeviceEnrolled, KeyHash: [32]byte{1}, CreatedAt: day}),
			tx.CreateDeviceCertificate(ctx, core.DeviceCertificate{Serial: "01", DeviceID: "d", KeyHash: [32]byte{1}, IssuedAt: day}),
			tx.PutDeviceUser(ctx, core.DeviceUser{DeviceID: "d", UserID: id, FirstAt: day, LastAt: day}),
			tx.CreateEnrolmentToken(ctx, core.EnrolmentToken{ID: "t", SecretHash: [32]byte{2}, Uses: 1, CreatedAt: day}),
			tx.CreateCode(ctx, core.OneUseCode{Hash: [32]byte{3}, UserID: id, ExpiresAt: day}),
			func() error { _, err := tx.UseNonce(ctx, [32]byte{4}, day); return err }(),
			func() error { _, err := tx.CreateSyncRun(ctx, core.SyncRun{Source: "ad"}); return err }(),
		)
	}); err != nil {
		t.Fatal(err)
	}
	fillWeb(t, s)
	fillDirectories(t, s)
	fillCredentials(t, s)
	fillSCIM(t, s)
	fillSources(t, s)
	l, stop := run(t, s)
	defer stop()
	for i := range 5 {
		if err := credit(ctx, l, fmt.Sprint("key", i)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := l.Hold(ctx, ledger.HoldRequest{Key: "h", User: 1, Amount: 3, For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Hold(ctx, ledger.HoldRequest{Key: "h2", User: 1, Amount: 4, For: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.PostHold(ctx, ledger.Settlement{Key: "p", Hold: h.ID, Amount: 2, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
}

func backup(t *testing.T, s store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatalf("Backup: %v", err)
	}
	return b.Bytes()
}

// sound is the check that a restore runs.
func sound(ctx context.Context, s store.Store) error {
	r, err := ledger.Verify(ctx, s, nil)
	if err == nil && !r.OK() {
		err = errors.New(r.String())
	}
	return err
}

var dialects = []struct {
	name string
	open func(t testing.TB) store.Store
	cfg  func(t *testing.T) sqlstore.Config // of a database that does not exist yet, or is empty
}{
	{"SQLite", storetest.OpenSQLite, func(t *testing.T) sqlstore.Config {
		return sqlstore.Config{Path: filepath.Join(t.TempDir(), "restored.db")}
	}},
	{"PostgreSQL", storetest.OpenPostgres, func(t *testing.T) sqlstore.Config {
		return sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(testenv.Postgres(t))}
	}},
}

func TestABackupMovesBetweenAnyTwoDatabases(t *testing.T) {
	for _, from := range dialects {
		for _, to := range dialects {
			t.Run("from "+from.name+" to "+to.name, func(t *testing.T) {
				s := from.open(t)
				fill(t, s)
				want := backup(t, s)
				for _, table := range sqlstore.BackupTables {
					if !strings.Contains(string(want), `{"table":"`+table+`",`) {
						t.Errorf("the backup has no table %s", table)
					}
					if _, rows, _ := strings.Cut(string(want), `{"table":"`+table+`",`); !strings.HasPrefix(rows[strings.Index(rows, "\n"):], "\n[") {
						t.Errorf("the table %s has no row, so its restore is not tested", table)
					}
				}
				cfg := to.cfg(t)
				if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(want), nil, sound); err != nil {
					t.Fatalf("Restore: %v", err)
				}
				restored := mustOpen(t, cfg)
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(backup(t, restored)), "\n")); diff != "" {
					t.Errorf("the backup of what was restored (-want +got):\n%s", diff)
				}

				// It goes on: ids are not given twice, and the chain continues.
				l, stop := run(t, restored)
				defer stop()
				if err := credit(t.Context(), l, "key0"); err != nil {
					t.Errorf("a key of before the backup: %v", err)
				}
				if err := credit(t.Context(), l, "new"); err != nil {
					t.Errorf("a new key: %v", err)
				}
				if err := restored.Update(t.Context(), func(tx store.Tx) error {
					id, err := tx.CreateUser(t.Context(), core.User{Username: "bea"})
					if id != 2 {
						t.Errorf("the next user has id %d, want 2", id)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
				if err := sound(t.Context(), restored); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestFault_F25_ABackupUnderLoadIsConsistent(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := d.open(t)
			fill(t, s)
			l, stop := run(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			booked := make(chan int)
			acknowledged := make(chan struct{})
			go func() {
				n := 0
				for ; ctx.Err() == nil; n++ {
					if err := credit(t.Context(), l, fmt.Sprint("load", n)); err != nil {
						t.Errorf("Post: %v", err)
					}
					if n == 20 {
						close(acknowledged)
					}
				}
				booked <- n
			}()
			<-acknowledged
			b := backup(t, s)
			cancel()
			if n := <-booked; n <= 21 {
				t.Logf("only %d bookings: the backup was faster than the load", n)
			}
			stop()
			cfg := d.cfg(t)
			if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(b), nil, sound); err != nil {
				t.Fatalf("Restore: %v", err)
			}
			restored := mustOpen(t, cfg)
			if err := restored.View(t.Context(), func(tx store.Tx) error {
				for n := range 21 {
					if _, err := tx.TransferByKey(t.Context(), fmt.Sprint("load", n)); err != nil {
						t.Errorf("what was acknowledged before the backup: %v", err)
					}
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFault_F6_ADamagedBackupRestoresNothing(t *testing.T) {
	s := storetest.OpenSQLite(t)
	fill(t, s)
	good := backup(t, s)
	lines := bytes.SplitAfter(good, []byte("\n"))
	damaged := map[string][]byte{
		"empty":             nil,
		"another file":      []byte("PK\x03\x04 this is a zip file\n"),
		"another program's": []byte(`{"format":"other","version":1,"schema":2}` + "\n"),
		"another format":    []byte(`{"format":"platen-backup","version":2,"schema":2}` + "\n"),
		"text behind it":    append(bytes.Clone(good), "[1]\n"...),
		"a line of garbage": append(bytes.Clone(good[:len(good)/2]), strings.Repeat("x", 5<<20)...),
		"no last line":      bytes.Join(lines[:len(lines)-2], nil),
		"no first line":     bytes.Join(lines[1:], nil),
		"one row missing":   bytes.Join(slices.Delete(slices.Clone(lines), 2, 3), nil),
		"one row twice":     bytes.Join(slices.Insert(slices.Clone(lines), 2, lines[2]), nil),
	}
	for i := 1; i < len(good); i += len(good)/40 + 1 {
		damaged[fmt.Sprint("cut off at ", i)] = good[:i]
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x04
		damaged[fmt.Sprint("a bit of byte ", i)] = flipped
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "p.db")
	for name, b := range damaged {
		err := sqlstore.Restore(t.Context(), sqlstore.Config{Path: path}, bytes.NewReader(b), nil, sound)
		if err == nil {
			t.Fatalf("%s: it was restored", name)
		}
		if !errors.Is(err, core.ErrInvalid) && !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: Restore = %v, want core.ErrInvalid", name, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 0 {
			t.Fatalf("%s: left behind: %v, %v", name, left, err)
		}
	}
	if err := sqlstore.Restore(t.Context(), sqlstore.Config{Path: path}, bytes.NewReader(good), nil, sound); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestADamagedBackupLeavesPostgresEmpty(t *testing.T) {
	s := storetest.OpenSQLite(t)
	fill(t, s)
	good := backup(t, s)
	cfg := sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(testenv.Postgres(t))}
	for _, n := range []int{len(good) / 3, len(good) - 3} {
		if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(good[:n]), nil); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("Restore of %d bytes = %v, want core.ErrInvalid", n, err)
		}
	}
	no := errors.New("no")
	err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(good), nil, func(context.Context, store.Store) error { return no })
	if !errors.Is(err, no) {
		t.Errorf("Restore with a check that fails = %v", err)
	}
	if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(good), nil, sound); err != nil {
		t.Errorf("the good one, into the database where the others failed: %v", err)
	}
}

func TestARestoreNeverTouchesADatabaseInUse(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			source := storetest.OpenSQLite(t)
			fill(t, source)
			b := backup(t, source)
			cfg := d.cfg(t)
			used := mustOpen(t, cfg)
			if err := used.Update(t.Context(), func(tx store.Tx) error { return tx.SetMeta(t.Context(), "mine", "1") }); err != nil {
				t.Fatal(err)
			}
			before := backup(t, used)
			if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(b), nil); !errors.Is(err, core.ErrConflict) {
				t.Errorf("Restore = %v, want core.ErrConflict", err)
			}
			if !bytes.Equal(before, backup(t, used)) {
				t.Error("the database in use was changed")
			}
		})
	}
}

// What is amended counts together with what was restored, or nothing does.
func TestARestoreIsAmendedBeforeItCounts(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := storetest.OpenSQLite(t)
			fill(t, s)
			b, cfg := backup(t, s), d.cfg(t)
			no := errors.New("no")
			for name, amend := range map[string]sqlstore.Amend{
				"fails": func(ctx context.Context, tx sqlstore.Amendable) error {
					_, err := tx.RevokeAllSessions(ctx, day)
					return errors.Join(err, no)
				},
				"hides that a statement failed": func(ctx context.Context, tx sqlstore.Amendable) error {
					_ = tx.CreateSession(ctx, core.Session{ID: "x", UserID: 999})
					return nil
				},
			} {
				if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(b), amend, sound); err == nil {
					t.Errorf("an amendment that %s: restored", name)
				}
			}
			ended := 0
			amend := func(ctx context.Context, tx sqlstore.Amendable) (err error) {
				ended, err = tx.RevokeAllSessions(ctx, day)
				return err
			}
			if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(b), amend, sound); err != nil {
				t.Fatal(err)
			}
			if ended == 0 {
				t.Error("the backup has no session, so nothing is tested")
			}
			if err := mustOpen(t, cfg).Update(t.Context(), func(tx store.Tx) error {
				if n, err := tx.RevokeAllSessions(t.Context(), day); n != 0 || err != nil {
					t.Errorf("%d sessions were still in force, %v", n, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestABackupOfANewerSchemaIsRefused(t *testing.T) {
	b := []byte(`{"format":"platen-backup","version":1,"schema":9999}` + "\n")
	err := sqlstore.Restore(t.Context(), sqlstore.Config{Path: filepath.Join(t.TempDir(), "p.db")}, bytes.NewReader(b), nil)
	var newer *sqlstore.SchemaError
	if !errors.As(err, &newer) {
		t.Errorf("Restore = %v, want a SchemaError", err)
	}
}

func TestARestoreThatFailsItsCheckLeavesNothing(t *testing.T) {
	s := storetest.OpenSQLite(t)
	fill(t, s)
	// Somebody changed the database and made a proper backup of it: only the chain can tell.
	storetest.Tamper(t, s, "DROP TRIGGER entries_keep_update", "UPDATE entries SET amount = amount * 2 WHERE seq = 3")
	b := backup(t, s)
	dir := t.TempDir()
	err := sqlstore.Restore(t.Context(), sqlstore.Config{Path: filepath.Join(dir, "p.db")}, bytes.NewReader(b), nil, sound)
	if err == nil || !strings.Contains(err.Error(), "transfer 3") {
		t.Errorf("Restore = %v, want what the check says", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestARestoreThatWasKilledIsBegunAnew(t *testing.T) {
	s := storetest.OpenSQLite(t)
	fill(t, s)
	dir := t.TempDir()
	path := filepath.Join(dir, "p.db")
	for _, name := range []string{".restoring", ".restoring-wal", ".restoring-shm"} {
		if err := os.WriteFile(path+name, []byte("half of something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := sqlstore.Restore(t.Context(), sqlstore.Config{Path: path}, bytes.NewReader(backup(t, s)), nil, sound); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("in the folder: %v, %v; want the database only", left, err)
	}
}

func TestBackupSaysWhenItCannotBeWritten(t *testing.T) {
	s := storetest.OpenSQLite(t)
	fill(t, s)
	full := errors.New("no space")
	for _, room := range []int{0, 100, 3000} {
		if err := s.Backup(t.Context(), &narrow{room, full}); !errors.Is(err, full) {
			t.Errorf("Backup into %d bytes = %v, want the writer's error", room, err)
		}
	}
}

// narrow takes so many bytes.
type narrow struct {
	room int
	err  error
}

func (n *narrow) Write(b []byte) (int, error) {
	if n.room -= len(b); n.room < 0 {
		return 0, n.err
	}
	return len(b), nil
}

func FuzzReadBackup(f *testing.F) {
	f.Add([]byte(`{"format":"platen-backup","version":1,"schema":2}` + "\n" + `{"table":"users","columns":[{"name":"id","type":"int"}]}` + "\n[1]\n"))
	f.Add([]byte(`{"format":"platen-backup","version":1,"schema":2}` + "\n[null]\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := sqlstore.ReadBackup(t.Context(), bytes.NewReader(b)); err == nil && !bytes.Contains(b, []byte(`"sha256":`)) {
			t.Error("a backup without its end was taken for whole")
		}
	})
}
