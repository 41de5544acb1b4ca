package entra

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

	"github.com/platenprint/platen/internal/clock"
)

// Options say how an emulator runs.
type Options struct {
	Config Config
	// Listen is where Start listens, "127.0.0.1:0" if empty. Loopback only: the emulator guards nothing.
	Listen string
	// Certificate is the one that Start presents. If nil it makes one for localhost and 127.0.0.1.
	Certificate *tls.Certificate
	// PublicURL is the origin for issuer and endpoints, such as https://localhost:8444. If empty Start takes
	// https://localhost:PORT, and New the Host of each request.
	PublicURL string
	// GraphRoles tells the application permissions of Microsoft Graph that apps have; app-only tokens for it carry them. May be nil.
	GraphRoles func() []string
	Clock      clock.Clock  // clock.System if nil
	Log        *slog.Logger // none if nil; never gets a password, code, token or cookie
}

// Emulator is a tenant of Entra ID. Everything is in memory. It is safe for concurrent use.
type Emulator struct {
	log   *slog.Logger
	clock clock.Clock
	mux   *http.ServeMux
	roles func() []string // of Graph

	url  string // the origin; empty: by request
	leaf *x509.Certificate
	done func() error

	mu       sync.Mutex // guards everything below
	config   Config
	keys     []key // the first one signs
	down     bool
	delay    time.Duration
	skew     time.Duration
	calls    map[string]int
	wrong    map[string]int       // wrong passwords in a row, by UPN
	revoked  map[string]time.Time // grants older than that are over, by UPN
	consents map[string]bool      // "OID APP": the person has consented
	txs      map[string]*tx
	codes    map[string]*code
	refresh  map[string]*grant
	devices  map[string]*device // by device code
	sessions map[string]*session
}

// New prepares an emulator as an http.Handler (see Handler). It must be served over TLS: MSAL refuses anything else.
func New(opts Options) (*Emulator, error) {
	config := opts.Config
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("the emulated tenant: %w", err)
	}
	first, err := newKey()
	if err != nil {
		return nil, err
	}
	e := &Emulator{
		log: opts.Log, clock: opts.Clock, mux: http.NewServeMux(), roles: opts.GraphRoles, url: strings.TrimRight(opts.PublicURL, "/"), config: config, keys: []key{first},
		done: func() error { return nil }, calls: map[string]int{}, wrong: map[string]int{}, revoked: map[string]time.Time{}, consents: map[string]bool{},
		txs: map[string]*tx{}, codes: map[string]*code{}, refresh: map[string]*grant{}, devices: map[string]*device{}, sessions: map[string]*session{},
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.clock == nil {
		e.clock = clock.System
	}
	e.routes()
	return e, nil
}

// Start serves an emulator over TLS until ctx ends or Close is called.
func Start(ctx context.Context, opts Options) (*Emulator, error) {
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:0"
	}
	if opts.Certificate == nil {
		own, err := SelfSigned()
		if err != nil {
			return nil, err
		}
		opts.Certificate = &own
	}
	leaf, err := x509.ParseCertificate(opts.Certificate.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("read the emulator's certificate: %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("start the Entra ID emulator: %w", err)
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("start the Entra ID emulator: %s is no loopback address, and it guards nothing", listener.Addr()), listener.Close())
	}
	if opts.PublicURL == "" {
		opts.PublicURL = fmt.Sprintf("https://localhost:%d", addr.Port)
	}
	e, err := New(opts)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	e.leaf = leaf
	server := &http.Server{
		Handler: e.Handler(), ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{*opts.Certificate}, MinVersion: tls.VersionTLS12},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			e.log.ErrorContext(ctx, "the emulator ended", "error", err)
		}
	}()
	var once sync.Once
	var closeErr error
	e.done = func() error {
		once.Do(func() {
			closeErr = server.Close()
			<-ended
		})
		return closeErr
	}
	context.AfterFunc(ctx, func() { _ = e.done() })
	return e, nil
}

// Close ends an emulator that Start has started.
func (e *Emulator) Close() error { return e.done() }

// URL is the origin, without a slash at its end.
func (e *Emulator) URL() string { return e.url }

// Authority is what clients are configured with: the origin with the tenant's id.
func (e *Emulator) Authority() string { return e.url + "/" + e.tenant() }

// Issuer is what v2.0 tokens carry as iss.
func (e *Emulator) Issuer() string { return e.Authority() + "/v2.0" }

// Certificate is the one that Start presents; to trust in a test.
func (e *Emulator) Certificate() *x509.Certificate { return e.leaf }

// Client is an HTTP client that trusts only this emulator's certificate. It follows no redirect and keeps no cookies.
func (e *Emulator) Client() *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(e.leaf)
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (e *Emulator) tenant() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.config.Tenant
}

// now is the emulator's idea of the time, which Skew moves.
func (e *Emulator) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nowLocked()
}

func (e *Emulator) nowLocked() time.Time { return e.clock().Add(e.skew).UTC() }

// base is the origin for a request.
func (e *Emulator) base(r *http.Request) string {
	if e.url != "" {
		return e.url
	}
	return "https://" + r.Host
}

// settings is a snapshot of the tenant. Nothing in it is ever changed in place.
func (e *Emulator) settings() Config {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.config
}

func (e *Emulator) routes() {
	handle := func(pattern, name string, h http.HandlerFunc) {
		e.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			e.mu.Lock()
			e.calls[name]++
			e.mu.Unlock()
			h(w, r)
		})
	}
	handle("GET /common/discovery/instance", "instance", e.instance)
	handle("GET /common/UserRealm/{upn}", "userrealm", e.userRealm)
	handle("GET /{tenant}/v2.0/.well-known/openid-configuration", "openid-configuration", e.openIDConfiguration)
	handle("GET /{tenant}/discovery/v2.0/keys", "keys", e.keyDocument)
	handle("GET /{tenant}/oauth2/v2.0/authorize", "authorize", e.authorize)
	handle("POST /{tenant}/oauth2/v2.0/authorize", "authorize", e.authorize)
	handle("POST /{tenant}/login", "login", e.login)
	handle("/{tenant}/oauth2/v2.0/token", "token", e.token)
	handle("POST /{tenant}/oauth2/v2.0/devicecode", "devicecode", e.deviceCode)
	handle("GET /{tenant}/oauth2/v2.0/logout", "logout", e.logout)
	handle("GET /devicelogin", "devicelogin", e.deviceLogin)
	handle("POST /devicelogin", "devicelogin", e.deviceLogin)
}

// Handler serves the emulator's endpoints and pages.
func (e *Emulator) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		down, delay := e.down, e.delay
		e.mu.Unlock()
		if delay > 0 {
			timer := time.NewTimer(delay)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
				return
			}
		}
		if down {
			http.Error(w, "The service is unavailable.", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Strict-Transport-Security", "max-age=0") // real ones send a year; an emulator must not mark localhost
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		e.mux.ServeHTTP(w, r)
	})
}
