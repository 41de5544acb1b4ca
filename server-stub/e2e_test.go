package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/cli"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/server"
)

// running is a server inside the test: the same Run as the program's.
type running struct {
	t      *testing.T
	dir    string
	admin  *admin.Client
	status admin.Status
	stop   func() error
	out    *bytes.Buffer // what it told the person who started it, and its log: to be read after stop
	log    *bytes.Buffer
}

// shortDir is a folder whose path fits a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "platen-fault-*") //nolint:usetesting // t.TempDir has the test's long name in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	return filepath.Join(base, "d")
}

// run starts a server with settings and stops it with the test.
func run(t *testing.T, dir string, settings map[string]string) *running {
	t.Helper()
	r := &running{t: t, dir: dir, admin: admin.NewClient(dir), out: &bytes.Buffer{}, log: &bytes.Buffer{}}
	flags := map[string]string{"listen": "127.0.0.1:0"}
	for key, value := range settings {
		flags[key] = value
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- server.Run(ctx, server.Options{Data: dir, Sources: config.Sources{Flags: flags}, Out: r.out, Log: r.log, Clock: clock.System})
	}()
	var ended error
	stopped := false
	r.stop = func() error {
		if !stopped {
			cancel()
			ended, stopped = <-done, true
		}
		return ended
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		if t.Failed() {
			t.Log(r.log)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; {
		if r.admin.Call(ctx, admin.VerbStatus, admin.Nothing{}, &r.status, nil) == nil {
			return r
		}
		select {
		case err := <-done:
			ended, stopped = nil, true // said here
			t.Fatalf("the server does not start: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the server is not ready")
		}
	}
}

// with is r for a subtest.
func (r *running) with(t *testing.T) *running {
	sub := *r
	sub.t = t
	return &sub
}

// call asks for a verb that must work.
func call[O any](r *running, verb string, in any) O {
	r.t.Helper()
	var out O
	if err := r.admin.Call(r.t.Context(), verb, in, &out, nil); err != nil {
		r.t.Fatalf("%s: %v", verb, err)
	}
	return out
}

// client trusts the server's CA, and nothing else.
func (r *running) client(http2 bool) *http.Client {
	r.t.Helper()
	ca, err := os.ReadFile(filepath.Join(r.dir, "ca.pem"))
	if err != nil {
		r.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2, DisableKeepAlives: !http2}}
}

// ask returns the status and the body.
func (r *running) ask(c *http.Client, method, path, token, body string) (int, string) {
	r.t.Helper()
	resp, err := c.Do(r.request(method, path, token, body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (r *running) request(method, path, token, body string) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.status.Addresses[0]+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

func (r *running) signIn(c *http.Client, name, password string) api.Session {
	r.t.Helper()
	status, text := r.ask(c, "POST", api.PathSessions, "", `{"username":"`+name+`","password":"`+password+`"}`)
	return session(r.t, status, text)
}

func session(t *testing.T, status int, text string) (s api.Session) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil || status != http.StatusOK {
		t.Fatalf("sign-in or refresh: %d %s, %v", status, text, err)
	}
	return s
}

// stream opens the event stream and hands out its lines that are no comments and no ids.
func (r *running) stream(c *http.Client, token string) <-chan string {
	r.t.Helper()
	resp, err := c.Do(r.request("GET", api.PathEvents, token, "")) //nolint:bodyclose // closed by the goroutine that reads it
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		r.t.Fatalf("the stream is answered with %s", resp.Status)
	}
	ch := make(chan string, 100)
	go func() {
		defer close(ch)
		defer resp.Body.Close()
		for scanner := bufio.NewScanner(resp.Body); scanner.Scan(); {
			if line := scanner.Text(); line != "" && !strings.HasPrefix(line, ":") && !strings.HasPrefix(line, "id:") {
				ch <- line
			}
		}
	}()
	return ch
}

func expect(t *testing.T, ch <-chan string, within time.Duration, want ...string) {
	t.Helper()
	timeout := time.After(within)
	for _, w := range want {
		select {
		case line, ok := <-ch:
			if !ok || !strings.Contains(line, w) {
				t.Fatalf("the stream says %q (open: %v), want %q", line, ok, w)
			}
		case <-timeout:
			t.Fatalf("the stream does not say %q within %s", w, within)
		}
	}
}

// A stream of the real server follows the ledger, and ends within five seconds of whatever ends the session.
func TestStreamFollowsTheLedgerAndEndsWithTheSession(t *testing.T) {
	const soon, within = 30 * time.Second, 5 * time.Second
	r := run(t, shortDir(t), nil)
	endings := map[string]func(name string, s api.Session, c *http.Client){
		"disable": func(name string, _ api.Session, _ *http.Client) {
			call[admin.User](r, admin.VerbUserDisable, admin.UserRef{User: name})
		},
		"erase": func(name string, _ api.Session, _ *http.Client) {
			call[admin.Nothing](r, admin.VerbUserErase, admin.UserRef{User: name})
		},
		"revoke": func(name string, _ api.Session, _ *http.Client) {
			call[admin.Count](r, admin.VerbSessionRevoke, admin.SessionRevoke{User: name, All: true})
		},
		"sign-out": func(_ string, s api.Session, c *http.Client) {
			if status, text := r.ask(c, "DELETE", api.PathSessionCurrent, s.AccessToken, ""); status != http.StatusNoContent {
				t.Errorf("sign-out: %d %s", status, text)
			}
		},
		"refresh token used twice": func(_ string, s api.Session, c *http.Client) {
			// Used, its successor used, used again: stolen.
			body := func(token string) string { return `{"refresh_token":"` + token + `"}` }
			status, text := r.ask(c, "POST", api.PathSessionRefresh, "", body(s.RefreshToken))
			next := session(t, status, text)
			r.ask(c, "POST", api.PathSessionRefresh, "", body(next.RefreshToken))
			if status, text = r.ask(c, "POST", api.PathSessionRefresh, "", body(s.RefreshToken)); status != http.StatusUnauthorized {
				t.Errorf("a refresh token used again: %d %s", status, text)
			}
		},
	}
	i := 0
	for how, end := range endings {
		i++
		http2 := i%2 == 0
		t.Run(how, func(t *testing.T) {
			r := r.with(t)
			name := strings.ReplaceAll(how, " ", "-")
			call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: name, Password: "correct horse"})
			c := r.client(http2)
			s := r.signIn(c, name, "correct horse")
			stream := r.stream(c, s.AccessToken)
			expect(t, stream, soon, "event: balance", `"amount":"0.00"`)
			call[admin.Receipt](r, admin.VerbUserCredit, admin.UserCredit{User: name, Amount: "4.20", Key: how})
			expect(t, stream, soon, "event: balance", `"amount":"4.20"`)
			overdraft := "5"
			call[admin.User](r, admin.VerbUserSet, admin.UserSet{User: name, Overdraft: &overdraft})
			expect(t, stream, soon, "event: balance", `"available":"9.20"`)
			end(name, s, c)
			expect(t, stream, within, "event: "+api.EventSignedOut, "data: {}")
			if line, open := <-stream; open {
				t.Errorf("after signed-out the stream says %q", line)
			}
			if status, text := r.ask(c, "GET", api.PathMe, s.AccessToken, ""); status != http.StatusUnauthorized && status != http.StatusForbidden {
				t.Errorf("afterwards the access token is answered with %d %s", status, text)
			}
		})
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	for name, text := range r.remains() {
		if bytes.Contains(text, []byte("correct horse")) || bytes.Contains(text, []byte("plt_")) {
			t.Errorf("%s has a password or a token", name)
		}
	}
}

// remains is what a stopped server left: its log and every file of its folder.
func (r *running) remains() map[string][]byte {
	r.t.Helper()
	left := map[string][]byte{"the log": r.log.Bytes(), "the announcement": r.out.Bytes()}
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(r.dir, e.Name()))
		if err != nil {
			r.t.Fatal(err)
		}
		left[e.Name()] = text
	}
	return left
}

