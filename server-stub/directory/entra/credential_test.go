package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	entraemu "github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/directory"
)

// application makes a certificate and key as an administrator would, in one file.
func application(t *testing.T, until time.Time) (file string, cert *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Platen"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})
	return write(t, string(text)+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))), cert
}

// certified is a tenant that takes a certificate instead of a secret: in front of the emulator's token endpoint the signed
// assertion is checked as RFC 7523 asks, and then stands for the secret.
func certified(t *testing.T, known *x509.Certificate) Config {
	t.Helper()
	ca := testenv.NewCA(t)
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	srv := httptest.NewUnstartedServer(mux)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	tenant, err := entraemu.New(entraemu.Options{PublicURL: srv.URL, Config: entraemu.Config{
		Tenant: tenantID, Apps: []entraemu.App{{ID: clientID, Name: "Platen directory", Secret: appSecret}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	people := graph.New(graph.Options{
		People: graph.Synced(3), Permissions: []string{graph.PermissionUsers, graph.PermissionGroups}, Authority: srv.URL + "/" + tenantID, Client: srv.Client(),
	})
	mux.Handle("/v1.0/", people.Handler())
	mux.HandleFunc("POST /"+tenantID+"/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form := r.PostForm
		if asserted(form.Get("client_assertion"), srv.URL, known) && !form.Has("client_secret") {
			form.Set("client_secret", appSecret)
		}
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
		r.PostForm, r.Form = nil, nil
		tenant.Handler().ServeHTTP(w, r)
	})
	mux.Handle("/", tenant.Handler())
	return Config{ID: "cloud", Tenant: tenantID, ClientID: clientID, Authority: srv.URL, GraphURL: srv.URL, AllowAnyAuthority: true, CAFile: ca.File, Domain: "CORP"}
}

// asserted tells whether an assertion is this application's, signed with the key of that certificate.
func asserted(text, origin string, known *x509.Certificate) bool {
	signed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.PS256, jose.RS256})
	if err != nil {
		return false
	}
	var claims jwt.Claims
	if err := signed.Claims(known.PublicKey, &claims); err != nil {
		return false
	}
	sum := sha256.Sum256(known.Raw)
	return claims.Issuer == clientID && claims.Subject == clientID && claims.Expiry.Time().After(time.Now()) && len(claims.Audience) == 1 &&
		strings.HasPrefix(claims.Audience[0], origin+"/") && signed.Headers[0].ExtraHeaders["x5t#S256"] == base64.StdEncoding.EncodeToString(sum[:]) // MSAL's spelling, which Entra ID takes
}

func TestACertificateInsteadOfASecret(t *testing.T) {
	file, cert := application(t, time.Now().Add(300*24*time.Hour))
	cfg := certified(t, cert)
	cfg.ClientCertificate = directory.SecretFile(file)
	s, _ := source(t, cfg, t.Output())
	if got := read(t, s); len(got) != 3 {
		t.Errorf("%d people", len(got))
	}
	text, err := s.Check(t.Context())
	if err != nil || !strings.Contains(text, "its certificate expires on "+cert.NotAfter.UTC().Format(time.DateOnly)) || strings.Contains(text, "renew") {
		t.Errorf("%q, %v", text, err)
	}

	t.Run("soon over", func(t *testing.T) {
		s.now = func() time.Time { return cert.NotAfter.Add(-59 * 24 * time.Hour) }
		if text, err := s.Check(t.Context()); err != nil || !strings.HasSuffix(text, ", so renew it soon") {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("over", func(t *testing.T) {
		s.now = func() time.Time { return cert.NotAfter }
		if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "expired on") {
			t.Errorf("%v", err)
		}
	})
	t.Run("renewed, without a restart", func(t *testing.T) {
		other, _ := application(t, time.Now().Add(time.Hour))
		raw, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s.now = time.Now
		if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "AADSTS7000218") || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("a certificate that the tenant does not know: %v", err)
		}
	})
}

func TestCertificateFiles(t *testing.T) {
	good, _ := application(t, time.Now().Add(time.Hour))
	other, _ := application(t, time.Now().Add(time.Hour))
	expired, cert := application(t, time.Now().Add(-time.Hour))
	part := func(name, kind string) string {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == kind {
				out = append(out, pem.EncodeToMemory(block)...)
			}
		}
		return string(out)
	}
	const key, certificate = "PRIVATE KEY", "CERTIFICATE"
	chain, _, err := readCertificate(directory.SecretFile(write(t, part(other, certificate)+part(good, key)+part(good, certificate))))
	if err != nil || string(pem.EncodeToMemory(&pem.Block{Type: certificate, Bytes: chain[0].Raw})) != part(good, certificate) {
		t.Errorf("the certificate of the key is not taken from a chain: %v", err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"no file":      {filepath.Join(t.TempDir(), "x.pem"), "no such file"},
		"no key":       {write(t, part(good, certificate)), "private key"},
		"no PEM":       {write(t, "hello"), "PEM"},
		"another key":  {write(t, part(other, key)+part(good, certificate)), "no certificate for its private key"},
		"spoilt":       {write(t, part(good, key)+strings.Replace(part(good, certificate), "MII", "BBB", 1)), "cannot be read"},
		"expired":      {expired, "expired on " + cert.NotAfter.UTC().Format(time.DateOnly)},
		"locked":       {write(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"+part(good, certificate)), "without a password"},
		"key is a cut": {write(t, part(good, certificate)+part(good, key)[:400]), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(Config{ID: "cloud", Tenant: tenantID, ClientID: clientID, ClientCertificate: directory.SecretFile(test.file)}, discard, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "client_certificate_file") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheCredentialSpeaksToItsAuthorityOnly(t *testing.T) {
	s, err := New(Config{ID: "cloud", Tenant: tenantID, ClientID: clientID, ClientSecret: directory.SecretFile("x"), Cloud: CloudUSGov}, discard, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"https://login.microsoftonline.com/x", "http://login.microsoftonline.us/x", "https://login.microsoftonline.us:444/x", "https://169.254.169.254/metadata"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.client.Do((&http.Request{URL: u, Header: http.Header{}}).WithContext(t.Context()))
		if err == nil {
			_ = res.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "neither the authority nor Graph") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if s.scope != "https://graph.microsoft.us/.default" || s.graph.String() != "https://graph.microsoft.us" {
		t.Errorf("%s, %s", s.scope, s.graph)
	}
}
