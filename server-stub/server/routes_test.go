package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/users"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// opened is a server with all its handlers, on free ports nobody connects to, and people with each role.
type opened struct {
	*server
	people map[string]core.UserID // by caller
	device *x509.Certificate      // of an enrolled computer
	// scimToken is of an identity provider that writes here
	scimToken string
	asked     int
}

func openServer(t *testing.T, modes ...string) *opened {
	t.Helper()
	cfg, err := config.Load(config.Sources{
		Flags:  map[string]string{"listen": "127.0.0.1:0"},
		Getenv: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.SignIn.Modes = modes // whether their parts are configured or not
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := openDatabase(t.Context(), cfg, dir, logger)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cfg: cfg, dir: dir, db: db, logger: logger, now: clock.System, started: clock.System()}
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.api.Shutdown(context.WithoutCancel(t.Context()))
		for _, c := range []io.Closer{closer(s.closeListeners), s.commands, db, dir} {
			_ = c.Close()
		}
	})
	o := &opened{server: s, people: map[string]core.UserID{}}
	for caller, role := range map[string]core.Role{
		"user": "", "trust": "", "auditor": core.RoleAuditor, "helpdesk": core.RoleHelpdesk, "admin": core.RoleAdmin, "owner": core.RoleOwner,
	} {
		u, err := s.rooms.users.Add(t.Context(), "test", users.NewUser{Username: caller + "@example.org", Password: secret.New("right horse")})
		if err != nil {
			t.Fatal(err)
		}
		o.people[caller] = u.ID
		if role == "" || role == core.RoleOwner { // the owner comes last: then the set-up is over
			continue
		}
		if err := s.rooms.roles.Grant(t.Context(), "test", u.ID, role); err != nil {
			t.Fatal(err)
		}
	}
	o.device = o.enrol(t)
	if _, err := s.rooms.directories.Add(t.Context(), "test", admin.DirectoryAdd{ID: "sender", Type: configured.TypeSCIM}); err != nil {
		t.Fatal(err)
	}
	token, _, err := s.rooms.directories.tokens.Issue(t.Context(), "test", "sender", scim.TokenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.scimToken = token.Reveal()
	return o
}

// enrol makes a device of ours.
func (o *opened) enrol(t *testing.T) *x509.Certificate {
	t.Helper()
	_, token, err := o.devices.CreateToken(t.Context(), "test", deviceauth.NewToken{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	enrolled, err := o.devices.Enrol(t.Context(), api.Enrolment{
		Token: token.Reveal(), CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), Machine: api.MachineID{ID: "machine-1"},
	}, netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(enrolled.Certificate))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type closer func() error

func (c closer) Close() error { return c() }

// callers are who asks, and with what: a bearer token of Platen on a computer, the cookies of both sites, a device's
// certificate, or one that somebody else gave.
var callers = []string{"anon", "stranger", "device", "scim", "trust", "user", "user-cookie", "auditor", "auditor-cookie", "helpdesk", "helpdesk-cookie", "admin", "admin-cookie", "owner", "owner-cookie"}

// ask sends one request to a handler as the caller, from elsewhere, as our own page would.
func (o *opened) ask(t *testing.T, h http.Handler, caller, method, path string) int {
	t.Helper()
	if method == http.MethodGet && path == api.PathEvents {
		method = http.MethodHead // the stream itself has no end
	}
	body, kind := "", ""
	if method == http.MethodPost {
		body, kind = "{}", "application/json"
		if !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/device/") && !strings.Contains(path, "passkey") {
			body, kind = "x=y", "application/x-www-form-urlencoded"
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "print.example.org", "192.0.2.1:1234"
	if isProvisioning(path) { // failed tries are counted by address
		o.asked++
		r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1234", o.asked%250)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	who, cookie := strings.CutSuffix(caller, "-cookie")
	switch {
	case caller == "stranger":
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{strangersCertificate(t)}}
	case caller == "device":
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{o.device}}
	case cookie:
		for name, kind := range map[string]core.SessionKind{"__Host-platen": core.SessionWeb, "__Host-platen-admin": core.SessionAdmin} {
			token, _, err := o.rooms.sessions.StartWeb(t.Context(), o.people[who], sessions.WebInfo{Kind: kind, Assurance: core.AssuranceOIDC}, secret.String{})
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(&http.Cookie{Name: name, Value: token.Reveal()})
		}
	case caller == "scim":
		r.Header.Set("Authorization", "Bearer "+o.scimToken)
	case caller != "anon":
		info := sessions.Info{Assurance: core.AssuranceOIDC}
		if who == "trust" {
			info.Assurance = core.AssuranceMachine
		}
		tokens, _, err := o.rooms.sessions.Issue(t.Context(), o.people[who], info)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+tokens.Access.Reveal())
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// strangersCertificate is one that our device CA has not signed.
func strangersCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "device"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// table is a listener with its routes.
type table struct {
	name    string
	handler http.Handler
	routes  map[string]string
}

func (o *opened) tables() []table {
	main := mainHandler(o.api, o.provisioning, o.pages.everybody)
	return []table{
		{"main: API", main, o.api.Routes()},
		{"main: directory", main, o.provisioning.Routes()},
		{"main: pages", main, o.pages.everybody.Routes()},
		{"administrators", o.pages.admin, o.pages.admin.Routes()},
		{"devices", o.devices.handler, o.devices.handler.Routes()},
	}
}

// R-ROUTE-1: every route of every listener, and what it says to everybody. A route that is not in the golden file, or answers
// otherwise than there, is somebody's decision to be looked at.
func TestEveryRouteForEveryRole(t *testing.T) {
	o := openServer(t, api.MethodPrompt, api.MethodBrowser)
	var out bytes.Buffer
	row := func(name, policy, pattern string, h http.Handler, callers []string) {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id}", "none", "{provider}", "none", "{version}", "none", "{file}", "none").Replace(path)
		fmt.Fprintf(&out, "%-16s %-8s %-36s", name, policy, pattern)
		for _, caller := range callers {
			fmt.Fprintf(&out, " %s=%d", caller, o.ask(t, h, caller, method, path))
		}
		fmt.Fprintln(&out)
	}
	fmt.Fprintln(&out, "# before there is an owner")
	for _, l := range o.tables() {
		for _, pattern := range slices.Sorted(maps.Keys(l.routes)) {
			if l.routes[pattern] == "setup" {
				row(l.name, l.routes[pattern], pattern, l.handler, []string{"anon", "user", "user-cookie", "helpdesk-cookie"})
			}
		}
	}
	if err := o.rooms.roles.Grant(t.Context(), "test", o.people["owner"], core.RoleOwner); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, "# after")
	for _, l := range o.tables() {
		if len(l.routes) == 0 {
			t.Errorf("%s has no routes", l.name)
		}
		patterns := slices.SortedFunc(maps.Keys(l.routes), func(a, b string) int {
			_, pathA, _ := strings.Cut(a, " ")
			_, pathB, _ := strings.Cut(b, " ")
			return cmp.Or(cmp.Compare(pathA, pathB), cmp.Compare(a, b))
		})
		for _, pattern := range patterns {
			row(l.name, l.routes[pattern], pattern, l.handler, callers)
		}
		row(l.name, "none", "GET /nowhere", l.handler, callers)
	}
	const golden = "testdata/routes.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("routes (-want +got); look at each, then run with -update:\n%s", diff)
	}
}
