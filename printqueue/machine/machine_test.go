package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine/machinetest"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// computer is a computer that may become a device.
type computer struct {
	t    *testing.T
	dir  *private.Dir
	id   Identity
	log  bytes.Buffer
	mu   sync.Mutex
	opts func(*Options)
}

func newComputer(t *testing.T) *computer {
	t.Helper()
	c := &computer{t: t, dir: openDir(t, filepath.Join(t.TempDir(), "state")), id: newIdentity("install-1", "4c4c4544-0042-3510-8052-b4c04f563433")}
	t.Cleanup(func() { // no secret in any log
		key := ""
		if r, err := load(c.dir); err == nil && r.Device != nil {
			key = strings.Split(r.Device.Key, "\n")[1]
		}
		for _, canary := range []string{machinetest.Secret, "canary", "PRIVATE KEY", key} {
			if log := c.log.String(); canary != "" && strings.Contains(log, canary) {
				t.Errorf("the log has %q:\n%s", canary, log)
			}
		}
	})
	return c
}

func openDir(t *testing.T, path string) *private.Dir {
	t.Helper()
	dir, err := private.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return dir
}

// Write collects the log.
func (c *computer) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(p)
}

// start starts the service's part anew.
func (c *computer) start() *Machine {
	c.t.Helper()
	opts := Options{
		Dir: c.dir, Identity: c.id, Clock: clock.System, Every: time.Minute, Look: 10 * time.Millisecond, Retry: 10 * time.Millisecond,
		Report: func(context.Context) api.DeviceReport { return api.DeviceReport{Hostname: "pc7"} },
		Logger: slog.New(slog.NewTextHandler(io.MultiWriter(c, c.t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if c.opts != nil {
		c.opts(&opts)
	}
	m, err := New(opts)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *computer) token(text string) {
	c.t.Helper()
	if err := c.dir.Write(statedir.TokenFile, []byte(text+"\n")); err != nil {
		c.t.Fatal(err)
	}
}

func (c *computer) tokenLeft() bool {
	_, err := c.dir.Read(statedir.TokenFile)
	return err == nil
}

// enrolled is a computer that is a device of s, and has reported once.
func enrolled(t *testing.T, s *machinetest.Server) (*computer, *Machine) {
	t.Helper()
	c := newComputer(t)
	c.token(s.Token(machinetest.Secret))
	m := c.start()
	for range 2 {
		if err := m.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return c, m
}

var (
	alex = Person{
		Account: osuser.Account{
			Kind: usermap.KindDomain, Domain: "CORP", Name: "alex.test", UID: "70002", Hostname: "pc7", JoinDomain: "CORP", JoinRealm: "CORP.EXAMPLE.ORG",
		},
		Session: "c2",
	}
	challenge = api.Challenge("verifier")
)

func TestEnrolByToken(t *testing.T) {
	s := machinetest.New(t)
	s.State.AuthModes, s.State.SharedOSUsers, s.State.Role = []string{"trust", "prompt"}, []string{"kiosk"}, "shared"
	c, m := enrolled(t, s)
	got := m.Status()
	if got.SeenAt.IsZero() || got.Until.Before(time.Now().Add(80*24*time.Hour)) {
		t.Errorf("seen at %s, until %s", got.SeenAt, got.Until)
	}
	want := ipc.Status{
		Enrolled: true, Enrolment: ipc.EnrolmentDone, DeviceID: "dev1", Group: "default", Role: "shared", AuthModes: []string{"trust", "prompt"},
		SharedOSUsers: []string{"kiosk"}, ServerURL: "https://" + s.Address(), Version: got.Version, SeenAt: got.SeenAt, Until: got.Until,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.tokenLeft() {
		t.Error("the token is still there")
	}
	if info, err := os.Stat(filepath.Join(c.dir.Path(), statedir.DeviceFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if m := s.Enrolments[0].Machine; m != c.id.api() || strings.Contains(m.ID+m.Hardware, "install-1") {
		t.Errorf("the server was told %+v", m)
	}
	// The same after a restart, also while the server is away.
	s.Change(func(s *machinetest.Server) { s.Down = true })
	again := c.start()
	if err := again.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeServer {
		t.Errorf("got %v", err)
	}
	want.SeenAt = again.Status().SeenAt
	want.Problem, want.Detail = ipc.CodeServer, "report this device: the server answers unavailable: Do unavailable."
	if diff := cmp.Diff(want, again.Status()); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	// What went wrong is told with the next report.
	s.Change(func(s *machinetest.Server) { s.Down = false })
	if err := again.Once(t.Context()); err != nil || again.Status().Problem != "" {
		t.Errorf("%v, %+v", err, again.Status())
	}
	if last := s.Reports[len(s.Reports)-1]; last.LastError != want.Detail || last.Hostname != "pc7" || last.Platform == "" {
		t.Errorf("reported %+v", last)
	}
}

func TestLostAnswerIsAskedForAgainWithTheSameKey(t *testing.T) {
	s := machinetest.New(t)
	s.Lose = true
	c := newComputer(t)
	c.token(s.Token(machinetest.Secret))
	if err := c.start().Once(t.Context()); ipc.CodeOf(err) != ipc.CodeUnreachable {
		t.Fatalf("got %v", err)
	}
	if !c.tokenLeft() {
		t.Fatal("the token is gone")
	}
	s.Change(func(s *machinetest.Server) { s.Lose = false })
	m := c.start() // the service was restarted, too
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.Status(); got.DeviceID != "dev1" || len(s.Enrolments) != 2 {
		t.Errorf("%+v after %d enrolments", got, len(s.Enrolments))
	}
}

func TestTokensThatAreOfNoUse(t *testing.T) {
	for name, test := range map[string]struct {
		token func(*machinetest.Server) string
		code  ipc.Code
		left  bool
	}{
		"wrong secret": {func(s *machinetest.Server) string {
			return s.Token(api.EnrolmentSecretPrefix + "wrongwrongwrongwrongwrongx")
		}, ipc.CodeRefused, false},
		"no token": {func(*machinetest.Server) string { return "canary" }, ipc.CodeInvalid, false},
		"wrong pin": {func(s *machinetest.Server) string {
			return strings.Replace(s.Token(machinetest.Secret), s.Pin().String(), api.Pin{1}.String(), 1)
		}, ipc.CodeCertificate, true},
		"no pin, unknown CA": {func(s *machinetest.Server) string {
			return strings.Replace(s.Token(machinetest.Secret), s.Pin().String(), "", 1)
		}, ipc.CodeCertificate, true},
		"nobody there": {func(s *machinetest.Server) string {
			return strings.Replace(s.Token(machinetest.Secret), s.Address(), "127.0.0.1:9", 1)
		}, ipc.CodeUnreachable, true},
		"another name": {func(s *machinetest.Server) string {
			return strings.Replace(s.Token(machinetest.Secret), "127.0.0.1", "localhost", 1)
		}, ipc.CodeCertificate, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := machinetest.New(t), newComputer(t)
			c.token(test.token(s))
			m := c.start()
			if err := m.Once(t.Context()); ipc.CodeOf(err) != test.code {
				t.Errorf("got %s, %v", ipc.CodeOf(err), err)
			}
			if c.tokenLeft() != test.left {
				t.Errorf("the token is left: %v", c.tokenLeft())
			}
			if err := m.Once(t.Context()); !test.left && err != nil { // nothing to do any more, and what was wrong stays to be seen
				t.Error(err)
			}
			if got := m.Status(); got.Enrolled || got.Problem != test.code || got.Detail == "" || strings.Contains(got.Detail, "canary") {
				t.Errorf("%+v", got)
			}
			if test.code == ipc.CodeCertificate && len(s.Asked) > 0 {
				t.Errorf("something was sent to a server that is not believed: %v", s.Asked)
			}
		})
	}
}

func TestLimitedEnrolmentKeepsTheToken(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	s.Limited = true
	c.token(s.Token(machinetest.Secret))
	m := c.start()
	if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeLimited || !c.tokenLeft() {
		t.Fatalf("got %v", err)
	}
	s.Change(func(s *machinetest.Server) { s.Limited = false })
	if err := m.Once(t.Context()); err != nil || !m.Status().Enrolled {
		t.Errorf("got %v", err)
	}
}

func TestPendingUntilApproved(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	c.token(s.Token(""))
	m := c.start()
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := m.Status()
	if got.Enrolled || got.Enrolment != ipc.EnrolmentPending || len(got.Fingerprint) != 39 {
		t.Errorf("got %+v", got)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); ipc.CodeOf(err) != ipc.CodePending {
		t.Errorf("got %v", err)
	}
	m = c.start() // it remembers
	if again := m.Status(); again.Fingerprint != got.Fingerprint || again.Enrolment != ipc.EnrolmentPending {
		t.Errorf("after a restart: %+v", again)
	}
	s.Change(func(s *machinetest.Server) { s.Approve = true })
	if err := m.Once(t.Context()); err != nil || !m.Status().Enrolled {
		t.Errorf("%v, %+v", err, m.Status())
	}
	if s.Enrolments[0].CSR == "" || len(s.Enrolments) != 2 || s.Enrolments[1].Token != "" {
		t.Errorf("%d enrolments", len(s.Enrolments))
	}
}

func TestAssertion(t *testing.T) {
	s := machinetest.New(t)
	c, m := enrolled(t, s)
	code, err := m.Assert(t.Context(), alex, challenge)
	if err != nil || !strings.HasPrefix(code.Code, "canary-code-") {
		t.Fatalf("got %v, %v", code, err)
	}
	got := s.Assertions[0]
	want := api.AssertionBody{
		Version: 1, Device: "dev1", MachineID: c.id.api().ID, UID: "70002", Session: "c2", Challenge: challenge,
		OSAccount: api.OSAccount{Kind: "domain", Domain: "CORP", Name: "alex.test", Hostname: "pc7", JoinDomain: "CORP", JoinRealm: "CORP.EXAMPLE.ORG"},
		Nonce:     got.Nonce, IssuedAt: got.IssuedAt, ExpiresAt: got.ExpiresAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for api, code := range map[api.Code]ipc.Code{
		api.CodeTrustRefused: ipc.CodeRefused, api.CodeAmbiguousName: ipc.CodeRefused, api.CodeNoAccount: ipc.CodeRefused, api.CodeLimited: ipc.CodeLimited,
	} {
		s.Change(func(s *machinetest.Server) { s.Refuse = api })
		_, err := m.Assert(t.Context(), alex, challenge)
		if e, ok := errors.AsType[*ipc.Error](err); !ok || e.Code != code || e.API != api {
			t.Errorf("%s: got %v", api, err)
		}
	}
}

func TestAssertionWhoseClockIsWrong(t *testing.T) {
	s := machinetest.New(t)
	c := newComputer(t)
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(5 * time.Minute) } }
	c.token(s.Token(machinetest.Secret))
	m := c.start()
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Error(err)
	}
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(-5 * time.Hour) } }
	if _, err := c.start().Assert(t.Context(), alex, challenge); ipc.CodeOf(err) != ipc.CodeClock {
		t.Errorf("before the certificates: %v", err)
	}
}

func TestRevokedStopsAndRecovers(t *testing.T) {
	s := machinetest.New(t)
	c, m := enrolled(t, s)
	s.Change(func(s *machinetest.Server) { s.Revoked["dev1"] = true })
	if _, err := m.Assert(t.Context(), alex, challenge); ipc.CodeOf(err) != ipc.CodeRevoked {
		t.Errorf("got %v", err)
	}
	if got := m.Status(); got.Enrolled || got.Enrolment != ipc.EnrolmentRevoked {
		t.Errorf("got %+v", got)
	}
	asked := len(s.Asked)
	if _, err := m.Assert(t.Context(), alex, challenge); ipc.CodeOf(err) != ipc.CodeRevoked || len(s.Asked) != asked {
		t.Errorf("the server was asked again: %v", err)
	}
	if m = c.start(); m.Status().Enrolment != ipc.EnrolmentRevoked {
		t.Error("it forgot")
	}
	old := s.Key("dev1")
	c.token(s.Token(machinetest.Secret))
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.Status(); !got.Enrolled || got.DeviceID != "dev2" || s.Key("dev2").Equal(old) {
		t.Errorf("enrolled anew: %+v", got)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Error(err)
	}
}

func TestRevocationIsNoticedByTheReport(t *testing.T) {
	s := machinetest.New(t)
	_, m := enrolled(t, s)
	s.Change(func(s *machinetest.Server) { s.Revoked["dev1"] = true })
	if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeRevoked || m.Status().Enrolled {
		t.Errorf("got %v", err)
	}
	s.Change(func(s *machinetest.Server) { delete(s.Revoked, "dev1") }) // the administrator was wrong
	if err := m.Once(t.Context()); err != nil || !m.Status().Enrolled {
		t.Errorf("got %v", err)
	}
}

func TestAFailedEnrolmentElsewhereKeepsTheOldOne(t *testing.T) {
	s, other := machinetest.New(t), machinetest.New(t)
	c, m := enrolled(t, s)
	c.token(other.Token(api.EnrolmentSecretPrefix + "wrongwrongwrongwrongwrongx"))
	if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeRefused {
		t.Errorf("got %v", err)
	}
	if got := m.Status(); !got.Enrolled || got.ServerURL != "https://"+s.Address() {
		t.Errorf("got %+v", got)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Error(err)
	}
	c.token(other.Token(machinetest.Secret))
	if err := m.Once(t.Context()); err != nil || m.Status().ServerURL != "https://"+other.Address() {
		t.Errorf("%v, %+v", err, m.Status())
	}
}

func TestRenewal(t *testing.T) {
	s := machinetest.New(t)
	s.Life = time.Hour
	c, m := enrolled(t, s)
	first := m.Status().Until
	key := s.Key("dev1")
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(30 * time.Minute) } }
	m = c.start()
	if err := m.Once(t.Context()); err != nil || !m.Status().Until.Equal(first) {
		t.Errorf("at half of its life: %v, %s", err, m.Status().Until)
	}
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(45 * time.Minute) } }
	s.Change(func(s *machinetest.Server) { s.Life = 2 * time.Hour })
	m = c.start()
	if err := m.Once(t.Context()); err != nil || !m.Status().Until.After(first) || !s.Key("dev1").Equal(key) {
		t.Errorf("after two thirds: %v, %s", err, m.Status().Until)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Error(err)
	}
	c.opts = nil
	s.Change(func(s *machinetest.Server) { s.State.Renew, s.Life = true, 3*time.Hour })
	second := m.Status().Until
	m = c.start()
	if err := m.Once(t.Context()); err != nil || !m.Status().Until.After(second) {
		t.Errorf("when the server asks for it: %v, %s", err, m.Status().Until)
	}
}

