package deviceauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var (
	start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	desk  = netip.MustParseAddr("10.20.0.7")
)

const verifier = "dBjftJeZ4CVP-mBsE0Nj5M-_-VbHEH-KtUhlFJcgcQ0-x"

// fixture is a server's side of devices: people of the domain CORP and of an Entra tenant, and a clock to move.
type fixture struct {
	*deviceauth.Service
	store   store.Store
	codes   *codes.Service
	now     time.Time
	revoked []string
	log     bytes.Buffer
	people  map[string]core.UserID
}

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	oid    = "73d664e4-0886-4a73-b745-c694da45ddb4"
	oidSID = "S-1-12-1-1943430372-1249052806-2496021943-3034400218" // of oid
)

func newFixture(t *testing.T, groups string) *fixture {
	t.Helper()
	return newFixtureOn(t, storetest.OpenSQLite(t), groups)
}

// stores are the databases that decide who comes first.
var stores = map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres}

func newFixtureOn(t *testing.T, db store.Store, groups string) *fixture {
	t.Helper()
	f := &fixture{store: db, now: start, people: map[string]core.UserID{}}
	d, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	k, err := keys.Create(d)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return f.now }
	logger := slog.New(slog.NewTextHandler(&f.log, nil))
	ca, err := pki.OpenDevices(d, k, clock, logger)
	if err != nil {
		t.Fatal(err)
	}
	f.codes = codes.New(f.store, clock)
	f.Service = deviceauth.New(deviceauth.Options{
		Store: f.store, Clock: clock, CA: ca, Codes: f.codes, Groups: parse(t, groups), Modes: []string{"trust", "prompt"}, SharedOSUsers: []string{"kiosk"}, Key: [32]byte{1}, ServerCA: "PEM",
		Rules: names.Rules{
			Domains: []names.Domain{{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "ad"}, {NetBIOS: "GUEST", Suffixes: []string{"guest.example.org"}, Source: "guest"}},
			Tenants: []string{tenant},
		},
		OnRevoke: func(_ context.Context, device string) { f.revoked = append(f.revoked, device) }, Logger: logger,
	})
	f.person(t, "alex", "CORP", "example.org", "S-1-5-21-1-2-3-1001")
	f.person(t, "bea", "CORP", "example.org", "S-1-5-21-1-2-3-1002")
	f.person(t, "gus", "GUEST", "guest.example.org", "S-1-5-21-7-8-9-1001")
	f.person(t, "twin", "CORP", "example.org", "")
	f.person(t, "twin", "GUEST", "guest.example.org", "")
	f.update(t, func(tx store.Tx) error {
		id := f.people["bea@example.org"]
		return tx.PutIdentity(t.Context(), core.ExternalIdentity{UserID: id, Source: "ad", Kind: core.IdentityEntraOID, ImmutableID: tenant + "/" + oid})
	})
	return f
}

func parse(t *testing.T, text string) deviceauth.Groups {
	t.Helper()
	groups, err := parseText(text)
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func parseText(text string) (deviceauth.Groups, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return deviceauth.Groups{}, err
	}
	if len(doc.Content) == 0 {
		return deviceauth.ParseGroups(nil, "server.yaml")
	}
	return deviceauth.ParseGroups(doc.Content[0], "server.yaml")
}

func (f *fixture) update(t *testing.T, fn func(tx store.Tx) error) {
	t.Helper()
	if err := f.store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// person adds somebody as a directory would.
func (f *fixture) person(t *testing.T, name, domain, suffix, sid string) {
	t.Helper()
	upn := name + "@" + suffix
	f.update(t, func(tx store.Tx) error {
		source := core.SourceID(strings.ToLower(domain))
		id, err := tx.CreateUser(t.Context(), core.User{Username: upn, Source: source, CreatedAt: start})
		if err != nil {
			return err
		}
		f.people[upn] = id
		err = tx.PutName(t.Context(),
			core.LoginName{UserID: id, Name: upn, Folded: auth.Folded(upn), Kind: core.NameUPN, Source: source, ValidFrom: start},
			core.LoginName{UserID: id, Name: name, Folded: auth.Folded(name), Kind: core.NameSAM, Domain: auth.Folded(strings.ToLower(domain)), Source: source, ValidFrom: start})
		if sid != "" {
			err = errors.Join(err, tx.PutIdentity(t.Context(), core.ExternalIdentity{UserID: id, Source: source, Kind: core.IdentitySID, ImmutableID: sid}))
		}
		return err
	})
}

// machine is a computer with its key.
type machine struct {
	id, hardware string
	key          *ecdsa.PrivateKey
	cert         *x509.Certificate
	device       string
}

func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	m := &machine{id: "machine-" + name, hardware: "hardware-" + name}
	m.newKey(t)
	return m
}

