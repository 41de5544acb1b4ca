// Package machinetest has a print server's device listener for tests: real TLS with a CA of its own and a device CA, and
// answers as internal/api describes them.
package machinetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Secret is the secret of the one enrolment token that the server takes.
const Secret = api.EnrolmentSecretPrefix + "canarytokenxxxxxxxxxxxxxxx"

// Server is a device listener. Its fields may be changed under Change.
type Server struct {
	t        *testing.T
	http     *httptest.Server
	front    *httptest.Server
	ca       authority
	deviceCA authority

	mu sync.Mutex
	// State is what it wants of its devices, DeviceID aside.
	State api.DeviceState
	// Approve is whether devices without a token are let in.
	Approve bool
	// Down answers 503 to everything; Lose does what is asked and hangs up instead of answering.
	Down, Lose bool
	// Life of certificates; zero: 90 days.
	Life    time.Duration
	Revoked map[string]bool // by device id
	Refuse  api.Code        // of assertions, "" for none
	Limited bool            // enrolments
	KeyUsed int             // how many enrolments are told to use another key
	// Front answers in the place of the API's listener; nil: as the server does, with WellKnown.
	Front     http.HandlerFunc
	WellKnown api.WellKnown
	FrontSeen []string // paths that the API's listener was asked for

	Asked      []string // paths
	Enrolments []api.Enrolment
	Reports    []api.DeviceReport
	Assertions []api.AssertionBody
	keys       map[string]*ecdsa.PublicKey // by device id
	nonces     map[string]bool
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New starts a listener that ends with the test.
func New(t *testing.T) *Server {
	t.Helper()
	s := &Server{
		t: t, ca: newAuthority(t, "server CA"), deviceCA: newAuthority(t, "device CA"), Revoked: map[string]bool{},
		keys: map[string]*ecdsa.PublicKey{}, nonces: map[string]bool{},
		State: api.DeviceState{Group: "default", Role: "personal", AuthModes: []string{}, SharedOSUsers: []string{}},
	}
	devices := x509.NewCertPool()
	devices.AddCert(s.deviceCA.cert)
	s.http = s.listen(s.serve, &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: devices})
	s.front = s.listen(s.serveFront, &tls.Config{})
	_, port, err := net.SplitHostPort(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	s.WellKnown = api.WellKnown{
		Product: api.WellKnownProduct, V: api.WellKnownV, DeviceAddress: ":" + port, CAPins: []string{s.Pin().String()}, Version: "1.2.3",
	}
	return s
}

// listen starts a listener with a certificate of the server's CA.
func (s *Server) listen(handler http.HandlerFunc, config *tls.Config) *httptest.Server {
	key := newKey(s.t)
	der := s.ca.sign(s.t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "print"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, &key.PublicKey, 24*time.Hour)
	config.Certificates, config.MinVersion = []tls.Certificate{{Certificate: [][]byte{der, s.ca.cert.Raw}, PrivateKey: key}}, tls.VersionTLS13
	server := httptest.NewUnstartedServer(handler)
	server.TLS = config
	server.Config.ErrorLog = log.New(s.t.Output(), "", 0)
	server.StartTLS()
	s.t.Cleanup(server.Close)
	return server
}

// Address is its HOST:PORT.
func (s *Server) Address() string { return s.http.Listener.Addr().String() }

// URL is where people sign in, and where computers ask for Address.
func (s *Server) URL() string { return s.front.URL }

// CA is its certificate authority, PEM.
func (s *Server) CA() string { return text(s.ca.cert.Raw) }

// Pin is its CA's.
func (s *Server) Pin() api.Pin { return api.PinOf(s.ca.cert) }

// Token is an enrolment token's text; secretText may be "".
func (s *Server) Token(secretText string) string {
	pin := s.Pin()
	return api.EnrolmentToken{Address: s.Address(), Pin: &pin, Secret: secret.New(secretText)}.Text().Reveal()
}

// Change changes the fields, or looks at them.
func (s *Server) Change(f func(*Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// Key returns the key that a device enrolled with.
func (s *Server) Key(device string) *ecdsa.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[device]
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{key: newKey(t)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = template
	der := a.sign(t, template, &a.key.PublicKey, 24*time.Hour)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert = cert
	return a
}

func (a authority) sign(t *testing.T, template *x509.Certificate, key *ecdsa.PublicKey, life time.Duration) []byte {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Error(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, time.Now().Add(-time.Minute), time.Now().Add(life)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		t.Error(err)
	}
	return der
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Asked = append(s.Asked, r.URL.Path)
	if s.Down {
		s.problem(w, http.StatusServiceUnavailable, api.CodeUnavailable)
		return
	}
	device := ""
	if len(r.TLS.PeerCertificates) > 0 {
		device = r.TLS.PeerCertificates[0].Subject.CommonName
	}
	if r.URL.Path != api.PathDeviceEnrol && (device == "" || s.Revoked[device]) {
		s.problem(w, http.StatusUnauthorized, api.CodeDeviceUnknown)
		return
	}
	switch r.URL.Path {
	case api.PathDeviceEnrol:
		s.enrol(w, r)
	case api.PathDeviceRenew:
		var in api.Renewal
		s.read(r, &in)
		s.answer(w, s.certify(in.CSR, device))
	case api.PathDeviceState:
		var in api.DeviceReport
		s.read(r, &in)
		s.Reports = append(s.Reports, in)
		state := s.State
		state.DeviceID = device
		s.answer(w, state)
	case api.PathDeviceNonce:
		nonce := rand.Text()
		s.nonces[nonce] = true
		s.answer(w, api.Nonce{Nonce: nonce, Expires: time.Now().Add(api.NonceLife)})
	case api.PathDeviceAssertion:
		s.assertion(w, r, device)
	default:
		s.problem(w, http.StatusNotFound, api.CodeNotFound)
	}
}

// serveFront is the API's listener.
func (s *Server) serveFront(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.FrontSeen = append(s.FrontSeen, r.URL.Path)
	switch {
	case s.Front != nil:
		s.Front(w, r)
	case s.Down:
		s.problem(w, http.StatusServiceUnavailable, api.CodeUnavailable)
	case r.URL.Path == api.PathWellKnown && r.Method == http.MethodGet:
		s.answer(w, s.WellKnown)
	default:
		s.problem(w, http.StatusNotFound, api.CodeNotFound)
	}
}

func (s *Server) enrol(w http.ResponseWriter, r *http.Request) {
	var in api.Enrolment
	s.read(r, &in)
	s.Enrolments = append(s.Enrolments, in)
	if len(r.TLS.PeerCertificates) > 0 {
		s.t.Error("a device showed its certificate to enrol")
	}
	switch {
	case s.KeyUsed > 0:
		s.KeyUsed--
		s.problem(w, http.StatusConflict, api.CodeConflict)
	case s.Limited:
		s.problem(w, http.StatusTooManyRequests, api.CodeLimited)
	case in.Token != "" && in.Token != Secret:
		s.problem(w, http.StatusUnauthorized, api.CodeUnauthenticated)
	case in.Token == "" && !s.Approve && !s.knows(in.CSR):
		s.answer(w, api.Enrolled{Status: api.EnrolmentPending, PollAfter: 1})
	default:
		s.answer(w, s.certify(in.CSR, fmt.Sprintf("dev%d", len(s.keys)+1)))
	}
}

// knows tells whether the key of a request is a device's.
func (s *Server) knows(csr string) bool {
	block, _ := pem.Decode([]byte(csr))
	if block == nil {
		return false
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return false
	}
	for _, known := range s.keys {
		if known.Equal(request.PublicKey) {
			return true
		}
	}
	return false
}

func (s *Server) certify(csr, device string) api.Enrolled {
	block, _ := pem.Decode([]byte(csr))
	if block == nil {
		s.t.Error("no CSR")
		return api.Enrolled{}
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil {
		s.t.Errorf("CSR: %v", err)
		return api.Enrolled{}
	}
	key, ok := request.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		s.t.Error("no ECDSA key")
		return api.Enrolled{}
	}
	for id, known := range s.keys { // asked again after the answer was lost
		if known.Equal(key) {
			device = id
		}
	}
	s.keys[device] = key
	life := s.Life
	if life == 0 {
		life = 90 * 24 * time.Hour
	}
	der := s.deviceCA.sign(s.t, &x509.Certificate{
		Subject: pkix.Name{CommonName: device}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key, life)
	return api.Enrolled{
		Status: api.EnrolmentDone, DeviceID: device,
		Certificate: text(der) + text(s.deviceCA.cert.Raw), ServerCA: text(s.ca.cert.Raw),
	}
}

func text(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (s *Server) assertion(w http.ResponseWriter, r *http.Request, device string) {
	var in api.Assertion
	s.read(r, &in)
	var body api.AssertionBody
	if err := json.Unmarshal(in.Body, &body); err != nil {
		s.t.Error(err)
	}
	digest := api.AssertionDigest(in.Body)
	now := time.Now()
	switch {
	case !ecdsa.VerifyASN1(s.keys[device], digest[:], in.Signature), body.Device != device, body.Version != 1, !s.nonces[body.Nonce],
		body.IssuedAt.After(now.Add(time.Minute)), body.ExpiresAt.Before(now), body.ExpiresAt.Sub(body.IssuedAt) > api.AssertionLife:
		s.problem(w, http.StatusForbidden, api.CodeTrustRefused)
		return
	case s.Refuse != "":
		s.problem(w, http.StatusForbidden, s.Refuse)
		return
	}
	delete(s.nonces, body.Nonce)
	s.Assertions = append(s.Assertions, body)
	sum := sha256.Sum256([]byte(body.Nonce))
	s.answer(w, api.TrustCode{Code: fmt.Sprintf("canary-code-%x", sum[:8]), Expires: now.Add(api.TrustCodeLife)})
}

func (s *Server) read(r *http.Request, v any) {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		s.t.Error(err)
	}
}

func (s *Server) answer(w http.ResponseWriter, v any) {
	if s.Lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.t.Error(err)
	}
}

func (s *Server) problem(w http.ResponseWriter, status int, code api.Code) {
	w.Header().Set("Content-Type", api.ContentTypeProblem)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.Problem{Status: status, Code: code, Detail: "Do " + strings.ReplaceAll(string(code), "_", " ") + "."})
}