func TestCertificateThatEndedWhileTheComputerWasOff(t *testing.T) {
	s := machinetest.New(t)
	s.Life = time.Hour
	c, m := enrolled(t, s)
	first, key := m.Status().Until, s.Key("dev1")
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(90 * time.Minute) } }
	s.Change(func(s *machinetest.Server) { s.Life = 24 * time.Hour })
	m = c.start()
	if err := m.Once(t.Context()); err != nil || !m.Status().Until.After(first) || m.Status().DeviceID != "dev1" || !s.Key("dev1").Equal(key) {
		t.Errorf("%v, %+v", err, m.Status())
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Error(err)
	}
}

func TestCertificateThatEndedAndWasRevoked(t *testing.T) {
	s := machinetest.New(t)
	s.Life = time.Hour
	c, _ := enrolled(t, s)
	c.opts = func(o *Options) { o.Clock = func() time.Time { return time.Now().Add(90 * time.Minute) } }
	s.Change(func(s *machinetest.Server) { s.KeyUsed = 1 })
	m := c.start()
	if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeRevoked || m.Status().Enrolment != ipc.EnrolmentRevoked {
		t.Errorf("%v, %+v", err, m.Status())
	}
}

func TestAKeyThatTheServerDoesNotWantIsReplaced(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	s.KeyUsed = 1
	c.token(s.Token(machinetest.Secret))
	m := c.start()
	for range 2 {
		if err := m.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.Status(); !got.Enrolled || len(s.Enrolments) != 2 || s.Enrolments[0].CSR == s.Enrolments[1].CSR || s.Enrolments[1].Token == "" {
		t.Errorf("%+v after %d enrolments", got, len(s.Enrolments))
	}
}

func TestACloneNeverSharesTheKey(t *testing.T) {
	s := machinetest.New(t)
	original, m := enrolled(t, s)
	record, err := original.dir.Read(statedir.DeviceFile)
	if err != nil {
		t.Fatal(err)
	}
	clone := newComputer(t)
	clone.id = newIdentity("install-2", "4c4c4544-0042-3510-8052-b4c04f563433")
	if err := clone.dir.Write(statedir.DeviceFile, record); err != nil {
		t.Fatal(err)
	}
	other := clone.start()
	if got := other.Status(); got.Enrolled || got.DeviceID != "" {
		t.Errorf("the clone is %+v", got)
	}
	if text, err := clone.dir.Read(statedir.DeviceFile); err != nil || bytes.Contains(text, keyOf(t, record)) {
		t.Errorf("the key is still in the clone's file (%v)", err)
	}
	// It asks the same server, as somebody new.
	if err := other.Once(t.Context()); err != nil || other.Status().Enrolment != ipc.EnrolmentPending {
		t.Errorf("%v, %+v", err, other.Status())
	}
	s.Change(func(s *machinetest.Server) { s.Approve = true })
	if err := other.Once(t.Context()); err != nil || other.Status().DeviceID != "dev2" || s.Key("dev2").Equal(s.Key("dev1")) {
		t.Errorf("%v, %+v", err, other.Status())
	}
	if err := m.Once(t.Context()); err != nil || m.Status().DeviceID != "dev1" {
		t.Errorf("the original: %v, %+v", err, m.Status())
	}
	// A firmware that cannot be read today makes no clone.
	original.id.Hardware = ""
	if got := original.start().Status(); got.DeviceID != "dev1" {
		t.Errorf("got %+v", got)
	}
}

func keyOf(t *testing.T, text []byte) []byte {
	t.Helper()
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Split(r.Device.Key, "\n")[1])
}