func (m *machine) newKey(t *testing.T) {
	t.Helper()
	var err error
	if m.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) csr(t *testing.T) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, m.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func (m *machine) machineID() api.MachineID { return api.MachineID{ID: m.id, Hardware: m.hardware} }

func (m *machine) take(t *testing.T, e api.Enrolled) {
	t.Helper()
	block, _ := pem.Decode([]byte(e.Certificate))
	if block == nil {
		t.Fatalf("no certificate: %+v", e)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	m.cert, m.device = cert, e.DeviceID
}

// ask asks to enrol.
func (f *fixture) ask(t *testing.T, m *machine, token string) (api.Enrolled, error) {
	t.Helper()
	return f.Enrol(t.Context(), api.Enrolment{
		Token: token, CSR: m.csr(t), Machine: m.machineID(), Report: api.DeviceReport{Hostname: "pc-" + m.id, Platform: "linux/amd64", Version: "1.0.0"},
	}, desk)
}

// token makes an enrolment token.
func (f *fixture) token(t *testing.T, n deviceauth.NewToken) (core.EnrolmentToken, string) {
	t.Helper()
	kept, text, err := f.CreateToken(t.Context(), "admin", n)
	if err != nil {
		t.Fatal(err)
	}
	return kept, text.Reveal()
}

// enrol makes the machine a device of the group.
func (f *fixture) enrol(t *testing.T, m *machine, group string) {
	t.Helper()
	_, token := f.token(t, deviceauth.NewToken{Group: group})
	e, err := f.ask(t, m, token)
	if err != nil || e.Status != api.EnrolmentDone || e.ServerCA != "PEM" {
		t.Fatalf("Enrol: %+v, %v", e, err)
	}
	m.take(t, e)
}

func (f *fixture) caller(t *testing.T, m *machine) deviceauth.Caller {
	t.Helper()
	c, err := f.Authenticate(t.Context(), m.cert)
	if err != nil {
		t.Fatalf("Authenticate: %v", err)
	}
	return c
}

// corp is somebody's account of the domain CORP.
func corp(name string) api.OSAccount {
	return api.OSAccount{Kind: "domain", Domain: "CORP", Name: name, Hostname: "pc1", JoinDomain: "CORP", JoinRealm: "corp.example.org"}
}

// body is an assertion for the account, with a nonce of its own.
func (f *fixture) body(t *testing.T, m *machine, account api.OSAccount) api.AssertionBody {
	t.Helper()
	return api.AssertionBody{
		Version: 1, Device: m.device, MachineID: m.id, OSAccount: account, UID: "1000", Session: "c2", Challenge: api.Challenge(verifier),
		Nonce: f.Nonce(f.caller(t, m)).Nonce, IssuedAt: f.now, ExpiresAt: f.now.Add(api.AssertionLife),
	}
}

func (m *machine) sign(t *testing.T, body api.AssertionBody) api.Assertion {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return m.signText(t, text)
}

func (m *machine) signText(t *testing.T, text []byte) api.Assertion {
	t.Helper()
	digest := api.AssertionDigest(text)
	signature, err := ecdsa.SignASN1(rand.Reader, m.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return api.Assertion{Body: text, Signature: signature}
}

// vouch asks for a code for the account.
func (f *fixture) vouch(t *testing.T, m *machine, account api.OSAccount) (api.TrustCode, error) {
	t.Helper()
	return f.Assert(t.Context(), f.caller(t, m), m.sign(t, f.body(t, m, account)), desk)
}

// who redeems a code.
func (f *fixture) who(t *testing.T, code api.TrustCode) codes.Grant {
	t.Helper()
	grant, err := f.codes.Redeem(t.Context(), secretOf(code.Code), verifier)
	if err != nil {
		t.Fatalf("Redeem: %v", err)
	}
	return grant
}

// audited returns the details of all audit events of that action, the newest first.
func (f *fixture) audited(t *testing.T, action string) (details []string) {
	t.Helper()
	if err := f.store.View(t.Context(), func(tx store.Tx) error {
		events, err := tx.AuditEvents(t.Context(), 0, 1000)
		for _, e := range events {
			if e.Action == action {
				details = append(details, e.Detail)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return details
}

// forgetCertificates removes what the database knows of a device's certificates.
func (f *fixture) forgetCertificates(t *testing.T, m *machine) error {
	t.Helper()
	return f.store.Update(t.Context(), func(tx store.Tx) error {
		d, err := tx.Device(t.Context(), m.device)
		return errors.Join(err, tx.DeleteDevice(t.Context(), m.device), tx.CreateDevice(t.Context(), d))
	})
}
