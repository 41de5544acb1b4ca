// Package trust_test lets the two real sides of trust meet: the privileged service's machine and a running server.
package trust_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/server"
)

const verifier = "dBjftJeZ4CVP-mBsE0Nj5M-_-VbHEH-KtUhlFJcgcQ0-x"

// site is a running server.
type site struct {
	t      *testing.T
	dir    string
	admin  *admin.Client
	status admin.Status
	log    lockedBuffer
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T) *site {
	t.Helper()
	base, err := os.MkdirTemp("", "platen-trust-*") //nolint:usetesting // t.TempDir has the test's long name in it, too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	s := &site{t: t, dir: filepath.Join(base, "d")}
	s.admin = admin.NewClient(s.dir)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- server.Run(ctx, server.Options{
			Data: s.dir, Sources: config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "sign_in.modes": "trust,prompt"}}, Out: io.Discard, Log: &s.log, Clock: clock.System,
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); s.admin.Call(ctx, admin.VerbStatus, admin.Nothing{}, &s.status, nil) != nil; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server is not ready")
		}
	}
	s.call(admin.VerbUserAdd, admin.UserAdd{Username: "alex@example.org"}, &admin.User{})
	return s
}

func (s *site) call(verb string, in, out any) {
	s.t.Helper()
	if err := s.admin.Call(s.t.Context(), verb, in, out, nil); err != nil {
		s.t.Fatalf("%s: %v", verb, err)
	}
}

// computer is a machine in a state folder of its own.
func (s *site) computer(t *testing.T, state string, id machine.Identity) *machine.Machine {
	t.Helper()
	dir, err := private.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	m, err := machine.New(machine.Options{
		Dir: dir, Identity: id, Clock: clock.System, Logger: slog.New(slog.NewTextHandler(&s.log, nil)), Retry: 10 * time.Millisecond,
		Report: func(context.Context) api.DeviceReport { return api.DeviceReport{Hostname: "pc-" + id.Install[:4]} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// once lets the machine do what is to be done, a few times.
func (s *site) once(m *machine.Machine) {
	s.t.Helper()
	for range 3 {
		if err := m.Once(s.t.Context()); err != nil {
			s.t.Fatalf("the machine: %v", err)
		}
	}
}

var (
	pc7   = machine.Identity{Install: "pc7-install-0123456789", Hardware: "pc7-hardware-0123456789"}
	clone = machine.Identity{Install: "copy-install-0123456789", Hardware: "copy-hardware-0123456789"}
	alex  = machine.Person{Account: osuser.Account{
		Kind: usermap.KindAzureAD, Domain: "AzureAD", Name: "AlexTest", UPN: "alex@example.org", UID: "70002", Hostname: "pc7",
	}, Session: "c2"}
	stranger = machine.Person{Account: osuser.Account{Kind: usermap.KindDomain, Domain: "CORP", Name: "nobody", UID: "70003"}, Session: "c3"}
)

// redeem signs in with a code.
func (s *site) redeem(code api.TrustCode) (status int, session api.Session) {
	s.t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	body, err := json.Marshal(api.CodeSignIn{Code: code.Code, Verifier: verifier, Client: "platen test"})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", s.status.Addresses[0]+api.PathSessionCode, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(&session); err != nil {
			s.t.Fatal(err)
		}
	}
	return resp.StatusCode, session
}

func TestTheServiceAndTheServer(t *testing.T) {
	s := open(t)
	state := filepath.Join(t.TempDir(), "state")
	var token admin.EnrolmentToken
	s.call(admin.VerbEnrolmentCreate, admin.EnrolmentCreate{}, &token)
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, statedir.TokenFile), []byte(token.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := s.computer(t, state, pc7)
	s.once(m)
	st := m.Status()
	if !st.Enrolled || st.Group != "default" || st.Role != "personal" {
		t.Fatalf("status: %+v", st)
	}

	code, err := m.Assert(t.Context(), alex, api.Challenge(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if status, session := s.redeem(code); status != http.StatusOK || session.User.Username != "alex@example.org" {
		t.Errorf("redeeming the code: %d %+v", status, session.User)
	}
	if _, err := m.Assert(t.Context(), stranger, api.Challenge(verifier)); ipc.CodeOf(err) != ipc.CodeRefused {
		t.Errorf("somebody whom nobody knows: %v", err)
	}

	// A copy of the disk in another computer: it waits for the administrator with a key of its own, and the original goes on.
	copied := filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(copied, os.DirFS(state)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{copied, filepath.Join(copied, statedir.DeviceFile)} {
		mode := os.FileMode(0o600)
		if path == copied {
			mode = 0o700
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	c := s.computer(t, copied, clone)
	s.once(c)
	if st := c.Status(); st.Enrolled || st.Fingerprint == "" {
		t.Fatalf("status of the clone: %+v", st)
	}
	var d admin.DeviceDetails
	s.call(admin.VerbDeviceShow, admin.DeviceRef{Device: "pc-copy"}, &d)
	if d.Status != "pending" || d.Fingerprint != c.Status().Fingerprint {
		t.Errorf("the administrator sees %s %s, the computer shows %s", d.Status, d.Fingerprint, c.Status().Fingerprint)
	}
	s.call(admin.VerbDeviceApprove, admin.DeviceRef{Device: d.ID, Fingerprint: c.Status().Fingerprint}, &admin.Device{})
	s.once(c)
	if _, err := c.Assert(t.Context(), alex, api.Challenge(verifier)); err != nil || !c.Status().Enrolled || c.Status().DeviceID == st.DeviceID {
		t.Errorf("the clone after its approval: %+v, %v", c.Status(), err)
	}
	if _, err := m.Assert(t.Context(), alex, api.Challenge(verifier)); err != nil {
		t.Errorf("the original: %v", err)
	}

	// Revoked: at once, for it alone.
	s.call(admin.VerbDeviceRevoke, admin.DeviceRef{Device: st.DeviceID}, &admin.Device{})
	if _, err := m.Assert(t.Context(), alex, api.Challenge(verifier)); ipc.CodeOf(err) != ipc.CodeRevoked {
		t.Errorf("after the revocation: %v", err)
	}
	if m.Status().Enrolled {
		t.Errorf("status after the revocation: %+v", m.Status())
	}
	if _, err := c.Assert(t.Context(), alex, api.Challenge(verifier)); err != nil {
		t.Errorf("the clone after the revocation of the original: %v", err)
	}

	parsed, err := api.ParseEnrolmentToken(token.Token)
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{parsed.Secret.Reveal(), code.Code, verifier, "PRIVATE KEY", "nobody"} {
		if strings.Contains(s.log.String(), canary) {
			t.Errorf("a log has %q", canary)
		}
	}
}
