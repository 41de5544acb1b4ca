package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
)

func quiet(t *testing.T) *log.Logger { return log.New(t.Output(), "server: ", 0) }

func options(t *testing.T, server *url.URL) Options {
	return Options{ServerURL: server, Clock: clock.System, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), UserAgent: "platen test"}
}

func client(t *testing.T, opts Options) *Client {
	t.Helper()
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// reply answers with JSON.
func reply(w http.ResponseWriter, code int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// platen answers as a Platen server does before sign-in and counts the requests.
func platen(count *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		reply(w, 200, "application/json", api.ClientConfig{Organisation: "Example University", Version: "1.0", ServerTime: time.Now()})
	})
}

func failure(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

func TestTrust(t *testing.T) {
	ca, other := newAuthority(t, "CA"), newAuthority(t, "another CA")
	leaf := newCert(t, "server", &ca, nil)
	middle := newCert(t, "intermediate", &ca, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	under := newCert(t, "server under intermediate", &middle, nil)
	foreign := newCert(t, "server of another CA", &other, nil)
	old := newCert(t, "old server", &ca, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	})
	early := newCert(t, "server of tomorrow", &ca, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(12 * time.Hour) })
	named := newCert(t, "other host", &ca, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"print.example.org"} })
	usage := newCert(t, "client certificate", &ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	type settings struct{ file, pin string }
	byFile := settings{file: pemFile(t, ca)}

	for _, tc := range []struct {
		name     string
		shown    []authority
		settings settings
		want     Kind // empty: believed
		problem  status.ProblemCode
		text     string // in the error
	}{
		{name: "CAFile", shown: []authority{leaf}, settings: byFile},
		{name: "CAFile of a whole bundle", shown: []authority{leaf}, settings: settings{file: pemFile(t, other, ca)}},
		{name: "CAFile and intermediate", shown: []authority{under, middle}, settings: byFile},
		{name: "pin", shown: []authority{leaf, ca}, settings: settings{pin: ca.pin()}},
		{name: "one of two pins", shown: []authority{leaf, ca}, settings: settings{pin: other.pin() + ", " + ca.pin()}},
		{name: "pin of the root above an intermediate", shown: []authority{under, middle, ca}, settings: settings{pin: ca.pin()}},
		{name: "pin of the intermediate", shown: []authority{under, middle}, settings: settings{pin: middle.pin()}},
		{name: "pin and CAFile agree", shown: []authority{leaf}, settings: settings{byFile.file, ca.pin()}},
		{name: "unknown CA", shown: []authority{leaf, ca}, want: KindUnknownCA, problem: status.ProblemCertificate, text: "set CAFile to the server's ca.pem, or CAPin"},
		{name: "another CA than CAFile's", shown: []authority{foreign, other}, settings: byFile, want: KindUnknownCA, problem: status.ProblemCertificate},
		{name: "wrong pin", shown: []authority{foreign, other}, settings: settings{pin: ca.pin()}, want: KindWrongPin, problem: status.ProblemCertificate, text: other.pin()},
		{name: "pin, but the CA is not shown", shown: []authority{leaf}, settings: settings{pin: ca.pin()}, want: KindWrongPin, problem: status.ProblemCertificate, text: "shows no certificate authority"},
		{name: "the leaf's own pin is not a CA's", shown: []authority{leaf, ca}, settings: settings{pin: leaf.pin()}, want: KindWrongPin, problem: status.ProblemCertificate},
		{name: "our CA is shown, but it did not sign", shown: []authority{foreign, ca}, settings: settings{pin: ca.pin()}, want: KindUnknownCA, problem: status.ProblemCertificate},
		{name: "wrong host", shown: []authority{named}, settings: byFile, want: KindWrongHost, problem: status.ProblemCertificate, text: "for 127.0.0.1"},
		{name: "wrong host with pin", shown: []authority{named, ca}, settings: settings{pin: ca.pin()}, want: KindWrongHost, problem: status.ProblemCertificate},
		{name: "expired", shown: []authority{old}, settings: byFile, want: KindExpired, problem: status.ProblemCertificateExpired, text: "clock says 20"},
		{name: "expired with pin", shown: []authority{old, ca}, settings: settings{pin: ca.pin()}, want: KindExpired, problem: status.ProblemCertificateExpired},
		{name: "not valid yet: our clock is behind", shown: []authority{early}, settings: byFile, want: KindClock, problem: status.ProblemClock},
		{name: "not a server's certificate", shown: []authority{usage}, settings: byFile, want: KindCertificate, problem: status.ProblemCertificate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var count atomic.Int64
			opts := options(t, serve(t, chain(tc.shown[0], tc.shown[1:]...), platen(&count)))
			opts.CAFile, opts.CAPin = tc.settings.file, tc.settings.pin
			c := client(t, opts)
			config, err := c.ClientConfig(t.Context())
			if tc.want == "" {
				if err != nil || config.Organisation != "Example University" {
					t.Fatalf("got %+v, %v", config, err)
				}
				if _, err := c.ClientConfig(t.Context()); err != nil || count.Load() != 2 {
					t.Errorf("second call: %v; %d requests, want 2", err, count.Load())
				}
				return
			}
			e := failure(t, err)
			if e.Kind != tc.want || e.Problem.Code != tc.problem || !strings.Contains(e.Error(), tc.text) || e.Problem.Details != e.Error() {
				t.Errorf("got %s, %s: %v; want %s, %s with %q", e.Kind, e.Problem.Code, e, tc.want, tc.problem, tc.text)
			}
			if count.Load() != 0 {
				t.Errorf("%d requests reached a server that was not believed", count.Load())
			}
		})
	}
}

