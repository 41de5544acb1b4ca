package google

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Customer is an emulated customer that is served.
type Customer struct {
	*Emulator

	url  string
	done func() error
}

// Start serves an emulator over TLS with this certificate, on loopback only, until ctx ends or Close is called. listen is an
// address such as 127.0.0.1:0. opts.PublicURL is not looked at; without an account one is made.
func Start(ctx context.Context, listen string, certificate tls.Certificate, opts Options) (*Customer, error) {
	if opts.Account.Key == nil {
		account, err := NewAccount()
		if err != nil {
			return nil, err
		}
		opts.Account = account
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("start the emulated customer: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !address.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("start the emulated customer: %s is no loopback address, and it guards nothing", listener.Addr()), listener.Close())
	}
	c := &Customer{url: fmt.Sprintf("https://localhost:%d", address.Port)}
	opts.PublicURL = c.url
	c.Emulator = New(opts)
	server := &http.Server{
		Handler: c.Handler(), ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(c.opts.Log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.ServeTLS(listener, "", "") // ends with Close
	}()
	c.done = sync.OnceValue(func() error {
		err := server.Close()
		<-ended
		waiting, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		c.Wait(waiting)
		return err
	})
	context.AfterFunc(ctx, func() { _ = c.done() })
	return c, nil
}

// URL is its address, without a slash at its end.
func (c *Customer) URL() string { return c.url }

// Admin is the address of the administrator whom the service account acts for.
func (c *Customer) Admin() string { return c.dir.Admin }

// KeyFile is the JSON key of its service account.
func (c *Customer) KeyFile() ([]byte, error) { return c.opts.Account.File(c.url) }

// Close ends it.
func (c *Customer) Close() error { return c.done() }
