package flatpkg_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/internal/testenv"
)

// testSigner has a certificate of an authority that was made for the test.
func testSigner(t *testing.T) *flatpkg.Signer {
	t.Helper()
	var chain []*x509.Certificate
	var parent *x509.Certificate
	var parentKey, key *rsa.PrivateKey
	for i, name := range []string{"Test authority", "Test signer"} {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: when, NotAfter: when.AddDate(10, 0, 0),
			IsCA: i == 0, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append([]*x509.Certificate{c}, chain...)
		parent, parentKey = c, key
	}
	return &flatpkg.Signer{Key: key, Chain: chain}
}

func TestOpenSSLVerifiesTheSignature(t *testing.T) {
	signer := testSigner(t)
	for name, digest := range map[string]flatpkg.Digest{"sha1": flatpkg.SHA1, "sha256": flatpkg.SHA256} {
		t.Run(name, func(t *testing.T) {
			pkg := write(t, sample(someFiles()...), flatpkg.Options{Signer: signer, Digest: digest})
			u := unpack(t, pkg)
			if u.Certificates != 2 {
				t.Fatalf("%d certificates are in the package", u.Certificates)
			}
			in := func(name string) string { return filepath.Join(u.Dir, name) }
			for i, c := range signer.Chain {
				der, err := os.ReadFile(in(fmt.Sprintf("certificate%d.der", i)))
				if err != nil || !bytes.Equal(der, c.Raw) {
					t.Errorf("certificate %d is not %s (%v)", i, c.Subject, err)
				}
				block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
				if err := os.WriteFile(in(fmt.Sprintf("certificate%d.pem", i)), block, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run(t, "openssl", "openssl", "verify", "-attime", fmt.Sprint(when.Unix()+1), "-CAfile", in("certificate1.pem"), in("certificate0.pem"))
			if err := verify(t, u.Dir, name); err != nil {
				t.Error(err)
			}
			// One bit more in the digest, and openssl refuses: the check above can fail.
			digest, err := os.ReadFile(in("toc.digest"))
			if err != nil {
				t.Fatal(err)
			}
			digest[0] ^= 1
			if err := os.WriteFile(in("toc.digest"), digest, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := verify(t, u.Dir, name); err == nil {
				t.Error("openssl took the signature for another digest")
			}
			if name == "sha1" { // 7z knows it; libarchive 3.6 does not know the other
				run(t, "p7zip-full", "7z", "t", "-txar", pkg)
				run(t, "libarchive-tools", "bsdtar", "-tf", pkg)
			}
		})
	}
}

func verify(t *testing.T, dir, digest string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, "openssl", "openssl"), "pkeyutl", "-verify", "-certin",
		"-inkey", "certificate0.pem", "-in", "toc.digest", "-sigfile", "toc.signature", "-pkeyopt", "digest:"+digest)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("openssl: %w: %s", err, out)
	}
	return nil
}

// refusing is a key in hardware that is not there any more.
type refusing struct{ crypto.Signer }

func (refusing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, os.ErrDeadlineExceeded
}

func TestBadSignersAreRefused(t *testing.T) {
	good, other := testSigner(t), testSigner(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*flatpkg.Signer{
		"elliptic curve":      {Key: key, Chain: good.Chain},
		"no certificate":      {Key: good.Key},
		"another certificate": {Key: good.Key, Chain: other.Chain},
		"authority first":     {Key: good.Key, Chain: good.Chain[1:]},
		"key that refuses":    {Key: refusing{good.Key}, Chain: good.Chain},
	} {
		if err := flatpkg.Write(t.Context(), io.Discard, sample(someFiles()...), flatpkg.Options{Signer: s}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
