package sign

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/scrypt"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/testenv"
)

const password = "correct horse battery staple"

var release = product.Release{Version: "1.2.3", Time: time.Now().UTC().Truncate(time.Second)}

// run runs the second tool, which must agree.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal(err)
		}
		t.Skip("missing: " + name)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	return string(out), err
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

func write(t *testing.T, name string, mode os.FileMode, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// identity is a key for signing code, made for one test, with the certificate that signed its own.
type identity struct{ cert, key, encrypted, p12, password, ca string }

func newIdentity(t *testing.T) identity {
	t.Helper()
	certificate := func(template, parent *x509.Certificate, public any, signer any) []byte {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour)
		template.BasicConstraintsValid = true
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	generate := func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	caKey, key := generate(), generate()
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "Test Root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	caDER := certificate(ca, ca, caKey.Public(), caKey)
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test Signer"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	leafDER := certificate(leaf, ca, key.Public(), caKey)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	dir := t.TempDir()
	id := identity{
		// The root first: the signer must find out which certificate is the key's.
		cert:     write(t, "cert.pem", 0o644, append(block("CERTIFICATE", caDER), block("CERTIFICATE", leafDER)...)),
		key:      write(t, "key.pem", 0o600, block("PRIVATE KEY", keyDER)),
		password: write(t, "password", 0o600, []byte(password+"\n")),
		ca:       write(t, "ca.pem", 0o644, block("CERTIFICATE", caDER)),
		p12:      filepath.Join(dir, "identity.p12"), encrypted: filepath.Join(dir, "encrypted.pem"),
	}
	must(t, "openssl", "pkcs12", "-export", "-in", id.cert, "-inkey", id.key, "-out", id.p12, "-passout", "file:"+id.password)
	must(t, "openssl", "pkcs8", "-topk8", "-in", id.key, "-out", id.encrypted, "-passout", "file:"+id.password)
	for _, path := range []string{id.p12, id.encrypted} {
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func environment(list ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(list); i += 2 {
			if Prefix+list[i] == name {
				return list[i+1]
			}
		}
		return ""
	}
}

func keys(t *testing.T, list ...string) Keys {
	t.Helper()
	k, err := FromEnvironment(environment(list...))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ways are the forms in which a key may be given.
func (id identity) ways(prefix string) map[string][]string {
	return map[string][]string{
		"PKCS12":        {prefix + P12, id.p12, prefix + PasswordFile, id.password},
		"PEM":           {prefix + Cert, id.cert, prefix + Key, id.key},
		"encrypted PEM": {prefix + Cert, id.cert, prefix + Key, id.encrypted, prefix + PasswordFile, id.password},
	}
}

// program compiles a program for Windows of its own.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := write(t, "main.go", 0o600, []byte("package main\n\nfunc main() {}\n"))
	exe := filepath.Join(dir, "platen.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", exe, source)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// database makes an MSI with one file in it.
func database(t *testing.T) string {
	t.Helper()
	source := write(t, "x.wxs", 0o600, []byte(`<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="X" UpgradeCode="3F2C8A52-5C0B-4B0C-9F55-0B7A9D7C1E11" Language="1033" Version="1.0.0" Manufacturer="X">
<Package InstallerVersion="500" Compressed="yes"/><Media Id="1" Cabinet="x.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Component Id="C" Guid="8A0F5C8F-6B3E-4B46-8B93-6F2A3C0F0101"><File Id="F" Name="x.wxs" Source="x.wxs" KeyPath="yes"/></Component></Directory>
<Feature Id="Main" Level="1"><ComponentRef Id="C"/></Feature></Product></Wix>`))
	msi := filepath.Join(t.TempDir(), "x.msi")
	cmd := exec.CommandContext(t.Context(), "wixl", "-o", msi, "x.wxs")
	cmd.Dir = filepath.Dir(source)
	if _, err := exec.LookPath("wixl"); err != nil && os.Getenv(testenv.RequireAll) != "1" {
		t.Skip("missing: wixl")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("wixl: %v\n%s", err, out)
	}
	return msi
}

func TestR_WIN_3_pain8_ProgramsAndMSIsAreSigned(t *testing.T) {
	id := newIdentity(t)
	if _, err := run(t, "osslsigncode", "--version"); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"program": program(t), "MSI": database(t)} {
		original, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, "osslsigncode", "verify", "-CAfile", id.ca, "-in", path); err == nil {
			t.Fatalf("an unsigned %s is found good:\n%s", name, out)
		}
		for way, list := range id.ways("") {
			t.Run(name+" by "+way, func(t *testing.T) {
				var signed [2][]byte
				for i := range signed {
					if err := os.WriteFile(path, original, 0o755); err != nil {
						t.Fatal(err)
					}
					if err := keys(t, list...).Windows.Sign(t.Context(), path, release); err != nil {
						t.Fatal(err)
					}
					if signed[i], err = os.ReadFile(path); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(signed[0], signed[1]) {
					t.Error("signed twice, and the bytes are not the same")
				}
				out := must(t, "osslsigncode", "verify", "-CAfile", id.ca, "-in", path)
				for _, want := range []string{"Signature verification: ok", "Test Signer"} {
					if !strings.Contains(out, want) {
						t.Errorf("%q is missing in\n%s", want, out)
					}
				}
				left, err := filepath.Glob(path + ".*")
				if err != nil || len(left) != 0 {
					t.Errorf("left behind: %v, %v", left, err)
				}
				// Another byte anywhere, and it is good no longer.
				changed := bytes.Clone(signed[0])
				changed[len(original)/2] ^= 1
				if err := os.WriteFile(path, changed, 0o755); err != nil {
					t.Fatal(err)
				}
				if out, err := run(t, "osslsigncode", "verify", "-CAfile", id.ca, "-in", path); err == nil {
					t.Errorf("a changed file is found good:\n%s", out)
				}
			})
		}
	}
}

func TestAWrongPasswordSignsNothing(t *testing.T) {
	id := newIdentity(t)
	if _, err := run(t, "osslsigncode", "--version"); err != nil {
		t.Fatal(err)
	}
	path := program(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := write(t, "wrong", 0o600, []byte("hunter2-very-secret\n"))
	err = keys(t, P12, id.p12, PasswordFile, wrong).Windows.Sign(t.Context(), path, release)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the program was changed: %v", err)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestThePackageKeyIsOpened(t *testing.T) {
	id := newIdentity(t)
	for way, list := range id.ways(PackagePrefix) {
		t.Run(way, func(t *testing.T) {
			s, err := keys(t, list...).Package.Signer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Chain) != 2 || s.Chain[0].Subject.CommonName != "Test Signer" || s.Chain[1].Subject.CommonName != "Test Root" {
				t.Errorf("chain: %v", s.Chain)
			}
		})
	}
	other := newIdentity(t)
	if _, err := keys(t, PackagePrefix+Cert, other.cert, PackagePrefix+Key, id.key).Package.Signer(t.Context()); err == nil {
		t.Error("a key was taken with somebody else's certificate")
	}
}

// locked is a plain key of minisign, encrypted with the password. What minisign itself makes takes a gigabyte of memory and, with
// the race detector, minutes to open; how much is in the key, and here it is little.
func locked(t *testing.T, plain []byte) []byte {
	t.Helper()
	const (
		ops, mem       = 32768, 16 << 20 // scrypt's N = 1024, r = 8, p = 1
		salt, key, end = 6, 54, 126      // where they are; the key ends with its checksum
	)
	comment, line, _ := bytes.Cut(plain, []byte("\n"))
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
	if err != nil || len(raw) != end+blake2b.Size256 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	copy(raw[2:], "Sc")
	if _, err := rand.Read(raw[salt : salt+32]); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(raw[salt+32:], ops)
	binary.LittleEndian.PutUint64(raw[salt+40:], mem)
	sum := blake2b.Sum256(append([]byte("Ed"), raw[key:end]...))
	copy(raw[end:], sum[:])
	stream, err := scrypt.Key([]byte(password), raw[salt:salt+32], 1024, 8, 1, len(raw)-key)
	if err != nil {
		t.Fatal(err)
	}
	subtle.XORBytes(raw[key:], raw[key:], stream)
	return slices.Concat(comment, []byte("\n"), []byte(base64.StdEncoding.EncodeToString(raw)))
}

func TestMinisignAgrees(t *testing.T) {
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	encrypted := locked(t, plain)
	publicText, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	pub := write(t, "minisign.pub", 0o644, publicText)
	list := write(t, "SHA256SUMS", 0o644, []byte(strings.Repeat("0", 64)+"  platen.msi\n"))
	for name, env := range map[string][]string{
		"with a password":    {MinisignKey, write(t, "a.key", 0o600, encrypted), MinisignPasswordFile, write(t, "p", 0o600, []byte(password+"\n"))},
		"without a password": {MinisignKey, write(t, "b.key", 0o600, plain)},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := keys(t, env...).List.Sign(list, release)
			if err != nil {
				t.Fatal(err)
			}
			if path != list+".minisig" {
				t.Errorf("written to %s", path)
			}
			first, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if out := must(t, "minisign", "-V", "-p", pub, "-m", list); !strings.Contains(out, "file:SHA256SUMS\tplaten 1.2.3") {
				t.Errorf("minisign: %s", out)
			}
			if _, err := keys(t, env...).List.Sign(list, release); err != nil {
				t.Fatal(err)
			}
			if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
				t.Errorf("two signatures differ: %v", err)
			}
			changed := write(t, "SHA256SUMS", 0o644, []byte("other\n"))
			if err := os.WriteFile(changed+".minisig", first, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := run(t, "minisign", "-V", "-p", pub, "-m", changed); err == nil {
				t.Errorf("minisign finds a changed list good: %s", out)
			}
		})
	}
	if _, err := keys(t, MinisignKey, write(t, "c.key", 0o600, encrypted)).List.Sign(list, release); err == nil || !strings.Contains(err.Error(), Prefix+MinisignPasswordFile) {
		t.Errorf("without its password: %v", err)
	}
}

func TestTheEnvironmentIsChecked(t *testing.T) {
	if k, err := FromEnvironment(environment()); err != nil || k != (Keys{}) {
		t.Errorf("nothing set: %v, %v", k, err)
	}
	good, open := write(t, "good", 0o600, []byte("x")), write(t, "open", 0o640, []byte("x"))
	for name, list := range map[string][]string{
		"both forms":              {P12, good, PasswordFile, good, Cert, good, Key, good},
		"no password":             {P12, good},
		"no certificate":          {Key, good},
		"no key":                  {Cert, good},
		"only a password":         {PasswordFile, good},
		"others may read the key": {Cert, good, Key, open},
		"others may read it":      {P12, good, PasswordFile, open},
		"not there":               {P12, good + "x", PasswordFile, good},
		"a folder":                {P12, filepath.Dir(good), PasswordFile, good},
		"pkg: no key":             {PackagePrefix + Cert, good},
		"minisign: open to all":   {MinisignKey, open},
		"minisign: no password":   {MinisignKey, good, MinisignPasswordFile, good + "x"},
	} {
		if _, err := FromEnvironment(environment(list...)); err == nil || !strings.Contains(err.Error(), Prefix) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
