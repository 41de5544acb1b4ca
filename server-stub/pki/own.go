package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
)

// purpose is what the keys are sealed for.
const purpose = "pki"

// Own is the server's identity under the installation's own CA.
type Own struct {
	dir    *datadir.Dir
	keys   *keys.Keys
	now    clock.Clock
	logger *slog.Logger
	names  []string
	ca     identity
	holder
}

// OpenOwn loads the CA and the server certificate from d, makes what is missing, and renews the certificate if need be.
// names are the DNS names and IP addresses under which clients may reach the server; names the certificate has besides
// are kept.
func OpenOwn(d *datadir.Dir, k *keys.Keys, now clock.Clock, logger *slog.Logger, names []string) (*Own, error) {
	o := &Own{dir: d, keys: k, now: now, logger: logger, names: cleanNames(names)}
	var err error
	if o.ca, err = o.openCA(); err != nil {
		return nil, err
	}
	if t := now(); t.Before(o.ca.cert.NotBefore) || t.After(o.ca.cert.NotAfter) {
		return nil, fmt.Errorf("use the CA in %s: it is valid from %s to %s, but this computer's clock says %s; set the clock, or remove ca.pem and ca.key to make a new CA that every client must be told of",
			d.File(datadir.CACert), o.ca.cert.NotBefore.Format(time.RFC3339), o.ca.cert.NotAfter.Format(time.RFC3339), t.Format(time.RFC3339))
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	return o, nil
}

// CAPin is the pin of the CA.
func (o *Own) CAPin() api.Pin { return api.PinOf(o.ca.cert) }

// CAFile is where the CA's certificate is, for people to copy.
func (o *Own) CAFile() string { return o.dir.File(datadir.CACert) }

// Check renews the server certificate when it is missing, damaged, nearly over or lacks a name.
func (o *Own) Check() error {
	server, why := o.openServer()
	if why != "" {
		names := o.names
		if server.cert != nil {
			names = cleanNames(append(certNames(server.cert), o.names...))
		}
		var err error
		if server, err = newServer(o.ca, names, o.now()); err != nil {
			return fmt.Errorf("renew the server certificate: %w", err)
		}
		if err := o.save(server, datadir.ServerCert, datadir.ServerKey); err != nil {
			return fmt.Errorf("renew the server certificate: %w", err)
		}
		o.logger.Info("new server certificate", "reason", why, "names", strings.Join(names, " "), "valid_to", server.cert.NotAfter)
	}
	o.set(&tls.Certificate{Certificate: [][]byte{server.cert.Raw, o.ca.cert.Raw}, PrivateKey: server.key, Leaf: server.cert})
	return nil
}

func (o *Own) openCA() (identity, error) {
	return o.files(datadir.CACert, datadir.CAKey).open(func() (identity, error) { return newCA(o.now()) }, o.logger)
}

// openServer loads the server certificate and says why it must be renewed, if it must.
func (o *Own) openServer() (identity, string) {
	server, err := o.load(datadir.ServerCert, datadir.ServerKey)
	if err != nil {
		return identity{}, "there is none that can be used"
	}
	switch now := o.now(); {
	case server.cert.CheckSignatureFrom(o.ca.cert) != nil:
		return identity{}, "it is of another CA"
	case now.Add(renewBefore).After(server.cert.NotAfter):
		return server, "fewer than 30 days are left"
	case now.Before(server.cert.NotBefore):
		return server, "it is of the future"
	}
	for _, name := range o.names {
		if server.cert.VerifyHostname(name) != nil {
			return server, "it lacks the name " + name
		}
	}
	return server, ""
}

func (o *Own) load(certFile, keyFile string) (identity, error) {
	return o.files(certFile, keyFile).load()
}

func (o *Own) save(id identity, certFile, keyFile string) error {
	return o.files(certFile, keyFile).save(id)
}

func (o *Own) files(certFile, keyFile string) *caFiles {
	return &caFiles{dir: o.dir, keys: o.keys, certFile: certFile, keyFile: keyFile, purpose: purpose}
}

func certNames(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// cleanNames lowers, drops double ones and what cannot stand in a certificate, and keeps the order.
func cleanNames(names []string) []string {
	var clean []string
	for _, name := range names {
		name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
		if valid(name) && !slices.Contains(clean, name) {
			clean = append(clean, name)
		}
	}
	return clean
}

// valid tells whether crypto/x509 would ever match the name.
func valid(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return false
	}
	return (&x509.Certificate{DNSNames: []string{name}}).VerifyHostname(name) == nil
}
