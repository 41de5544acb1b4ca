package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/emulator/entra"
)

// Tenant is an emulated tenant: Entra ID and Graph at one address, as programs that get tokens from the one for the other
// need them.
type Tenant struct {
	Entra *entra.Emulator
	Graph *Emulator

	certificate *x509.Certificate
	url         string
	id          string
	done        func() error
}

// StartTenant serves both over TLS with this certificate, on loopback only, until ctx ends or Close is called. Without a certificate
// (the zero one) it makes one for localhost, for a day. listen is an
// address such as 127.0.0.1:0. Of opts.Authority and opts.Client nothing is used; without opts.Applications they are those of
// config that have a secret, which ends in 180 days.
func StartTenant(ctx context.Context, listen string, certificate tls.Certificate, config entra.Config, opts Options) (*Tenant, error) {
	if len(certificate.Certificate) == 0 {
		own, err := entra.SelfSigned()
		if err != nil {
			return nil, err
		}
		certificate = own
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("read the emulator's certificate: %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("start the emulated tenant: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !address.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("start the emulated tenant: %s is no loopback address, and it guards nothing", listener.Addr()), listener.Close())
	}
	t := &Tenant{certificate: leaf, url: fmt.Sprintf("https://localhost:%d", address.Port), id: strings.ToLower(config.Tenant)}
	t.Entra, err = entra.New(entra.Options{
		Config: config, PublicURL: t.url, Clock: opts.Clock, Log: opts.Log, GraphRoles: func() []string { return t.Graph.Granted() },
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	opts.Authority, opts.Client = t.url+"/"+t.id, &http.Client{Transport: transport, Timeout: 30 * time.Second}
	if opts.Applications == nil {
		opts.Applications = applicationsOf(config, opts.Clock)
	}
	t.Graph = New(opts)
	mux := http.NewServeMux()
	mux.Handle("/v1.0/", t.Graph.Handler())
	mux.Handle("/emulator/", t.Graph.Handler())
	mux.Handle("/", t.Entra.Handler())
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(t.Graph.opts.Log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.ServeTLS(listener, "", "") // ends with Close
	}()
	t.done = sync.OnceValue(func() error {
		err := server.Close()
		transport.CloseIdleConnections()
		<-ended
		return err
	})
	context.AfterFunc(ctx, func() { _ = t.done() })
	return t, nil
}

// URL is the address of both, without a slash at its end.
func (t *Tenant) URL() string { return t.url }

// Certificate is what programs must trust to speak to it.
func (t *Tenant) Certificate() *x509.Certificate { return t.certificate }

// Close ends it.
func (t *Tenant) Close() error { return t.done() }
