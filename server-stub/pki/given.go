package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
)

// Given is the server's identity by a certificate and key that the administrator keeps as files.
type Given struct {
	certFile, keyFile string
	now               clock.Clock
	logger            *slog.Logger
	seen              [2]time.Time // the files' change times at the last successful load
	holder
}

// OpenGiven loads the PEM files: the certificate, with its chain behind it, and the key.
func OpenGiven(certFile, keyFile string, now clock.Clock, logger *slog.Logger) (*Given, error) {
	g := &Given{certFile: certFile, keyFile: keyFile, now: now, logger: logger}
	if err := g.Check(); err != nil {
		return nil, err
	}
	return g, nil
}

// CAPin is the pin of the last certificate in the given file: the CA, if the chain is whole.
func (g *Given) CAPin() api.Pin {
	chain := g.get().Certificate
	cert, err := x509.ParseCertificate(chain[len(chain)-1])
	if err != nil {
		return api.Pin{} // cannot be: tls.LoadX509KeyPair has read the leaf, and the handshake needs the rest readable
	}
	return api.PinOf(cert)
}

// CAFile is empty: who made the certificate is the administrator's business.
func (g *Given) CAFile() string { return "" }

// Check loads the files again when they have changed. When the new ones cannot be used the old stay in use and the error
// says why.
func (g *Given) Check() error {
	var seen [2]time.Time
	for i, name := range []string{g.certFile, g.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("use the given certificate: %w; mend tls_cert and tls_key", err)
		}
		if i == 1 && exposed(info) {
			g.logger.Warn("the key of the TLS certificate can be read by others", "file", name, "remedy", "chmod 600")
		}
		seen[i] = info.ModTime()
	}
	if g.get() != nil && seen == g.seen {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(g.certFile, g.keyFile)
	if err != nil {
		return fmt.Errorf("use the given certificate %s with the key %s: %w; mend tls_cert and tls_key", g.certFile, g.keyFile, err)
	}
	if now := g.now(); now.After(cert.Leaf.NotAfter) || now.Before(cert.Leaf.NotBefore) {
		g.logger.Warn("the given TLS certificate is not valid now", "file", g.certFile, "valid_from", cert.Leaf.NotBefore, "valid_to", cert.Leaf.NotAfter)
	}
	g.seen = seen
	g.set(&cert)
	g.logger.Info("TLS certificate loaded", "file", g.certFile, "valid_to", cert.Leaf.NotAfter)
	return nil
}

func exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o007 != 0 && os.PathSeparator == '/' }
