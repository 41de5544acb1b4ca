package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/cli"
)

const trustVerifier = "dBjftJeZ4CVP-mBsE0Nj5M-_-VbHEH-KtUhlFJcgcQ0-x"

// computer is a machine that speaks to the device listener of a running server.
type computer struct {
	t       *testing.T
	address string
	key     *ecdsa.PrivateKey
	id      string
	http    *http.Client
}

// newComputer enrols a machine by a token.
func (r *running) newComputer(name string, token admin.EnrolmentToken) *computer {
	r.t.Helper()
	parsed, err := api.ParseEnrolmentToken(token.Token)
	if err != nil || parsed.Pin == nil {
		r.t.Fatalf("the token is not as it must be: %v", err)
	}
	pemText, err := os.ReadFile(filepath.Join(r.dir, "ca.pem"))
	if err != nil {
		r.t.Fatal(err)
	}
	block, _ := pem.Decode(pemText)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil || api.PinOf(ca) != *parsed.Pin {
		r.t.Fatalf("the token's pin is not the CA's: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	c := &computer{t: r.t, address: parsed.Address}
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		r.t.Fatal(err)
	}
	var pair *tls.Certificate
	c.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if pair == nil {
				return &tls.Certificate{}, nil
			}
			return pair, nil
		},
	}}}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, c.key)
	if err != nil {
		r.t.Fatal(err)
	}
	var e api.Enrolled
	if status, text := c.post(api.PathDeviceEnrol, api.Enrolment{
		Token: parsed.Secret.Reveal(), CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		Machine: api.MachineID{ID: "machine-" + name}, Report: api.DeviceReport{Hostname: name, Platform: "linux/amd64", Version: "1.0.0"},
	}, &e); status != http.StatusOK {
		r.t.Fatalf("enrol: %d %s", status, text)
	}
	block, _ = pem.Decode([]byte(e.Certificate))
	pair, c.id = &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: c.key}, e.DeviceID
	return c
}

func (c *computer) post(path string, in, out any) (int, string) {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), "POST", "https://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK && json.Unmarshal(text, out) != nil {
		c.t.Fatalf("%s: %s", path, text)
	}
	return resp.StatusCode, string(text)
}