// A certificate that the administrator gives is used instead of an own CA (package pki tests that its successor is, too).
func TestGivenCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := giveCertificate(t, certFile, keyFile)
	r := run(t, shortDir(t), map[string]string{"tls_cert": certFile, "tls_key": keyFile})
	if r.status.CAFile != "" || r.status.CAPin != api.PinOf(first).String() {
		t.Errorf("status: %+v", r.status)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "ca.pem")); err == nil {
		t.Error("a CA was made that nobody needs")
	}
	shown := func() *x509.Certificate {
		roots := x509.NewCertPool()
		roots.AddCert(first)
		var leaf *x509.Certificate
		c, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, VerifyConnection: func(s tls.ConnectionState) error { leaf = s.PeerCertificates[0]; return nil }}}).DialContext(
			t.Context(), "tcp", strings.TrimPrefix(r.status.Addresses[0], "https://"))
		if err == nil {
			_ = c.Close()
		}
		return leaf
	}
	if got := shown(); got == nil || !got.Equal(first) {
		t.Error("the given certificate is not shown")
	}
}

// giveCertificate writes a self-signed certificate for 127.0.0.1.
func giveCertificate(t *testing.T, certFile, keyFile string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert
}

func TestOpenStreamsDoNotHoldUpAStop(t *testing.T) {
	r := run(t, shortDir(t), nil)
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "alex", Password: "correct horse"})
	for _, http2 := range []bool{false, true} {
		c := r.client(http2)
		stream := r.stream(c, r.signIn(c, "alex", "correct horse").AccessToken)
		expect(t, stream, 30*time.Second, "event: balance")
	}
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

