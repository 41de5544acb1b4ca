package sign

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aead.dev/minisign"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/secret"
)

// Ending is what the name of a minisign signature ends with.
const Ending = ".minisig"

// List signs the list of checksums (minisign, https://jedisct1.github.io/minisign/).
type List struct{ key, password string }

// Sign signs the file at path and returns the path of the signature beside it. The same file, key and release make the same
// bytes.
func (l *List) Sign(path string, release product.Release) (string, error) {
	key, err := l.open()
	if err != nil {
		return "", fmt.Errorf("open the key for the checksums: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("sign the checksums: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := minisign.NewReader(f) // signs the hash of the text, as minisign does nowadays
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", fmt.Errorf("sign the checksums: %w", err)
	}
	comment := fmt.Sprintf("timestamp:%d\tfile:%s\tplaten %s", release.Epoch(), filepath.Base(path), release.Version)
	signature := r.SignWithComments(key, comment, fmt.Sprintf("signature from minisign key %X", key.ID()))
	out := path + Ending
	if err := os.WriteFile(out, append(signature, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("sign the checksums: %w", err)
	}
	return out, nil
}

func (l *List) open() (minisign.PrivateKey, error) {
	var key minisign.PrivateKey
	text, err := os.ReadFile(l.key)
	if err != nil {
		return key, err
	}
	if !minisign.IsEncrypted(text) {
		return key, key.UnmarshalText(text)
	}
	if l.password == "" {
		return key, fmt.Errorf("%s has a password: set %s%s", l.key, Prefix, MinisignPasswordFile)
	}
	password, err := os.ReadFile(l.password)
	if err != nil {
		return key, err
	}
	return minisign.DecryptKey(secret.New(firstLine(password)).Reveal(), text)
}