// vouch asks for a code for somebody of the domain CORP.
func (c *computer) vouch(name string) (int, string, api.TrustCode) {
	c.t.Helper()
	var nonce api.Nonce
	if status, text := c.post(api.PathDeviceNonce, struct{}{}, &nonce); status != http.StatusOK {
		return status, text, api.TrustCode{}
	}
	body, err := json.Marshal(api.AssertionBody{
		Version: 1, Device: c.id, MachineID: "machine-pc1", Session: "c2", Challenge: api.Challenge(trustVerifier), Nonce: nonce.Nonce,
		OSAccount: api.OSAccount{Kind: "domain", Domain: "CORP", Name: name, UPN: name + "@example.org", Hostname: "pc1"},
		IssuedAt:  nonce.Expires.Add(-api.NonceLife), ExpiresAt: nonce.Expires,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	digest := api.AssertionDigest(body)
	signature, err := ecdsa.SignASN1(rand.Reader, c.key, digest[:])
	if err != nil {
		c.t.Fatal(err)
	}
	var code api.TrustCode
	status, text := c.post(api.PathDeviceAssertion, api.Assertion{Body: body, Signature: signature}, &code)
	return status, text, code
}

// Trust from the administrator's token to a session, and what a revocation does to all of it within five seconds.
func TestTrustFromATokenToASessionAndItsEnd(t *testing.T) {
	r := run(t, shortDir(t), map[string]string{"sign_in.modes": "trust,prompt"})
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "alex@example.org"})
	token := call[admin.EnrolmentToken](r, admin.VerbEnrolmentCreate, admin.EnrolmentCreate{})
	pc := r.newComputer("pc1", token)

	status, text, code := pc.vouch("alex")
	if status != http.StatusOK {
		t.Fatalf("assertion: %d %s", status, text)
	}
	redeem, err := json.Marshal(api.CodeSignIn{Code: code.Code, Verifier: trustVerifier, Client: "platen test"})
	if err != nil {
		t.Fatal(err)
	}
	c := r.client(true)
	status, text = r.ask(c, "POST", api.PathSessionCode, "", string(redeem))
	s := session(t, status, text)
	if s.User.Username != "alex@example.org" {
		t.Fatalf("signed in as %s", s.User.Username)
	}
	if status, text = r.ask(c, "POST", api.PathSessionCode, "", string(redeem)); status != http.StatusUnauthorized || !strings.Contains(text, string(api.CodeCodeInvalid)) {
		t.Errorf("the code a second time: %d %s", status, text)
	}
	if status, text, _ := pc.vouch("nobody"); status != http.StatusForbidden || !strings.Contains(text, string(api.CodeTrustRefused)) {
		t.Errorf("somebody unknown: %d %s", status, text)
	}
	list := call[admin.Devices](r, admin.VerbDeviceList, admin.DeviceList{})
	if len(list.Devices) != 1 || list.Devices[0].Hostname != "pc1" || len(list.Devices[0].Users) != 1 || list.Devices[0].Users[0] != "alex@example.org" {
		t.Errorf("device list: %+v", list)
	}
	if d := call[admin.DeviceDetails](r, admin.VerbDeviceShow, admin.DeviceRef{Device: "PC1"}); d.Sessions != 1 || d.TokenID != token.ID || len(d.Certificates) != 1 {
		t.Errorf("device show: %+v", d)
	}

	stream := r.stream(c, s.AccessToken)
	expect(t, stream, 10*time.Second, "event: "+api.EventBalance)
	<-stream // its data
	began := time.Now()
	if d := call[admin.Device](r, admin.VerbDeviceRevoke, admin.DeviceRef{Device: "pc1"}); d.Status != "revoked" {
		t.Errorf("device revoke: %+v", d)
	}
	expect(t, stream, 5*time.Second, "event: "+api.EventSignedOut)
	if status, text := r.ask(c, "GET", api.PathMe, s.AccessToken, ""); status != http.StatusUnauthorized {
		t.Errorf("the access token: %d %s", status, text)
	}
	if status, text, _ := pc.vouch("alex"); status != http.StatusUnauthorized || !strings.Contains(text, string(api.CodeDeviceUnknown)) {
		t.Errorf("the device: %d %s", status, text)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the revocation took %v", took)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	secret, _ := api.ParseEnrolmentToken(token.Token)
	for _, canary := range []string{secret.Secret.Reveal(), code.Code, trustVerifier, s.AccessToken, s.RefreshToken} {
		if strings.Contains(r.log.String()+r.out.String(), canary) {
			t.Error("the log has a secret")
		}
	}
}

// wait lets a computer ask to be enrolled without a token, and returns the fingerprint that it shows.
func (r *running) wait(name, domain string, key *ecdsa.PrivateKey) (fingerprint string) {
	r.t.Helper()
	pemText, err := os.ReadFile(filepath.Join(r.dir, "ca.pem"))
	if err != nil {
		r.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pemText)
	c := &computer{t: r.t, address: r.status.Devices, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		r.t.Fatal(err)
	}
	var e api.Enrolled
	status, text := c.post(api.PathDeviceEnrol, api.Enrolment{
		CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), Machine: api.MachineID{ID: "machine-" + name},
		Report: api.DeviceReport{Hostname: name, Platform: "linux/amd64", Version: "1.0.0", JoinDomain: domain},
	}, &e)
	if status != http.StatusOK || e.Status != api.EnrolmentPending {
		r.t.Fatalf("enrol: %d %s", status, text)
	}
	return e.Fingerprint
}