func TestThePinnedFetchCarriesNothing(t *testing.T) {
	ca := newAuthority(t, "CA")
	var conns, requests atomic.Int64
	server := httptest.NewUnstartedServer(platen(&requests))
	server.Config.ErrorLog = quiet(t)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
		if s == http.StateActive && conns.Load() == 1 {
			t.Error("the first connection carried a request")
		}
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain(newCert(t, "server", &ca, nil), ca)}}
	server.StartTLS()
	t.Cleanup(server.Close)
	opts := options(t, parse(t, server.URL))
	opts.CAPin = ca.pin()
	c := client(t, opts)
	for range 3 {
		if _, err := c.ClientConfig(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if conns.Load() != 2 || requests.Load() != 3 {
		t.Errorf("%d connections and %d requests; want one to learn the CA and one for all 3 requests", conns.Load(), requests.Load())
	}
}

func TestANewPinnedCAIsLearned(t *testing.T) {
	ca, next := newAuthority(t, "CA"), newAuthority(t, "next CA")
	var count atomic.Int64
	server := httptest.NewUnstartedServer(platen(&count))
	server.Config.ErrorLog = quiet(t)
	first, renewed := chain(newCert(t, "server", &ca, nil), ca), chain(newCert(t, "server", &next, nil), next)
	var changed atomic.Bool
	server.TLS = &tls.Config{Certificates: []tls.Certificate{first}}
	server.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if changed.Load() {
			return &tls.Config{Certificates: []tls.Certificate{renewed}}, nil
		}
		return nil, nil // the server's own
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	opts := options(t, parse(t, server.URL))
	opts.CAPin = ca.pin() + "," + next.pin()
	c := client(t, opts)
	if _, err := c.ClientConfig(t.Context()); err != nil {
		t.Fatal(err)
	}
	changed.Store(true)
	server.CloseClientConnections()
	var err error
	for range 3 { // the first tries meet the closed connection and the old CA
		if _, err = c.ClientConfig(t.Context()); err == nil {
			return
		}
	}
	t.Errorf("the second pinned CA is not believed: %v", err)
}

func TestNewRefusesSettingsOfNoUse(t *testing.T) {
	ca := newAuthority(t, "CA")
	for _, tc := range []struct {
		name, url, file, pin, want string
	}{
		{"plain http", "http://print.example.org", "", "", "nothing is ever sent over plain http"},
		{"no file", "https://print.example.org", "/no/such/ca.pem", "", "CAFile"},
		{"a folder", "https://print.example.org", t.TempDir(), "", "not a file"},
		{"no certificate", "https://print.example.org", "/proc/self/cmdline", "", "CAFile"},
		{"bad pin", "https://print.example.org", "", "sha256/x", "CAPin"},
		{"pin not in the file", "https://print.example.org", pemFile(t, ca), newAuthority(t, "x").pin(), "no certificate in it has the pin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opts := options(t, parse(t, tc.url))
			opts.CAFile, opts.CAPin = tc.file, tc.pin
			_, err := New(opts)
			e := failure(t, err)
			if e.Kind != KindConfig || e.Problem.Code != status.ProblemConfig || !strings.Contains(e.Error(), tc.want) {
				t.Errorf("got %s: %v; want %q", e.Kind, e, tc.want)
			}
		})
	}
	if _, err := New(options(t, nil)); failure(t, err).Kind != KindConfig {
		t.Error("no ServerURL must be an error")
	}
}

