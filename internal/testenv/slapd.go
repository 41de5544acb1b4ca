package testenv

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// CA is a certificate authority for one test.
type CA struct {
	File string // its certificate, PEM

	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes a certificate authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{t: t, File: filepath.Join(shortDir(t), "ca.pem")}
	ca.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &ca.key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if ca.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	writePEM(t, ca.File, "CERTIFICATE", raw)
	return ca
}

// Issue makes a server certificate for names (host names or IP addresses) that is valid until the given time, and
// returns the files of certificate and key.
func (ca *CA) Issue(until time.Time, names ...string) (certFile, keyFile string) {
	ca.t.Helper()
	dir := shortDir(ca.t)
	key := newKey(ca.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		ca.t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		ca.t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(ca.t, certFile, "CERTIFICATE", raw)
	writePEM(ca.t, keyFile, "PRIVATE KEY", rawKey)
	return certFile, keyFile
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t testing.TB, path, kind string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// SlapdOptions are for one OpenLDAP server.
type SlapdOptions struct {
	LDIF     string   // what the directory has at the start, below SlapdBase; the base entry itself is made
	Global   string   // more lines of slapd.conf, before the database
	Database string   // more lines of slapd.conf, of the database: overlays, limits, access
	CA       *CA      // nil: its own
	Names    []string // of the certificate; none: its address, 127.0.0.1 and localhost
	Until    time.Time
	NoTLS    bool // offer neither LDAPS nor StartTLS
}

// What every OpenLDAP server of a test has.
const (
	SlapdBase          = "dc=example,dc=org"
	SlapdAdmin         = "cn=admin,dc=example,dc=org"
	SlapdAdminPassword = "Adm1n-of-the-test"
)

// SlapdServer is an OpenLDAP server for one test.
type SlapdServer struct {
	LDAPS  string // ldaps://address:port
	LDAP   string // ldap://address:port, with StartTLS
	CAFile string

	t       testing.TB
	process *process
	start   func() *process
}

// Slapd starts an OpenLDAP server with the given entries and waits until it answers. It stops when the test ends.
func Slapd(t testing.TB, o SlapdOptions) *SlapdServer {
	t.Helper()
	program, add := Program(t, "slapd", "slapd"), Program(t, "slapadd", "slapd")
	dir := shortDir(t)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &SlapdServer{t: t}
	address := ownAddress(t)
	urls := "ldap://" + freePort(t, address)
	s.LDAP = urls
	tlsLines := ""
	if !o.NoTLS {
		if o.CA == nil {
			o.CA = NewCA(t)
		}
		if len(o.Names) == 0 {
			o.Names = []string{address, "127.0.0.1", "localhost"}
		}
		if o.Until.IsZero() {
			o.Until = time.Now().Add(24 * time.Hour)
		}
		cert, key := o.CA.Issue(o.Until, o.Names...)
		tlsLines = fmt.Sprintf("TLSCACertificateFile %s\nTLSCertificateFile %s\nTLSCertificateKeyFile %s\n", o.CA.File, cert, key)
		s.CAFile, s.LDAPS = o.CA.File, "ldaps://"+freePort(t, address)
		urls += " " + s.LDAPS
	}
	var conf strings.Builder
	for _, schema := range []string{"core", "cosine", "nis", "inetorgperson"} {
		fmt.Fprintf(&conf, "include /etc/ldap/schema/%s.schema\n", schema)
	}
	fmt.Fprintf(&conf, "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload ppolicy\npidfile %s/pid\n%s%s\n", dir, tlsLines, o.Global)
	fmt.Fprintf(&conf, "database mdb\nsuffix %q\nrootdn %q\nrootpw %s\ndirectory %s\nmaxsize 1073741824\ndbnosync\nindex objectClass,uid,entryUUID eq\n%s\n",
		SlapdBase, SlapdAdmin, SlapdAdminPassword, data, o.Database)
	config := filepath.Join(dir, "slapd.conf")
	if err := os.WriteFile(config, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ldif := "dn: " + SlapdBase + "\nobjectClass: domain\ndc: example\n\n" + o.LDIF
	runProgram(t, nil, ldif, add, "-f", config, "-b", SlapdBase)
	s.start = func() *process {
		p := start(t, nil, "", t.Output(), program, "-f", config, "-h", urls, "-d", "0")
		for url := range strings.FieldsSeq(urls) {
			awaitPort(t, "slapd", url[strings.LastIndex(url, "/")+1:])
		}
		return p
	}
	s.process = s.start()
	t.Cleanup(func() { s.process.stop() })
	return s
}

// Stop kills the server.
func (s *SlapdServer) Stop() { s.process.stop() }

// Restart starts it again, with what it had.
func (s *SlapdServer) Restart() {
	s.t.Helper()
	s.process.stop()
	s.process = s.start()
}

// ownAddress makes up a loopback address that nobody else uses: a port that is free there stays free until the server
// takes it, and when it is restarted. Linux has all of 127.0.0.0/8.
func ownAddress(t testing.TB) string {
	t.Helper()
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+b[0]%254, b[1], 1+b[2]%254)
}

// freePort returns address and a port where nobody listens.
func freePort(t testing.TB, address string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitPort waits until something listens at the address.
func awaitPort(t testing.TB, what, address string) {
	t.Helper()
	Await(t, what+" to listen at "+address, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
}

// runProgram runs a program to its end, which must be good.
func runProgram(t testing.TB, env []string, input, path string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*Deadline)
	defer cancel()
	cmd, err := sysexec.Command(ctx, path, args...)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env, cmd.Stdin = env, strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
}
