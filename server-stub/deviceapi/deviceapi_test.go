package deviceapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/deviceapi"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const verifier = "dBjftJeZ4CVP-mBsE0Nj5M-_-VbHEH-KtUhlFJcgcQ0-x"

// site is a device listener with everything behind it.
type site struct {
	*deviceauth.Service
	handler *deviceapi.Handler
	address string
	roots   *x509.CertPool
	codes   *codes.Service
	alex    core.UserID
	offset  atomic.Int64
	log     lockedBuffer
}

func (s *site) now() time.Time { return start.Add(time.Duration(s.offset.Load())) }

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

func secretOf(text string) secret.String { return secret.New(text) }

func open(t *testing.T) *site {
	t.Helper()
	s := &site{}
	logger := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	k, err := keys.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := pki.OpenDevices(dir, k, s.now, logger)
	if err != nil {
		t.Fatal(err)
	}
	own, err := pki.OpenOwn(dir, k, s.now, logger, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	caPEM, err := dir.Read(datadir.CACert)
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(caPEM)
	db := storetest.OpenSQLite(t)
	groups, err := deviceauth.ParseGroups(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	s.codes = codes.New(db, s.now)
	s.Service = deviceauth.New(deviceauth.Options{
		Store: db, Clock: s.now, CA: ca, Codes: s.codes, Groups: groups, Modes: []string{"trust"}, Key: [32]byte{1}, ServerCA: string(caPEM), Logger: logger,
		Rules:    names.Rules{Domains: []names.Domain{{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "ad"}}},
		OnRevoke: func(_ context.Context, device string) { s.handler.Disconnect(device) },
	})
	s.handler = deviceapi.New(deviceapi.Deps{
		Devices: s.Service, ServerCA: string(caPEM), Clock: s.now, Logger: logger, Meters: inbound.NewMeters(prometheus.NewRegistry()),
	})
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		id, err := tx.CreateUser(t.Context(), core.User{Username: "alex@example.org", Source: "ad"})
		s.alex = id
		return errors.Join(err, tx.PutName(t.Context(), core.LoginName{UserID: id, Name: "alex", Folded: auth.Folded("alex"), Kind: core.NameSAM, Domain: "corp", Source: "ad", ValidFrom: start}))
	}); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := s.handler.Server(pki.DeviceTLSConfig(own, ca))
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(inbound.Guard(ln, nil, s.now), "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("ServeTLS: %v", err)
		}
	})
	s.address = ln.Addr().String()
	return s
}

// machine is a computer with its key and its connections.
type machine struct {
	site   *site
	t      *testing.T
	id     string
	key    *ecdsa.PrivateKey
	cert   *tls.Certificate
	device string
	http   *http.Client
}

func (s *site) machine(t *testing.T, name string) *machine {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{site: s, t: t, id: "machine-" + name, key: key}
	m.reconnect(tls.NewLRUClientSessionCache(4))
	return m
}

// reconnect forgets the connections of before.
func (m *machine) reconnect(cache tls.ClientSessionCache) {
	if m.http != nil {
		m.http.CloseIdleConnections()
	}
	m.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: m.site.roots, Time: m.site.now, ClientSessionCache: cache, MinVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if m.cert == nil {
				return &tls.Certificate{}, nil
			}
			return m.cert, nil
		},
	}}}
	m.t.Cleanup(m.http.CloseIdleConnections)
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	problem api.Problem
	tls     *tls.ConnectionState
}

// post sends in and reads out, or the problem.
func (m *machine) post(path string, in, out any) (answer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.send("POST", path, "application/json", body, out)
}

func (m *machine) send(method, path, kind string, body []byte, out any) (answer, error) {
	r, err := http.NewRequestWithContext(m.t.Context(), method, "https://"+m.site.address+path, bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := m.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, tls: resp.TLS}
	if a.status != http.StatusOK {
		if got := resp.Header.Get("Content-Type"); got != api.ContentTypeProblem {
			m.t.Errorf("%s: an error of type %s: %s", path, got, text)
		}
		out = &a.problem
	}
	if err := json.Unmarshal(text, out); err != nil {
		m.t.Errorf("%s: %v: %s", path, err, text)
	}
	return a, nil
}

// must is post that must be answered.
func (m *machine) must(path string, in, out any) answer {
	m.t.Helper()
	a, err := m.post(path, in, out)
	if err != nil {
		m.t.Fatalf("%s: %v", path, err)
	}
	return a
}

