// Package sign signs what we give away, with keys that the environment names and the source tree never has: Windows programs
// and MSIs (Authenticode, by osslsigncode), the package for macOS (by flatpkg), and the list of checksums (minisign).
//
// Passwords are read from files and passed on as files: never as arguments, which everybody on a machine can read. A key or
// password file that others may read is refused.
package sign

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Variables of the environment, for people who look for them: all of them begin with Prefix.
const (
	Prefix = "PLATEN_SIGN_"
	// P12, or Cert and Key, sign for Windows; with PackagePrefix before them they sign the package for macOS.
	P12           = "P12"           // a PKCS #12 file with key and certificates
	Cert          = "CERT"          // certificates in PEM, the key's first
	Key           = "KEY"           // the key in PEM
	PasswordFile  = "PASSWORD_FILE" // a file with the password of the key
	Timestamp     = "TIMESTAMP"     // address of a time-stamp authority (RFC 3161)
	PackagePrefix = "PKG_"
	// MinisignKey and MinisignPasswordFile sign the list of checksums.
	MinisignKey          = "MINISIGN_KEY"
	MinisignPasswordFile = "MINISIGN_PASSWORD_FILE"
)

// Keys are the keys that the environment names. One that it does not name is nil.
type Keys struct {
	Windows *Windows
	Package *Package
	List    *List
}

// FromEnvironment finds the keys and checks that they are there and nobody else's.
func FromEnvironment(getenv func(string) string) (Keys, error) {
	var k Keys
	windows, err := find(getenv, Prefix)
	if err != nil {
		return k, err
	}
	if windows != nil {
		k.Windows = &Windows{files: *windows, timestamp: getenv(Prefix + Timestamp)}
	}
	mac, err := find(getenv, Prefix+PackagePrefix)
	if err != nil {
		return k, err
	}
	if mac != nil {
		k.Package = &Package{files: *mac}
	}
	if key := getenv(Prefix + MinisignKey); key != "" {
		k.List = &List{key: key, password: getenv(Prefix + MinisignPasswordFile)}
		if err := errors.Join(private(Prefix+MinisignKey, key), private(Prefix+MinisignPasswordFile, k.List.password)); err != nil {
			return k, err
		}
	}
	return k, nil
}

// keyFiles are where a key, its certificates and its password are: p12, or cert and key.
type keyFiles struct{ p12, cert, key, password string }

func find(getenv func(string) string, prefix string) (*keyFiles, error) {
	f := keyFiles{p12: getenv(prefix + P12), cert: getenv(prefix + Cert), key: getenv(prefix + Key), password: getenv(prefix + PasswordFile)}
	switch {
	case f == keyFiles{}:
		return nil, nil
	case f.p12 != "" && (f.cert != "" || f.key != ""):
		return nil, fmt.Errorf("%s%s and %s%s are both set: choose one", prefix, P12, prefix, Cert)
	case f.p12 != "" && f.password == "":
		return nil, fmt.Errorf("%s%s needs %s%s, a file with its password", prefix, P12, prefix, PasswordFile)
	case f.p12 == "" && (f.cert == "" || f.key == ""):
		return nil, fmt.Errorf("%s%s and %s%s belong together", prefix, Cert, prefix, Key)
	}
	if f.cert != "" {
		if _, err := os.Stat(f.cert); err != nil {
			return nil, fmt.Errorf("%s%s: %w", prefix, Cert, err)
		}
	}
	for name, path := range map[string]string{P12: f.p12, Key: f.key, PasswordFile: f.password} {
		if err := private(prefix+name, path); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// private checks that only its owner can read the file at path. No path is no file.
func private(name, path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %s is no file", name, path)
	}
	if info.Mode()&(fs.ModePerm&0o077) != 0 {
		return fmt.Errorf("%s: others may read %s: chmod 600", name, path)
	}
	return nil
}

// firstLine is what a password file says.
func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r")
}
