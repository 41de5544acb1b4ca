package entra

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/platenprint/platen/internal/clock"
	entraemu "github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// TestMain sees to it that no connection outlives its use.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID  = "11111111-2222-3333-4444-555555555555"
	clientID  = "66666666-7777-8888-9999-000000000000"
	appSecret = "CANARY-client-secret"
)

// tenant is an emulated tenant and the files that a source of it needs.
type tenant struct {
	*graph.Tenant

	ca         string
	secretFile string
}

func newTenant(t testing.TB, people []graph.Person, groups ...graph.Group) *tenant {
	t.Helper()
	return newTenantAt(t, nil, people, groups...)
}

// newTenantAt has a clock of its own; nil: the usual one.
func newTenantAt(t testing.TB, now clock.Clock, people []graph.Person, groups ...graph.Group) *tenant {
	t.Helper()
	ca := testenv.NewCA(t)
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "localhost")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	started, err := graph.StartTenant(t.Context(), "127.0.0.1:0", pair, entraemu.Config{
		Tenant: tenantID, Domains: []string{"example.org"},
		Apps: []entraemu.App{{ID: clientID, Name: "Platen directory", Secret: appSecret}},
	}, graph.Options{People: people, Groups: groups, Clock: now, Permissions: []string{graph.PermissionUsers, graph.PermissionGroups}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = started.Close() })
	return &tenant{Tenant: started, ca: ca.File, secretFile: write(t, appSecret+"\n")}
}

func write(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (tt *tenant) config() Config {
	return Config{
		ID: "cloud", Tenant: tenantID, ClientID: clientID, ClientSecret: directory.SecretFile(tt.secretFile), Authority: tt.URL(), GraphURL: tt.URL(), AllowAnyAuthority: true, CAFile: tt.ca,
	}
}

// source makes a source that waits for nothing, and notes how long it would have.
func source(t testing.TB, cfg Config, log io.Writer) (*Source, *[]time.Duration) {
	t.Helper()
	s, err := New(cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), clock.System)
	if err != nil {
		t.Fatal(err)
	}
	pauses := &[]time.Duration{}
	s.wait = func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
	return s, pauses
}

func read(t testing.TB, s *Source) []directory.Record {
	t.Helper()
	var records []directory.Record
	err := directory.People(t.Context(), s, func(r directory.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// bench is a store that was synchronised once, so that faults have somebody to hurt.
type bench struct {
	store store.Store
	sync  *dirsync.Syncer
}

func newBench(t *testing.T, s *Source) *bench {
	t.Helper()
	b := &bench{store: storetest.OpenSQLite(t)}
	b.sync = dirsync.New(b.store, clock.System, dirsync.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if run, err := b.run(t, s, whole); err != nil || run.Created == 0 {
		t.Fatalf("the first synchronisation: %+v, %v", run, err)
	}
	return b
}

// The two kinds of readings.
const (
	whole   = true
	changes = false
)

func (b *bench) run(t *testing.T, s *Source, full bool) (core.SyncRun, error) {
	t.Helper()
	return b.sync.Run(t.Context(), s, dirsync.Settings{Full: full})
}

func (b *bench) users(t *testing.T) []core.User {
	t.Helper()
	var users []core.User
	err := b.store.View(t.Context(), func(tx store.Tx) (err error) {
		users, err = tx.ListUsers(t.Context(), store.UserFilter{IncludeDeleted: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return users
}

// failsHarmlessly synchronises with a source that must fail, and returns the error.
func (b *bench) failsHarmlessly(t *testing.T, s *Source, full bool) error {
	t.Helper()
	before := b.users(t)
	run, err := b.run(t, s, full)
	if err == nil || run.Outcome != dirsync.OutcomeFailed || run.Message == "" {
		t.Fatalf("run %+v, %v; want it failed", run, err)
	}
	if diff := cmp.Diff(before, b.users(t)); diff != "" {
		t.Fatalf("people were changed: -before +after\n%s", diff)
	}
	return err
}

var discard = slog.New(slog.DiscardHandler)

// sinkOf is a sink that knows nobody, and takes people only.
type sinkOf func(directory.Record) error

func (sinkOf) Unchanged(directory.Key, directory.Fingerprint) bool { return false }
func (take sinkOf) Person(r directory.Record) error                { return take(r) }
func (sinkOf) Group(directory.Group) error                         { return nil }
func (sinkOf) Gone(directory.Key) error                            { return nil }

var withoutFingerprints = cmpopts.IgnoreFields(directory.Record{}, "Fingerprint")