func (m *machine) enrolment(token string) api.Enrolment {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, m.key)
	if err != nil {
		m.t.Fatal(err)
	}
	return api.Enrolment{
		Token: token, CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		Machine: api.MachineID{ID: m.id}, Report: api.DeviceReport{Hostname: m.id},
	}
}

// enrol makes the machine a device.
func (m *machine) enrol() {
	m.t.Helper()
	_, token, err := m.site.CreateToken(m.t.Context(), "admin", deviceauth.NewToken{})
	if err != nil {
		m.t.Fatal(err)
	}
	var e api.Enrolled
	if a := m.must(api.PathDeviceEnrol, m.enrolment(token.Reveal()), &e); a.status != 200 {
		m.t.Fatalf("enrol: %+v", a.problem)
	}
	if strings.Contains(m.site.log.String(), token.Reveal()) {
		m.t.Error("the log has the token")
	}
	block, _ := pem.Decode([]byte(e.Certificate))
	m.cert, m.device = &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: m.key}, e.DeviceID
	m.reconnect(nil)
}

// assertion asks for a nonce and signs with it that the account is logged on.
func (m *machine) assertion(name string) (api.Assertion, answer) {
	m.t.Helper()
	var n api.Nonce
	a := m.must(api.PathDeviceNonce, struct{}{}, &n)
	return m.sign(name, m.device, n.Nonce), a
}