// The same server over PostgreSQL; its backup goes back into SQLite.
func TestPostgres(t *testing.T) {
	url := testenv.Postgres(t)
	dir := shortDir(t)
	r := run(t, dir, map[string]string{"database": url})
	if r.status.Database != "postgres" {
		t.Errorf("the database is %s", r.status.Database)
	}
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "alex", Password: "correct horse"})
	call[admin.Receipt](r, admin.VerbUserCredit, admin.UserCredit{User: "alex", Amount: "4.20", Key: "1"})
	c := r.client(false)
	stream := r.stream(c, r.signIn(c, "alex", "correct horse").AccessToken)
	expect(t, stream, 30*time.Second, "event: balance", `"amount":"4.20"`)
	file := filepath.Join(t.TempDir(), "backup")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.admin.Backup(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "platen.db")); err == nil {
		t.Error("there is a SQLite database, too")
	}

	// A data folder that does not belong to this database must not take it over.
	err = server.Run(t.Context(), server.Options{
		Data: shortDir(t), Sources: config.Sources{Flags: map[string]string{"listen": "127.0.0.1:0", "database": url}}, Out: &bytes.Buffer{}, Log: &bytes.Buffer{}, Clock: clock.System,
	})
	if err == nil || !strings.Contains(err.Error(), "sealed") {
		t.Errorf("another data folder: %v", err)
	}

	moved := shortDir(t)
	info, err := server.Restore(t.Context(), cli.Restore{Data: moved, File: file, MasterKey: filepath.Join(dir, "master.key")})
	if err != nil || info.Database != "postgres" || info.Signed != "yes" {
		t.Fatalf("restore: %+v, %v", info, err)
	}
	again := run(t, moved, nil)
	if u := call[admin.UserDetails](again, admin.VerbUserShow, admin.UserRef{User: "alex"}); u.Balance != "4.20" {
		t.Errorf("after the move the balance is %s", u.Balance)
	}
	again.signIn(again.client(false), "alex", "correct horse")
}

func TestReadySoon(t *testing.T) {
	dir := shortDir(t)
	for _, start := range []string{"the first start", "a restart"} {
		r := run(t, dir, nil)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(r.out.String(), "is ready after ")
		text, _, _ := strings.Cut(rest, ".\n")
		took, err := time.ParseDuration(text)
		if !found || err != nil {
			t.Fatalf("the announcement does not say how long it took: %q, %v", text, err)
		}
		t.Logf("%s took %s", start, took)
		if took > 5*time.Second { // the goal is one second; test machines may be slow
			t.Errorf("%s took %s", start, took)
		}
	}
}
