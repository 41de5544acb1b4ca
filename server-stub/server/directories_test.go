package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/store"
)

// house is a data folder in which servers start with a configuration, at a time of the test's own.
type house struct {
	t   *testing.T
	dir string
	now time.Time
}

func newHouse(t *testing.T) *house {
	return &house{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

func (h *house) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// people writes a CSV file of n people.
func (h *house) people(name string, n int) string {
	var b strings.Builder
	b.WriteString("id,upn\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,user%d@example.org\n", i, i)
	}
	return h.write(name, b.String())
}

// start opens a server and ends it with stop.
func (h *house) start(text string) (s *server, stop func()) {
	h.t.Helper()
	cfg, err := config.Load(config.Sources{
		Flags: map[string]string{"listen": "127.0.0.1:0"}, Getenv: func(string) string { return "" }, File: h.write("server.yaml", text),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	dir, err := datadir.Open(filepath.Join(h.dir, "data"))
	if err != nil {
		h.t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := openDatabase(h.t.Context(), cfg, dir, logger)
	if err != nil {
		h.t.Fatal(err)
	}
	s = &server{cfg: cfg, dir: dir, db: db, logger: logger, now: func() time.Time { return h.now }, started: h.now}
	if err := s.open(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return s, func() {
		s.api.Shutdown(context.WithoutCancel(h.t.Context()))
		for _, err := range []error{s.closeListeners(), s.commands.Close(), db.Close(), dir.Close()} {
			if err != nil {
				h.t.Error(err)
			}
		}
	}
}

func (h *house) add(s *server, in admin.DirectoryAdd) {
	h.t.Helper()
	if _, err := s.rooms.directories.Add(h.t.Context(), "admin", in); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) apply(s *server, id core.SourceID) error {
	_, err := s.rooms.directories.Apply(h.t.Context(), "admin", id, "", "")
	return err
}

func (h *house) state(s *server, id core.SourceID) core.SourceState {
	h.t.Helper()
	state, err := s.rooms.directories.state(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

func TestADirectoryOfTheCommandLineIsThereAfterARestart(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("")
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + h.people("people.csv", 3), "interval=30m"}})
	if state := h.state(s, "hr"); state.PausedAt.IsZero() {
		t.Error("it runs by the clock before anything was applied")
	}
	if err := h.apply(s, "hr"); err != nil {
		t.Fatal(err)
	}
	if state := h.state(s, "hr"); !state.PausedAt.IsZero() {
		t.Errorf("it is paused after its first synchronisation: %s", state.PausedWhy)
	}
	stop()
	s, stop = h.start("")
	defer stop()
	if !slices.Contains(s.clientConfig().AuthModes, api.MethodTrust) {
		t.Errorf("nobody vouches for its people: %v", s.clientConfig().AuthModes)
	}
	got, err := s.rooms.directories.Show(t.Context(), "hr")
	if err != nil || got.Every != "30m0s" || got.People != 3 || got.Origin != "command line" || got.Problem != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheConfigurationGoesBeforeTheCommandLine(t *testing.T) {
	h := newHouse(t)
	file := h.people("people.csv", 1)
	s, stop := h.start("")
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + file}})
	stop()
	s, stop = h.start("directories: [{id: hr, type: csv, path: people.csv, interval: 2h}]\n")
	defer stop()
	d := s.rooms.directories
	got, err := d.List(t.Context())
	if err != nil || len(got) != 1 || got[0].Every != "2h0m0s" || !strings.HasSuffix(got[0].Origin, "server.yaml:1") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := d.Add(t.Context(), "admin", admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + file}}); !errors.Is(err, core.ErrConflict) || !strings.Contains(err.Error(), "server.yaml:1") {
		t.Errorf("the same id twice: %v", err)
	}
	for _, err := range []error{
		func() error {
			_, err := d.Set(t.Context(), "admin", admin.DirectorySet{ID: "hr", Set: []string{"interval=1h"}})
			return err
		}(),
		func() error { _, err := d.Remove(t.Context(), "admin", "hr"); return err }(),
	} {
		if !errors.Is(err, core.ErrForbidden) || !strings.Contains(err.Error(), "server.yaml:1: change it there") {
			t.Errorf("%v", err)
		}
	}
}