func (m *machine) sign(name, device, nonce string) api.Assertion {
	body, err := json.Marshal(api.AssertionBody{
		Version: 1, Device: device, MachineID: m.id, OSAccount: api.OSAccount{Kind: "domain", Domain: "CORP", Name: name, JoinDomain: "CORP"},
		Challenge: api.Challenge(verifier), Nonce: nonce, IssuedAt: m.site.now(), ExpiresAt: m.site.now().Add(time.Minute),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	digest := api.AssertionDigest(body)
	signature, err := ecdsa.SignASN1(rand.Reader, m.key, digest[:])
	if err != nil {
		m.t.Fatal(err)
	}
	return api.Assertion{Body: body, Signature: signature}
}

func TestAMachineEnrolsAndVouchesOverTheWire(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	var st api.DeviceState
	if a := m.must(api.PathDeviceState, api.DeviceReport{Hostname: "pc1", MachineID: m.id}, &st); a.status != 200 || st.DeviceID != m.device || st.Group != "default" {
		t.Fatalf("state: %+v %+v", a.problem, st)
	}
	assertion, _ := m.assertion("alex")
	var code api.TrustCode
	if a := m.must(api.PathDeviceAssertion, assertion, &code); a.status != 200 {
		t.Fatalf("assertion: %+v", a.problem)
	}
	grant, err := s.codes.Redeem(t.Context(), secretOf(code.Code), verifier)
	if err != nil || grant.User != s.alex || grant.Device != m.device {
		t.Errorf("grant: %+v, %v", grant, err)
	}
	var e api.Enrolled
	in := m.enrolment("")
	if a := m.must(api.PathDeviceRenew, api.Renewal{CSR: in.CSR, Machine: in.Machine}, &e); a.status != 200 || e.DeviceID != m.device {
		t.Errorf("renewal: %+v %+v", a.problem, e)
	}
	for _, canary := range []string{code.Code, "alex"} {
		if strings.Contains(s.log.String(), canary) {
			t.Errorf("the log has %q", canary)
		}
	}
}

// R-TRUST-1: what no certificate stands behind is nobody's word.
func TestR_TRUST_1_AForgedNameWithoutACertificateIs401(t *testing.T) {
	s := open(t)
	m, stranger := s.machine(t, "a"), s.machine(t, "b")
	m.enrol()
	assertion, _ := m.assertion("alex")
	for path, in := range map[string]any{
		api.PathDeviceAssertion: assertion, api.PathDeviceNonce: struct{}{}, api.PathDeviceState: api.DeviceReport{}, api.PathDeviceRenew: api.Renewal{},
	} {
		if a := stranger.must(path, in, nil); a.status != 401 || a.problem.Code != api.CodeDeviceUnknown {
			t.Errorf("%s without a certificate: %d %s", path, a.status, a.problem.Code)
		}
	}
}

// R-TRUST-2, over the wire: the certificate of one device with the assertion of another.
func TestR_TRUST_2_TheCertificateOfOneDeviceWithTheAssertionOfAnotherIs401(t *testing.T) {
	s := open(t)
	a, b := s.machine(t, "a"), s.machine(t, "b")
	a.enrol()
	b.enrol()
	assertion, _ := b.assertion("alex")
	if got := a.must(api.PathDeviceAssertion, assertion, nil); got.status != 401 || got.problem.Code != api.CodeUnauthenticated {
		t.Errorf("%d %s", got.status, got.problem.Code)
	}
}

// R-TRUST-3, over the wire.
func TestR_TRUST_3_AReplayedNonceIs401(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	assertion, _ := m.assertion("alex")
	var code api.TrustCode
	if a := m.must(api.PathDeviceAssertion, assertion, &code); a.status != 200 {
		t.Fatal(a.problem)
	}
	if a := m.must(api.PathDeviceAssertion, assertion, nil); a.status != 401 || a.problem.Code != api.CodeCodeInvalid {
		t.Errorf("%d %s", a.status, a.problem.Code)
	}
}

// R-TRUST-4, over the wire: unknown and not allowed are one answer, byte by byte.
func TestR_TRUST_4_TheAnswerDoesNotTellWhichNamesThereAre(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	var problems []api.Problem
	for _, name := range []string{"nobody", "alex$", "Administrator"} {
		assertion, _ := m.assertion(name)
		a := m.must(api.PathDeviceAssertion, assertion, nil)
		if a.status != 403 || a.problem.Code != api.CodeTrustRefused {
			t.Errorf("%s: %d %s", name, a.status, a.problem.Code)
		}
		a.problem.RequestID = ""
		problems = append(problems, a.problem)
	}
	for _, p := range problems[1:] {
		if diff := cmp.Diff(problems[0], p); diff != "" {
			t.Errorf("the answers differ:\n%s", diff)
		}
	}
}

func TestAWrongClockIsNamed(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	var n api.Nonce
	m.must(api.PathDeviceNonce, struct{}{}, &n)
	s.offset.Store(int64(-5 * time.Minute))
	late := m.sign("alex", m.device, n.Nonce)
	s.offset.Store(0)
	if a := m.must(api.PathDeviceAssertion, late, nil); a.status != 401 || a.problem.Code != api.CodeClock || !strings.Contains(a.problem.Detail, "clock") {
		t.Errorf("%d %s %s", a.status, a.problem.Code, a.problem.Detail)
	}
}

// F18 and R-TLS-2: a revocation counts at once, on the connection that is open, on a new one, and for a session that the client
// would resume.
func TestFault_F18_ARevokedDeviceIsRefusedAtOnce(t *testing.T) {
	for _, way := range []string{"the open connection", "a new connection", "resumption"} {
		t.Run(way, func(t *testing.T) {
			s := open(t)
			m := s.machine(t, "a")
			m.enrol()
			cache := tls.NewLRUClientSessionCache(4)
			m.reconnect(cache)
			_, before := m.assertion("alex")
			if before.status != 200 {
				t.Fatal(before.problem)
			}
			if way == "a new connection" {
				m.reconnect(nil)
			}
			if way == "resumption" {
				m.reconnect(cache)
			}
			began := time.Now()
			if _, err := s.Revoke(t.Context(), "admin", m.device); err != nil {
				t.Fatal(err)
			}
			var n api.Nonce
			a, err := m.post(api.PathDeviceNonce, struct{}{}, &n)
			if err == nil && (a.status != 401 || a.problem.Code != api.CodeDeviceUnknown) {
				t.Errorf("%d %+v", a.status, a.problem)
			}
			if err == nil && a.tls.DidResume {
				t.Error("the session was resumed")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestFault_F18_TheConnectionsOfARevokedDeviceAreClosed(t *testing.T) {
	s := open(t)
	a, b := s.machine(t, "a"), s.machine(t, "b")
	a.enrol()
	b.enrol()
	dial := func(m *machine) *tls.Conn {
		c, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.roots, Time: s.now, Certificates: []tls.Certificate{*m.cert}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, "POST "+api.PathDeviceNonce+" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 4096)); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		return c
	}
	connA, connB := dial(a), dial(b)
	if _, err := s.Revoke(t.Context(), "admin", a.device); err != nil {
		t.Fatal(err)
	}
	if err := connA.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	for {
		if _, err := connA.Read(make([]byte, 4096)); errors.As(err, &timeout) && timeout.Timeout() {
			t.Fatal("the connection of the revoked device is open after 5 s")
		} else if err != nil {
			break
		}
	}
	if _, err := io.WriteString(connB, "POST "+api.PathDeviceNonce+" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if n, err := connB.Read(make([]byte, 4096)); n == 0 || err != nil {
		t.Errorf("the connection of another device: %v", err)
	}
}

func TestFault_F18_ACertificateThatEndsOnAnOpenConnection(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	if _, a := m.assertion("alex"); a.status != 200 {
		t.Fatal(a.problem)
	}
	s.offset.Store(int64(pki.DeviceValid + time.Minute))
	if a, err := m.post(api.PathDeviceNonce, struct{}{}, nil); err == nil && (a.status != 401 || a.problem.Code != api.CodeDeviceUnknown) {
		t.Errorf("%d %+v", a.status, a.problem)
	}
	m.reconnect(nil)
	if a, err := m.post(api.PathDeviceNonce, struct{}{}, nil); err == nil {
		t.Errorf("a new connection with it is answered %d", a.status)
	}
}

func TestRoutes(t *testing.T) {
	want := map[string]string{
		"GET " + api.PathDeviceCA: "anyone", "POST " + api.PathDeviceEnrol: "anyone", "POST " + api.PathDeviceRenew: "device",
		"POST " + api.PathDeviceState: "device", "POST " + api.PathDeviceNonce: "device", "POST " + api.PathDeviceAssertion: "device",
	}
	if diff := cmp.Diff(want, open(t).handler.Routes()); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestTheCAIsForEverybodyAndEverythingElseIsNot(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	resp, err := m.http.Get("https://" + s.address + api.PathDeviceCA)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if block, _ := pem.Decode(text); resp.StatusCode != 200 || block == nil {
		t.Errorf("the CA: %d %s", resp.StatusCode, text)
	}
	for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"} {
		if resp.Header.Get(header) == "" {
			t.Errorf("no header %s", header)
		}
	}
	for _, target := range []string{"GET /", "GET /api/v1/me", "GET " + api.PathDeviceNonce, "POST //device/v1/nonces", "POST /device/v1/../v1/nonces", "POST /device/v1/%6eonces", "DELETE " + api.PathDeviceCA} {
		method, path, _ := strings.Cut(target, " ")
		if a, err := m.send(method, path, "application/json", nil, nil); err != nil || a.status != 404 {
			t.Errorf("%s: %d, %v", target, a.status, err)
		}
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	s := open(t)
	m := s.machine(t, "a")
	m.enrol()
	for name, tt := range map[string]struct {
		kind, body string
		status     int
		code       api.Code
	}{
		"no JSON":       {"application/json", "x", 422, api.CodeInvalid},
		"unknown field": {"application/json", `{"hostname":"a","root":true}`, 422, api.CodeInvalid},
		"two values":    {"application/json", `{} {}`, 422, api.CodeInvalid},
		"not UTF-8":     {"application/json", "{\"hostname\":\"\xff\"}", 422, api.CodeInvalid},
		"a form":        {"application/x-www-form-urlencoded", `{}`, 422, api.CodeInvalid},
		"too large":     {"application/json", `{"hostname":"` + strings.Repeat("a", api.MaxRequestBody) + `"}`, 413, api.CodeTooLarge},
	} {
		a, err := m.send("POST", api.PathDeviceState, tt.kind, []byte(tt.body), nil)
		if err != nil || a.status != tt.status || a.problem.Code != tt.code || a.problem.RequestID == "" {
			t.Errorf("%s: %d %+v, %v", name, a.status, a.problem, err)
		}
	}
	bad := s.machine(t, "x").enrolment(api.EnrolmentSecretPrefix + strings.Repeat("a", 26))
	for i := range 11 {
		a := m.must(api.PathDeviceEnrol, bad, nil)
		if i == 10 && (a.status != 429 || a.problem.Code != api.CodeLimited || a.problem.RetryAt == nil || a.header.Get("Retry-After") == "") {
			t.Errorf("try %d: %d %+v", i, a.status, a.problem)
		}
		if i < 10 && (a.status != 401 || a.problem.Code != api.CodeCodeInvalid) {
			t.Errorf("try %d: %d %+v", i, a.status, a.problem)
		}
		bad = s.machine(t, string(rune('b'+i))).enrolment(bad.Token)
	}
}
