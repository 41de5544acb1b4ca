package pki

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/api"
)

// Identity is what the server shows in a TLS handshake. Safe for concurrent use, but for Check, which one goroutine calls.
type Identity interface {
	// GetCertificate is for tls.Config.
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// CAPin is the pin clients may be given instead of the CA's file.
	CAPin() api.Pin
	// CAFile is the CA's certificate for clients, "" when the administrator has given the certificate.
	CAFile() string
	// Check renews or reloads the certificate when it is time.
	Check() error
}

var (
	_ Identity = (*Own)(nil)
	_ Identity = (*Given)(nil)
)

// TLSConfig is the configuration of the server's listeners: TLS 1.2 and above, with Go's choice of ciphers.
func TLSConfig(id Identity) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: id.GetCertificate, NextProtos: []string{"h2", "http/1.1"}}
}

// Watch calls Check every so often until ctx ends. A failure is logged and the certificate in use stays.
func Watch(ctx context.Context, id Identity, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := id.Check(); err != nil {
				logger.Error("the TLS certificate could not be renewed; the old one stays in use", "error", err)
			}
		}
	}
}

// holder keeps the certificate in use.
type holder struct {
	cert atomic.Pointer[tls.Certificate]
}

func (h *holder) set(cert *tls.Certificate) { h.cert.Store(cert) }
func (h *holder) get() *tls.Certificate     { return h.cert.Load() }

// GetCertificate implements Identity.
func (h *holder) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if cert := h.get(); cert != nil {
		return cert, nil
	}
	return nil, errors.New("no certificate loaded")
}