func TestSecretsAreSealedAtTheirPlace(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("")
	defer stop()
	d := s.rooms.directories
	in := admin.DirectoryAdd{
		ID: "corp", Type: "ldap", Untested: true, Set: []string{"url=ldaps://127.0.0.1:1", "bind_dn=cn=reader"}, Secrets: map[string]string{"bind_password": "a-canary-password"},
	}
	h.add(s, in)
	c, err := d.find("corp")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(c.kept.Secrets["bind_password"])+c.kept.Config, "canary") {
		t.Error("the password lies open")
	}
	if got, err := d.unsealed(c.kept)("corp", "bind_password")(); err != nil || got.Reveal() != "a-canary-password" {
		t.Errorf("%v", err)
	}
	moved := c.kept
	moved.ID = "other"
	if _, err := d.unsealed(moved)("other", "bind_password")(); err == nil || !strings.Contains(err.Error(), "sync set other") {
		t.Errorf("it opens at another place: %v", err)
	}
	shown, err := d.Show(t.Context(), "corp")
	if err != nil || strings.Contains(fmt.Sprintf("%+v", shown), "canary") || !cmp.Equal(shown.Secrets, []string{"bind_password"}) {
		t.Errorf("%+v, %v", shown, err)
	}
	if _, err := d.Set(t.Context(), "admin", admin.DirectorySet{ID: "corp", Secrets: map[string]string{"colour": "red"}}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("an unknown secret: %v", err)
	}
	if !s.rooms.signin.ChecksPasswords("corp") {
		t.Error("it checks no passwords")
	}
	if _, err := d.Remove(t.Context(), "admin", "corp"); err != nil || s.rooms.signin.ChecksPasswords("corp") {
		t.Errorf("%v, or it still checks passwords", err)
	}
}

// Another directory may get the id of one that was removed: what was planned for the one must not be done to the people of the other.
func TestThePlanOfADirectoryThatWasRemovedIsGone(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("")
	defer stop()
	d := s.rooms.directories
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + h.people("people.csv", 1)}})
	head, err := d.Plan(t.Context(), "hr", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Remove(t.Context(), "admin", "hr"); err != nil {
		t.Fatal(err)
	}
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + h.people("others.csv", 2)}})
	if _, err := d.Apply(t.Context(), "admin", "hr", head.ID, "late"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestADirectoryInUseIsNotRemoved(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("")
	defer stop()
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + h.people("people.csv", 1)}})
	s.cfg.Providers = []config.Provider{{ID: "okta", Policy: config.Policy{Source: "hr"}}}
	if _, err := s.rooms.directories.Remove(t.Context(), "admin", "hr"); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "okta") {
		t.Errorf("%v", err)
	}
}

func TestA1_55_TheKeysOfTheSiteReachDirectoriesThatSayNothing(t *testing.T) {
	yes, no := true, false
	d := &directories{cfg: &config.Config{Compat: config.Compat{UPNAsUsername: &yes, UpdateCardID: &yes}}}
	for name, tt := range map[string]struct {
		entry     configured.Config
		upn, card *bool
	}{
		"active directory":      {configured.Config{Type: "ldap"}, &yes, nil},
		"that says otherwise":   {configured.Config{Type: "ldap", UPNAsUsername: &no}, &no, nil},
		"that names its rule":   {configured.Config{Type: "ldap", Username: "mail"}, nil, nil},
		"entra":                 {configured.Config{Type: "entra"}, nil, &yes},
		"entra, says otherwise": {configured.Config{Type: "entra", UpdateCardID: &no}, nil, &no},
		"csv":                   {configured.Config{Type: "csv"}, nil, nil},
		"the default stays N":   {configured.Config{Type: "scim"}, nil, nil},
	} {
		got := d.ofSite(tt.entry)
		if !cmp.Equal(got.UPNAsUsername, tt.upn) || !cmp.Equal(got.UpdateCardID, tt.card) {
			t.Errorf("%s: %v, %v", name, got.UPNAsUsername, got.UpdateCardID)
		}
		if tt.entry.Type == "entra" && got.TruncatesUPNs() {
			t.Errorf("%s: names are truncated (A1-55: matching is right by itself)", name)
		}
	}
}

