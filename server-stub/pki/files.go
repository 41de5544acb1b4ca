package pki

import (
	"fmt"
	"log/slog"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
)

// caFiles are the two files of a certificate with its sealed key.
type caFiles struct {
	dir               *datadir.Dir
	keys              *keys.Keys
	certFile, keyFile string
	purpose           string // what the key is sealed for
}

// open loads a CA, and makes it where there is none yet.
func (f *caFiles) open(create func() (identity, error), logger *slog.Logger) (identity, error) {
	hasCert, err := f.dir.Exists(f.certFile)
	if err != nil {
		return identity{}, err
	}
	hasKey, err := f.dir.Exists(f.keyFile)
	if err != nil {
		return identity{}, err
	}
	if !hasCert {
		// The key is written first, so a start that was cut short leaves a key without a certificate: nobody knows it yet.
		ca, err := create()
		if err != nil {
			return identity{}, fmt.Errorf("make the CA: %w", err)
		}
		if err := f.save(ca); err != nil {
			return identity{}, fmt.Errorf("make the CA: %w", err)
		}
		logger.Info("new certificate authority", "name", ca.cert.Subject.CommonName, "pin", api.PinOf(ca.cert).String(), "valid_to", ca.cert.NotAfter)
		return ca, nil
	}
	if !hasKey {
		return identity{}, fmt.Errorf("use the CA in %s: its key %s is missing; restore it from a backup", f.dir.File(f.certFile), f.dir.File(f.keyFile))
	}
	ca, err := f.load()
	if err != nil {
		return identity{}, fmt.Errorf("use the CA in %s: %w; restore %s and %s from a backup", f.dir.File(f.certFile), err, f.certFile, f.keyFile)
	}
	return ca, nil
}

func (f *caFiles) load() (identity, error) {
	certPEM, err := f.dir.Read(f.certFile)
	if err != nil {
		return identity{}, err
	}
	sealed, err := f.dir.Read(f.keyFile)
	if err != nil {
		return identity{}, err
	}
	der, err := f.keys.Open(f.purpose, f.keyFile, sealed)
	if err != nil {
		return identity{}, err
	}
	return parseIdentity(certPEM, der)
}

// save writes the key before the certificate: a certificate on the disk always has its key.
func (f *caFiles) save(id identity) error {
	der, err := id.keyDER()
	if err != nil {
		return err
	}
	if err := f.dir.Write(f.keyFile, f.keys.Seal(f.purpose, f.keyFile, der), 0o400); err != nil {
		return err
	}
	return f.dir.Write(f.certFile, id.certPEM(), 0o444)
}