// E9: who waits is shown, asked about once, and approved or turned away together.
func TestE9_WaitingComputersAreApprovedTogether(t *testing.T) {
	r := run(t, shortDir(t), nil)
	keys := map[string]*ecdsa.PrivateKey{}
	prints := map[string]string{}
	for _, name := range []string{"PC-1", "PC-2", "KIOSK", "alien"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		domain := "CORP"
		if name == "alien" {
			domain = "OTHER"
		}
		keys[name], prints[name] = key, r.wait(name, domain, key)
	}
	command := func(terminal bool, input string, args ...string) (code int, out, errs string) {
		t.Helper()
		var o, e bytes.Buffer
		code = cli.Run(t.Context(), append(args, "--data", r.dir), cli.Streams{
			In: strings.NewReader(input), Out: &o, Err: &e, Getenv: func(string) string { return "" }, Terminal: terminal,
		}, cli.Assembly{})
		return code, o.String(), e.String()
	}
	states := func() string {
		var list []string
		for _, d := range call[admin.Devices](r, admin.VerbDeviceList, admin.DeviceList{}).Devices {
			list = append(list, d.Hostname+" "+d.Status)
		}
		return strings.Join(list, ", ")
	}
	waiting := states()
	code, out, errs := command(true, "n\n", "device", "approve", "--all-waiting", "--domain", "corp", "--name", "pc-*", "--network", "127.0.0.0/8")
	if code != cli.ExitFailed || !strings.Contains(errs, "Approve 2 computers? [y/N]") || !strings.Contains(out, prints["PC-1"]) || !strings.Contains(out, prints["PC-2"]) ||
		strings.Contains(out, prints["KIOSK"]) || strings.Contains(out, prints["alien"]) || states() != waiting {
		t.Errorf("no: code %d, %s%s; now %s", code, out, errs, states())
	}
	code, out, errs = command(true, "y\n", "device", "approve", "--all-waiting", "--domain", "corp", "--name", "pc-*", "--network", "127.0.0.0/8")
	if want := "KIOSK pending, PC-1 approved, PC-2 approved, alien pending"; code != cli.ExitOK || !strings.Contains(out, "2 computers approved") || states() != want {
		t.Errorf("yes: code %d, %s%s; now %s, want %s", code, out, errs, states(), want)
	}
	if code, out, errs := command(false, prints["KIOSK"]+"\n0000-0000-0000-0000-0000-0000-0000-0000\n", "device", "approve", "--file", "-", "--yes", "--json"); code != cli.ExitOK ||
		!strings.Contains(out, `"hostname": "KIOSK"`) || strings.Contains(out, "alien") {
		t.Errorf("a list: code %d, %s%s", code, out, errs)
	}
	if code, out, errs := command(false, "", "device", "forget", "--all-waiting"); code != cli.ExitUsage || !strings.Contains(errs, "--yes") || !strings.Contains(out, prints["alien"]) {
		t.Errorf("nobody to ask: code %d, %s%s", code, out, errs)
	}
	if code, out, errs := command(false, "", "device", "forget", "--all-waiting", "--yes"); code != cli.ExitOK || !strings.Contains(out, "One computer turned away.") {
		t.Errorf("turned away: code %d, %s%s", code, out, errs)
	}
	if code, out, _ := command(false, "", "device", "approve", "--all-waiting", "--yes"); code != cli.ExitOK || !strings.Contains(out, "No such computer waits.") {
		t.Errorf("nobody waits: code %d, %s", code, out)
	}
	for _, args := range [][]string{
		{"device", "approve"},
		{"device", "approve", "x", "--all-waiting"},
		{"device", "approve", "x", "--network", "10.0.0.0/8"},
		{"device", "forget", "--name", "x"},
		{"device", "approve", "--all-waiting", "--fingerprint", "x"},
	} {
		if code, out, errs := command(false, "", append(args, "--yes")...); code != cli.ExitUsage {
			t.Errorf("%v: code %d, %s%s", args, code, out, errs)
		}
	}
	if want := "KIOSK approved, PC-1 approved, PC-2 approved"; states() != want {
		t.Errorf("at the end: %s, want %s", states(), want)
	}
	if status := call[admin.Status](r, admin.VerbStatus, admin.Nothing{}); !strings.Contains(status.Setup, "/set-up with the token in "+filepath.Join(r.dir, "setup-token")) {
		t.Errorf("status does not say where the first owner is set up: %q", status.Setup)
	}
}
