package scan

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

func TestR_SECRET_1_KeysAreFoundInEveryForm(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string][]byte{"RSA, PKCS #1": x509.MarshalPKCS1PrivateKey(rsaKey)}
	others := map[string]crypto.PrivateKey{"RSA": rsaKey, "Ed25519": ed, "X25519": x}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		name := curve.Params().Name
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		others[name] = key
		if forms[name+", SEC 1"], err = x509.MarshalECPrivateKey(key); err != nil {
			t.Fatal(err)
		}
	}
	for name, key := range others {
		if forms[name+", PKCS #8"], err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			t.Fatal(err)
		}
	}
	text := privateKey(t)
	b64 := base64.StdEncoding.EncodeToString([]byte(text))
	forms["base64"] = []byte("key: " + b64 + "\nother: text\n")
	forms["base64 in lines"] = []byte("key: |\n  " + b64[:64] + "\n  " + b64[64:] + "\n")
	forms["in a comment"] = []byte("\n# " + strings.ReplaceAll(text, "\n", "\n# "))
	forms["in a source"] = []byte("var key = `x` +\n\"" + strings.ReplaceAll(text, "\n", "\\n\" +\n\t\"") + "\"")
	s := New(nil)
	for name, data := range forms {
		for where, data := range map[string][]byte{"alone": data, "in a program": slices.Concat([]byte("\x7fELF\x00\x30\x82"), data, []byte("\x00\xfe"))} {
			if got := found(t, s, file(t, "f", data)); !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == "private key" }) {
				t.Errorf("%s, %s: not found, only %v", name, where, got)
			}
		}
	}
}

func TestR_SECRET_1_WhatCannotBeLookedIntoIsFound(t *testing.T) {
	s := New([]string{"/srv/build"})
	for name, data := range map[string]string{
		"release.P12": "x", "sign.pfx": "x", "home/id_ed25519": "x",
		"a.tar.xz": "\xfd7zXZ\x00\x00", "a.bz2": "BZh91AY&SY", "a.zst": "\x28\xb5\x2f\xfd\x00", "a.7z": "7z\xbc\xaf\x27\x1c\x00",
		"plt_e_k5m2xq7vj3wz4tb6nrh2ydcgap": "", // in a name
	} {
		if got := found(t, s, file(t, name, []byte(data))); len(got) != 1 {
			t.Errorf("%s: found %v", name, got)
		}
	}
	for _, name := range []string{"platen.1.gz", "valid_rsa.txt", "p12"} {
		if got := found(t, s, file(t, name+".txt", []byte("x"))); len(got) != 0 {
			t.Errorf("%s: found %v", name, got)
		}
	}
}
