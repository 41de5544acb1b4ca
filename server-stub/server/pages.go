package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/federation"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/oidc"
	"github.com/platenprint/platen/server-stub/passkeys"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/web"
)

// sites are the pages: for everybody on the HTTPS listener beside the API, for administrators on a listener of their own.
type sites struct {
	everybody *web.Handler
	admin     *web.Handler
	listener  net.Listener // of the administrators' pages; nil when they are off
}

// openRoles makes the roles. Their end of the set-up takes the one-time token away.
func (s *server) openRoles() *roles.Service {
	return roles.New(roles.Deps{
		Store: s.db, Clock: s.now,
		OnChange: func(ctx context.Context, user core.UserID) {
			if err := s.rooms.sessions.EndKind(context.WithoutCancel(ctx), "system", user, core.SessionAdmin); err != nil {
				s.logger.ErrorContext(ctx, "cannot end the administrator's sessions of a user whose roles changed", "user_id", int64(user), "error", err)
			}
		},
		SetupToken: func() (secret.String, error) {
			text, err := s.dir.Read(datadir.SetupToken)
			if errors.Is(err, fs.ErrNotExist) {
				return secret.String{}, core.ErrNotFound
			}
			return secret.New(strings.TrimSpace(string(text))), err
		},
		OnSetup: func(ctx context.Context) {
			s.logger.InfoContext(ctx, "the first owner is set up")
			if err := s.dir.Remove(datadir.SetupToken); err != nil {
				s.logger.ErrorContext(ctx, "the one-time token of the set-up, now of no use, is still there", "error", err)
			}
		},
	})
}

// openPages makes the sites and listens for administrators.
func (s *server) openPages(ctx context.Context, meters *inbound.Meters) (*sites, error) {
	key := s.keys.Derive("counters of the pages")
	organisation := s.cfg.Organisation
	if organisation == "" {
		organisation = "Platen"
	}
	var providers []web.Provider
	for _, p := range s.rooms.idp.providers {
		providers = append(providers, provider{p, s.rooms.idp.people})
	}
	d := web.Deps{
		Organisation: s.cfg.Organisation, HelpText: s.cfg.HelpText, PublicURL: s.cfg.PublicURL,
		Store: s.db, Sessions: s.rooms.sessions, Roles: s.rooms.roles, Passkeys: passkeys.New(s.db, s.now, organisation), Users: s.rooms.users,
		Codes: s.rooms.codes, Passwords: s.rooms.signin, Providers: providers, Modes: s.cfg.SignIn.Modes,
		Key: secret.New(hex.EncodeToString(key[:])), Proxies: s.cfg.TrustedProxies, Meters: meters, Clock: s.now, Logger: s.logger,
	}
	prompt := slices.Contains(s.cfg.SignIn.Modes, api.MethodPrompt)
	if !prompt { // a local owner must get in when no provider answers
		d.Passwords = localPasswords{s.rooms.signin}
	}
	p := &sites{}
	var err error
	if p.admin, err = web.New(d, core.SessionAdmin); err != nil {
		return nil, err
	}
	if !prompt {
		d.Passwords = nil
	}
	if p.everybody, err = web.New(d, core.SessionWeb); err != nil {
		return nil, err
	}
	if s.cfg.AdminListen == "" {
		return p, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for administrators: %w; stop the other program, or choose another address with admin_listen", s.cfg.AdminListen, err)
	}
	p.listener = inbound.Guard(l, s.cfg.TrustedProxies, s.now)
	return p, nil
}

// localPasswords are the passwords of Platen's own accounts, for administrators where nobody else signs in by one.
type localPasswords struct{ passwords web.Passwords }

// Password implements web.Passwords.
func (l localPasswords) Password(ctx context.Context, a signin.Attempt) (signin.Result, error) {
	a.LocalOnly = true
	return l.passwords.Password(ctx, a)
}

// serve serves the administrators' pages in g, until shutdown is called.
func (p *sites) serve(g *errgroup.Group, s *server) (shutdown func(context.Context) error) {
	if p.listener == nil {
		return func(context.Context) error { return nil }
	}
	server := p.admin.Server(pki.TLSConfig(s.identity))
	g.Go(func() error { return ignoreClosed(server.ServeTLS(p.listener, "", "")) })
	return server.Shutdown
}

// pageHost is an address as it is best opened: passkeys know names only, so that of this computer for its own address.
func pageHost(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// setupAddress is where the first owner is set up.
func (s *server) setupAddress() string {
	if s.pages.listener == nil {
		return "the first owner is set up at admin_listen (which is off)"
	}
	return "the first owner: https://" + pageHost(s.pages.listener.Addr().String()) + "/set-up"
}

// mainHandler is what the HTTPS listener serves: the API and what belongs to it, what directories call, and the pages. Each reads the path by itself
// and refuses every doubtful one.
func mainHandler(apiHandler, directories, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if strings.HasPrefix(path, "/api/") || path == api.PathWellKnown || path == api.PathHealth || path == api.PathReady || path == api.PathMetrics {
			apiHandler.ServeHTTP(w, r)
			return
		}
		if isProvisioning(path) {
			directories.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// provider is an identity provider as the pages need it: it says whose account it is.
type provider struct {
	*oidc.Provider
	people *federation.Service
}

var _ web.Provider = provider{}

// knownSince asks providers to say when the person signed in there; they need not sign in anew for it.
const knownSince = 90 * 24 * time.Hour

func (p provider) AuthURL(ctx context.Context, r web.AuthRequest) (string, error) {
	request := oidc.AuthRequest{RedirectURL: r.Redirect, State: r.State, Nonce: r.Nonce, Challenge: r.Challenge, Hint: r.Hint, MaxAge: knownSince}
	if r.SelectAccount {
		request.Prompt = "select_account"
	}
	return p.Provider.AuthURL(ctx, request)
}

func (p provider) Denied(values url.Values) error { return p.Provider.Denied(values) }

func (p provider) Finish(ctx context.Context, r web.FinishRequest) (web.Proven, error) {
	claims, err := p.Exchange(ctx, r.Redirect, r.Code.Reveal(), r.Verifier, r.Nonce)
	if err != nil {
		return web.Proven{}, err
	}
	u, err := p.people.Person(ctx, claims)
	if err != nil {
		return web.Proven{}, err
	}
	return web.Proven{User: u, At: claims.AuthTime}, nil
}