func (h *house) mails(s *server) (list []string) {
	h.t.Helper()
	err := s.db.View(h.t.Context(), func(tx store.Tx) error {
		all, err := tx.ListMail(h.t.Context(), nil, 0, 1000)
		list = []string{}
		for _, m := range all {
			list = append([]string{m.Template + " to " + m.To}, list...)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

const mailBlock = "mail: {host: 127.0.0.1, tls: none, from: print@example.org, admins: [it@example.org]}\n"

func TestA3_49_AFailureIsMailedOnceAndOnceThatAllIsWell(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start(mailBlock)
	defer stop()
	file := h.people("people.csv", 3)
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + file}})
	h.add(s, admin.DirectoryAdd{ID: "own", Type: "csv", Set: []string{"path=" + file, "notify=hr-it@example.org", "username=upn"}})
	good := func() {
		t.Helper()
		if err := h.apply(s, "hr"); err != nil {
			t.Fatal(err)
		}
	}
	bad := func(id core.SourceID) {
		t.Helper()
		h.now = h.now.Add(time.Hour)
		if err := h.apply(s, id); err == nil {
			t.Fatal("it did not fail")
		}
	}
	good()
	want := []string{}
	expect := func(what string, more ...string) {
		t.Helper()
		want = append(want, more...)
		if diff := cmp.Diff(want, h.mails(s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	expect("nothing is wrong")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	bad("hr")
	expect("the first failure", "sync_failed to it@example.org")
	bad("hr")
	bad("hr")
	expect("the same problem again")
	bad("own")
	expect("a directory with its own address", "sync_failed to hr-it@example.org")
	h.people("people.csv", 3)
	h.now = h.now.Add(time.Hour)
	good()
	good()
	expect("well again", "sync_well to it@example.org")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	bad("hr")
	expect("a new failure", "sync_failed to it@example.org")
	h.write("people.csv", "id,upn\n")
	bad("hr")
	expect("another problem", "sync_failed to it@example.org")
}

func TestOnlyNumbersMakeNoOtherProblem(t *testing.T) {
	if !sameProblem("would disable 50 of 60 people", "would disable 51 of 60 people") || sameProblem("no such file", "wrong password") || sameProblem("", "x") {
		t.Error("problems are taken for one another")
	}
}

// ending is a source whose secret ends.
type ending struct {
	directory.Source
	at time.Time
}

func (ending) ID() core.SourceID { return "corp" }
func (e ending) Expiries(context.Context) ([]directory.Expiry, error) {
	return []directory.Expiry{{What: "the client secret", At: e.at}}, nil
}

func TestWhatEndsSoonIsMailedAtEachStepOnce(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start(mailBlock)
	defer stop()
	d := s.rooms.directories
	at := h.now.AddDate(0, 0, 90)
	d.list = []*configuredSource{{entry: configured.Config{ID: "corp", Type: "entra"}, source: ending{at: at}}}
	for _, step := range []struct{ days, mails int }{{90, 0}, {61, 0}, {60, 1}, {59, 1}, {31, 1}, {30, 2}, {8, 2}, {7, 3}, {6, 3}, {1, 3}, {0, 4}, {-1, 4}} {
		h.now = at.Add(-time.Duration(step.days)*24*time.Hour - time.Hour)
		if step.days < 0 {
			h.now = at.Add(time.Hour)
		}
		d.tellEnds(t.Context())
		d.tellEnds(t.Context())
		if got := h.mails(s); len(got) != step.mails {
			t.Errorf("%d days before: %d mails, want %d", step.days, len(got), step.mails)
		}
	}
	list, err := d.List(t.Context())
	if err != nil || len(list) != 1 || len(list[0].Expiries) != 1 {
		t.Errorf("status does not show what ends: %+v, %v", list, err)
	}
}

func TestRetentionErasesWhoLeftLongAgo(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		days         int
		left         int // of three who left, one of them with money
	}{
		{"keep, by default", "", 400, 3},
		{"not before its time", "retention: {deleted_people: erase, after: 60d}\n", 59, 3},
		{"with a balance they are kept", "retention: {deleted_people: erase, after: 60d}\n", 61, 1},
		{"unless the site says otherwise", "retention: {deleted_people: erase, after: 60d, erase_with_balance: yes}\n", 61, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			s, stop := h.start(tt.config)
			defer stop()
			h.people("people.csv", 5)
			h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + filepath.Join(h.dir, "people.csv")}})
			if err := h.apply(s, "hr"); err != nil {
				t.Fatal(err)
			}
			s.rooms.retention.balance = func(_ context.Context, id core.UserID) (core.Account, error) {
				a := core.Account{}
				if id == 5 {
					a.Balance = 1
				}
				return a, nil
			}
			h.people("people.csv", 2)
			if err := h.apply(s, "hr"); err != nil {
				t.Fatal(err)
			}
			h.now = h.now.AddDate(0, 0, tt.days)
			out, err := s.rooms.retention.keep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all, err := s.rooms.users.List(t.Context(), store.UserFilter{IncludeDeleted: true})
			if err != nil || len(all) != 2+tt.left || out.Erased != 3-tt.left {
				t.Errorf("%d people, %+v, %v; want the 2 who are listed and %d", len(all), out, err, tt.left)
			}
			if tt.left == 1 && (out.Kept != 1 || s.status(t.Context()).Kept != 1) {
				t.Errorf("%+v, and status says %d", out, s.status(t.Context()).Kept)
			}
		})
	}
}

func TestMonitoringReadsHowOldADirectoryIs(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("metrics_from: 192.0.2.0/24\n")
	defer stop()
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + h.people("people.csv", 3)}})
	metrics := func() string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		w := httptest.NewRecorder()
		s.api.ServeHTTP(w, r)
		return w.Body.String()
	}
	if got := metrics(); !strings.Contains(got, `platen_directory_age_seconds{source="hr"} -1`) || !strings.Contains(got, `platen_directory_paused{source="hr"} 1`) {
		t.Errorf("before: %s", got)
	}
	if err := h.apply(s, "hr"); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(90 * time.Second)
	if got := metrics(); !strings.Contains(got, `platen_directory_age_seconds{source="hr"} 90`) || !strings.Contains(got, `platen_directory_paused{source="hr"} 0`) {
		t.Errorf("after: %s", got)
	}
}