func TestForget(t *testing.T) {
	c, m := enrolled(t, machinetest.New(t))
	if err := m.Forget(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Machine{m, c.start()} {
		if got := m.Status(); got.Enrolled || got.Enrolment != ipc.EnrolmentNone {
			t.Errorf("got %+v", got)
		}
		if _, err := m.Assert(t.Context(), alex, challenge); ipc.CodeOf(err) != ipc.CodeNotEnrolled {
			t.Errorf("got %v", err)
		}
	}
}

func TestABrokenRecordIsNotGuessedAt(t *testing.T) {
	c := newComputer(t)
	if err := c.dir.Write(statedir.DeviceFile, []byte(`{"v":1,"device":{"key":"canary`)); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{Dir: c.dir, Identity: c.id, Clock: clock.System, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), statedir.DeviceFile) {
		t.Errorf("got %v", err)
	}
}

// The whole loop, as the service runs it: a token appears, the server goes and comes back, the device is revoked.
func TestRun(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	c.opts = func(o *Options) { o.Every = 50 * time.Millisecond }
	m := c.start()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	defer running.Wait()
	defer cancel()
	await(t, "idle", func() bool { return m.Status().Enrolment == ipc.EnrolmentNone })
	c.token("nonsense")
	await(t, "nonsense", func() bool { return m.Status().Problem == ipc.CodeInvalid && !c.tokenLeft() })
	c.token(s.Token(machinetest.Secret))
	await(t, "enrolled", func() bool { got := m.Status(); return got.Enrolled && got.Group == "default" && got.Problem == "" })
	s.Change(func(s *machinetest.Server) { s.Down = true })
	await(t, "server down", func() bool { return m.Status().Problem == ipc.CodeServer })
	s.Change(func(s *machinetest.Server) { s.Down, s.State.Role = false, "shared" })
	await(t, "server back", func() bool { got := m.Status(); return got.Problem == "" && got.Role == "shared" })
	s.Change(func(s *machinetest.Server) { s.Revoked["dev1"] = true })
	await(t, "revoked", func() bool { return m.Status().Enrolment == ipc.EnrolmentRevoked })
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never", what)
		}
	}
}