func TestNetworkFaults(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	_ = closed.Close()

	plainHTTP := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plainHTTP.Close)

	for _, tc := range []struct {
		name, host, want string
		kind             Kind
		problem          status.ProblemCode
	}{
		{"nobody listens", refused, "refused", KindUnreachable, status.ProblemUnreachable},
		{"no such name", "print.invalid:443", "print.invalid", KindUnreachable, status.ProblemUnreachable},
		{"plain http on the port", strings.TrimPrefix(plainHTTP.URL, "http://"), "HTTP response to HTTPS client", KindNotPlaten, status.ProblemServer},
		{"another protocol on the port", listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.org ESMTP\r\n") }), "", KindNotPlaten, status.ProblemServer},
		{"closed at once", listen(t, func(net.Conn) {}), "", KindUnreachable, status.ProblemUnreachable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := client(t, options(t, &url.URL{Scheme: "https", Host: tc.host}))
			_, err := c.ClientConfig(t.Context())
			e := failure(t, err)
			if e.Kind != tc.kind || e.Problem.Code != tc.problem || !strings.Contains(e.Error(), tc.want) || e.Problem.Host != c.Host() {
				t.Errorf("got %s, %s: %v; want %s", e.Kind, e.Problem.Code, e, tc.kind)
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	ca := newAuthority(t, "CA")
	leaf := newCert(t, "server", &ca, nil)
	for _, pinned := range []bool{false, true} {
		var count atomic.Int64
		server := httptest.NewUnstartedServer(platen(&count))
		server.Config.ErrorLog = quiet(t)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{chain(leaf, ca)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		server.StartTLS()
		t.Cleanup(server.Close)
		opts := options(t, parse(t, server.URL))
		if pinned {
			opts.CAPin = ca.pin()
		} else {
			opts.CAFile = pemFile(t, ca)
		}
		_, err := client(t, opts).ClientConfig(t.Context())
		if e := failure(t, err); e.Kind != KindServer || count.Load() != 0 {
			t.Errorf("pinned %v: got %s: %v, and %d requests arrived", pinned, e.Kind, e, count.Load())
		}
	}
}

// listen accepts connections, passes each to serve and closes it.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				buf := make([]byte, 1)
				_, _ = conn.Read(buf)
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// believed starts a server that the returned client believes.
func believed(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	ca := newAuthority(t, "CA")
	opts := options(t, serve(t, chain(newCert(t, "server", &ca, nil)), handler))
	opts.CAFile = pemFile(t, ca)
	return client(t, opts)
}

func TestWrongAnswers(t *testing.T) {
	retry := time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC)
	problem := func(code int, c api.Code, change func(*api.Problem)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			p := api.Problem{Status: code, Code: c, Detail: "Say what to do.", RequestID: "req-7"}
			if change != nil {
				change(&p)
			}
			reply(w, code, api.ContentTypeProblem, p)
		}
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    Error
		problem status.ProblemCode
		text    string
	}{
		{"wrong credentials", problem(401, api.CodeWrongCredentials, nil), Error{Kind: KindAnswer, Code: api.CodeWrongCredentials, Status: 401, RequestID: "req-7"}, status.ProblemWrongCredentials, "(request req-7)"},
		{"session ended", problem(401, api.CodeSessionEnded, nil), Error{Kind: KindAnswer, Code: api.CodeSessionEnded, Status: 401, RequestID: "req-7"}, status.ProblemServer, "session_ended"},
		{"disabled", problem(403, api.CodeAccountDisabled, nil), Error{Kind: KindAnswer, Code: api.CodeAccountDisabled, Status: 403, RequestID: "req-7"}, status.ProblemAccountDisabled, ""},
		{"ambiguous", problem(409, api.CodeAmbiguousName, nil), Error{Kind: KindAnswer, Code: api.CodeAmbiguousName, Status: 409, RequestID: "req-7"}, status.ProblemAmbiguousName, ""},
		{"limited", problem(429, api.CodeLimited, func(p *api.Problem) { p.RetryAt = &retry }), Error{Kind: KindAnswer, Code: api.CodeLimited, Status: 429, RetryAt: retry, RequestID: "req-7"}, status.ProblemLimited, ""},
		{"directory down", problem(503, api.CodeDirectoryUnavailable, nil), Error{Kind: KindAnswer, Code: api.CodeDirectoryUnavailable, Status: 503, RequestID: "req-7"}, status.ProblemDirectoryUnavailable, ""},
		{"internal", problem(500, api.CodeInternal, nil), Error{Kind: KindAnswer, Code: api.CodeInternal, Status: 500, RequestID: "req-7"}, status.ProblemServer, ""},
		{"a code of a newer server", problem(418, "teapot", nil), Error{Kind: KindAnswer, Code: "teapot", Status: 418, RequestID: "req-7"}, status.ProblemServer, ""},
		{"fields", problem(422, api.CodeInvalid, func(p *api.Problem) { p.Fields = []string{"username"} }), Error{Kind: KindAnswer, Code: api.CodeInvalid, Status: 422, RequestID: "req-7"}, status.ProblemInvalid, "(username)"},
		{"MFA wanted", problem(403, api.CodeMFARequired, func(p *api.Problem) { p.Method = api.MethodMicrosoft }), Error{Kind: KindAnswer, Code: api.CodeMFARequired, Status: 403, Method: status.MethodMicrosoft, RequestID: "req-7"}, status.ProblemMFARequired, ""},
		{"a method of a newer server", problem(403, api.CodeMethodOff, func(p *api.Problem) { p.Method = "telepathy" }), Error{Kind: KindAnswer, Code: api.CodeMethodOff, Status: 403, RequestID: "req-7"}, status.ProblemMethodOff, ""},
		{"token of no use", problem(401, api.CodeTokenInvalid, nil), Error{Kind: KindAnswer, Code: api.CodeTokenInvalid, Status: 401, RequestID: "req-7"}, status.ProblemProvider, ""},
		{"nobody here", problem(403, api.CodeNoAccount, nil), Error{Kind: KindAnswer, Code: api.CodeNoAccount, Status: 403, RequestID: "req-7"}, status.ProblemNoAccount, ""},
		{"no consent", problem(403, api.CodeConsentRequired, nil), Error{Kind: KindAnswer, Code: api.CodeConsentRequired, Status: 403, RequestID: "req-7"}, status.ProblemConsentRequired, ""},
		{"device blocked", problem(403, api.CodeDeviceBlocked, nil), Error{Kind: KindAnswer, Code: api.CodeDeviceBlocked, Status: 403, RequestID: "req-7"}, status.ProblemDeviceBlocked, ""},
		{"not vouched for", problem(403, api.CodeTrustRefused, nil), Error{Kind: KindAnswer, Code: api.CodeTrustRefused, Status: 403, RequestID: "req-7"}, status.ProblemTrustRefused, ""},
		{"a description that is none", func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, api.ContentTypeProblem, "x") }, Error{Kind: KindServer, Status: 500}, status.ProblemServer, ""},
		{"hostile text", problem(500, api.CodeInternal, func(p *api.Problem) { p.Detail = "a\n\x1b[31m\u202eb" + strings.Repeat("c", 9999); p.RequestID = "" }), Error{Kind: KindAnswer, Code: api.CodeInternal, Status: 500}, status.ProblemServer, "a  [31m b"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example.net/?token=x", http.StatusFound)
		}, Error{Kind: KindNotPlaten, Status: 302}, status.ProblemServer, "https://login.example.net,"},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>Welcome to the hotel</html>")
		}, Error{Kind: KindNotPlaten, Status: 200}, status.ProblemServer, "text/html"},
		{"other JSON", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, "application/json", map[string]int{"a": 1})
		}, Error{Kind: KindNotPlaten, Status: 200}, status.ProblemServer, ""},
		{"broken JSON", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"version":`)
		}, Error{Kind: KindServer, Status: 200}, status.ProblemServer, ""},
		{"not found", http.NotFound, Error{Kind: KindNotPlaten, Status: 404}, status.ProblemServer, ""},
		{"a gateway's error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Bad Gateway", http.StatusBadGateway) }, Error{Kind: KindServer, Status: 502}, status.ProblemServer, "502"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range api.MaxResponseBody/1024 + 2 {
				_, _ = io.WriteString(w, strings.Repeat(" ", 1024))
			}
		}, Error{Kind: KindServer, Status: 200}, status.ProblemServer, "larger than"},
		{"truncated", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"version":"1"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, Error{Kind: KindUnreachable}, status.ProblemUnreachable, "broke off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := believed(t, tc.handler).ClientConfig(t.Context())
			e := failure(t, err)
			if e.Problem.Code != tc.problem || !strings.Contains(e.Error(), tc.text) || len(e.Error()) > 1000 {
				t.Errorf("got %s: %v; want %s with %q", e.Problem.Code, e, tc.problem, tc.text)
			}
			got := Error{Kind: e.Kind, Code: e.Code, Status: e.Status, RetryAt: e.RetryAt, RequestID: e.RequestID, Method: e.Method}
			if e.Problem.Method != e.Method {
				t.Errorf("people are told of %q, programs of %q", e.Problem.Method, e.Method)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	c := believed(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := c.ClientConfig(ctx)
		if e := failure(t, err); e.Kind != KindUnreachable {
			t.Errorf("got %s, want unreachable: the server is too slow", e.Kind)
		}
	})
	t.Run("cancelled by the caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.ClientConfig(ctx)
		if _, ok := errors.AsType[*Error](err); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestCalls(t *testing.T) {
	balance := api.Balance{Amount: "12.34", Available: "12.34", Currency: "EUR", Version: 3}
	var seen atomic.Value
	c := believed(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen.Store(fmt.Sprintf("%s %s auth=%q agent=%q type=%q body=%s", r.Method, r.URL, r.Header.Get("Authorization"), r.UserAgent(), r.Header.Get("Content-Type"), body))
		switch r.URL.Path {
		case api.PathSessions, api.PathSessionToken, api.PathSessionCode, api.PathSessionRefresh:
			reply(w, 201, "application/json", api.Session{AccessToken: "a1", RefreshToken: "r1", User: api.User{ID: "u", Username: "alex"}})
		case api.PathSessionCurrent:
			w.WriteHeader(204)
		case api.PathMe:
			reply(w, 200, "application/json", api.Me{User: api.User{ID: "u"}, Balance: balance})
		case api.PathBalance:
			reply(w, 200, "application/json; charset=utf-8", balance)
		case api.PathTransactions:
			reply(w, 200, "application/json", api.TransactionList{More: true})
		case api.PathBalanceHistory:
			reply(w, 200, "application/json", api.BalanceHistory{Currency: "EUR"})
		}
	})
	ctx, access := t.Context(), secret.New("tok")
	const agent = ` agent="platen test"`
	for _, tc := range []struct {
		name string
		call func() (any, error)
		want string
		got  any
	}{
		{
			"sign in",
			func() (any, error) {
				s, err := c.SignIn(ctx, api.SignIn{Username: "alex", Password: "no"}, secret.New("pw"))
				return s.Access.Reveal() + s.Refresh.Reveal() + s.User.Username, err
			},
			`POST /api/v1/sessions auth=""` + agent + ` type="application/json" body={"username":"alex","password":"pw","os_account":{}}`, "a1r1alex",
		},
		{
			"sign in by a token",
			func() (any, error) {
				s, err := c.SignInToken(ctx, api.TokenSignIn{Provider: api.MethodMicrosoft, AccessToken: "no", StaySignedIn: true}, secret.New("jwt"))
				return s.Access.Reveal() + s.Refresh.Reveal() + s.User.Username, err
			},
			`POST /api/v1/sessions/token auth=""` + agent + ` type="application/json" body={"provider":"microsoft","access_token":"jwt","stay_signed_in":true,"os_account":{}}`, "a1r1alex",
		},
		{
			"sign in by a code",
			func() (any, error) {
				s, err := c.SignInCode(ctx, api.CodeSignIn{Code: "no", Verifier: "no", Shared: true}, secret.New("code"), secret.New("verifier"))
				return s.Access.Reveal() + s.Refresh.Reveal() + s.User.Username, err
			},
			`POST /api/v1/sessions/code auth=""` + agent + ` type="application/json" body={"code":"code","verifier":"verifier","shared_computer":true,"os_account":{}}`, "a1r1alex",
		},
		{
			"refresh",
			func() (any, error) { s, err := c.Refresh(ctx, secret.New("r0")); return s.Access.Reveal(), err },
			`POST /api/v1/sessions/refresh auth=""` + agent + ` type="application/json" body={"refresh_token":"r0"}`, "a1",
		},
		{"sign out", func() (any, error) { return nil, c.SignOut(ctx, access) }, `DELETE /api/v1/sessions/current auth="Bearer tok"` + agent + ` type="" body=`, nil},
		{"me", func() (any, error) { m, err := c.Me(ctx, access); return m.Balance, err }, `GET /api/v1/me auth="Bearer tok"` + agent + ` type="" body=`, balance},
		{"balance", func() (any, error) { return c.Balance(ctx, access) }, `GET /api/v1/me/balance auth="Bearer tok"` + agent + ` type="" body=`, balance},
		{"transactions", func() (any, error) { return c.Transactions(ctx, access, 7, 9999) }, `GET /api/v1/me/transactions?before=7&limit=200 auth="Bearer tok"` + agent + ` type="" body=`, api.TransactionList{More: true}},
		{"newest transactions", func() (any, error) { return c.Transactions(ctx, access, 0, 0) }, `GET /api/v1/me/transactions auth="Bearer tok"` + agent + ` type="" body=`, api.TransactionList{More: true}},
		{"history", func() (any, error) { return c.BalanceHistory(ctx, access, 30) }, `GET /api/v1/me/balance-history?days=30 auth="Bearer tok"` + agent + ` type="" body=`, api.BalanceHistory{Currency: "EUR"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.call()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, seen.Load()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.got, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVisitLooksAtTheConnection(t *testing.T) {
	ca := newAuthority(t, "CA")
	leaf := newCert(t, "server", &ca, nil)
	var count atomic.Int64
	opts := options(t, serve(t, chain(leaf, ca), platen(&count)))
	opts.CAPin = ca.pin()
	v, err := client(t, opts).Visit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Chain) != 2 || !v.Chain[0].Equal(leaf.cert) || !v.Chain[1].Equal(ca.cert) || v.TLSVersion != "TLS 1.3" || v.Config.Version != "1.0" || v.Took <= 0 {
		t.Errorf("got %+v", v)
	}
}

func TestSkewComesFromTheServersClock(t *testing.T) {
	ca := newAuthority(t, "CA")
	var count atomic.Int64
	opts := options(t, serve(t, chain(newCert(t, "server", &ca, nil)), platen(&count)))
	opts.CAFile = pemFile(t, ca)
	behind := 2 * time.Hour
	opts.Clock = func() time.Time { return time.Now().Add(behind) }
	c := client(t, opts)
	if _, known := c.Skew(); known {
		t.Error("the skew is known before any answer")
	}
	if _, err := c.ClientConfig(t.Context()); err != nil {
		t.Fatal(err)
	}
	skew, known := c.Skew()
	if !known || (skew+behind).Abs() > time.Minute {
		t.Errorf("got %s, %v; want about -2h", skew, known)
	}
}

// TestNoSecretLeaves runs every kind of failure with recognisable secrets and searches all that can be shown or logged.
func TestNoSecretLeaves(t *testing.T) {
	const canary = "canary-7f3e"
	handlers := map[string]http.HandlerFunc{
		"echo as page": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(400); _, _ = io.Copy(w, r.Body) },
		"echo as JSON": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.Copy(w, r.Body)
		},
		"tokens, then junk": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"`+canary+`","access_expires":"`+canary+`"}`)
		},
		"tokens missing": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, "application/json", api.Session{AccessToken: canary})
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/?t="+canary, http.StatusFound) },
		"cut":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 401, api.ContentTypeProblem, api.Problem{Code: api.CodeWrongCredentials})
		},
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			ca := newAuthority(t, "CA")
			opts := options(t, serve(t, chain(newCert(t, "server", &ca, nil)), handler))
			opts.CAFile = pemFile(t, ca)
			var logged strings.Builder
			opts.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c := client(t, opts)
			_, signIn := c.SignIn(t.Context(), api.SignIn{Username: "alex"}, secret.New(canary))
			_, byToken := c.SignInToken(t.Context(), api.TokenSignIn{Provider: api.MethodMicrosoft}, secret.New(canary))
			_, byCode := c.SignInCode(t.Context(), api.CodeSignIn{}, secret.New(canary), secret.New(canary))
			_, refresh := c.Refresh(t.Context(), secret.New(canary))
			_, me := c.Me(t.Context(), secret.New(canary))
			_, badToken := c.Me(t.Context(), secret.New(canary+"\r\nX: y"))
			follow := c.Follow(t.Context(), secret.New(canary), 0, func(Event) {})
			if signIn == nil || byToken == nil || byCode == nil || refresh == nil || badToken == nil || follow == nil {
				t.Errorf("a failure is missing: %v, %v, %v, %v, %v, %v", signIn, byToken, byCode, refresh, badToken, follow)
			}
			for _, err := range []error{signIn, byToken, byCode, refresh, me, badToken, follow} {
				shown := fmt.Sprintf("%v %+v %#v", err, err, err)
				if e, ok := errors.AsType[*Error](err); ok {
					text, _ := json.Marshal(e.Problem)
					shown += string(text) + fmt.Sprintf("%+v", *e)
				}
				if strings.Contains(shown, canary) {
					t.Errorf("the secret is in: %s", shown)
				}
			}
			if strings.Contains(logged.String(), canary) {
				t.Errorf("the secret is in the log: %s", logged.String())
			}
		})
	}
}
