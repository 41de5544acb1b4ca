package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/passkeys"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// Provider is an identity provider that people sign in with.
type Provider interface {
	ID() string   // as it stands in addresses
	Name() string // as it stands on the button
	// AuthURL is where to send the browser. Errors: core.ErrUnavailable when the provider does not answer.
	AuthURL(ctx context.Context, r AuthRequest) (string, error)
	// Denied makes an error of what the browser came back with instead of a code, nil when there is a code. Its kinds are those of
	// Finish, and oidc.ErrCancelled.
	Denied(values url.Values) error
	// Finish redeems what the browser came back with and says who it is. Errors: core.ErrUnavailable, core.ErrForbidden for
	// somebody who has no account here, core.ErrDisabled, core.ErrAmbiguous, oidc.ErrConsentRequired, oidc.ErrDeviceBlocked;
	// anything else is a proof that does not hold.
	Finish(ctx context.Context, r FinishRequest) (Proven, error)
}

// AuthRequest is what a sign-in at a provider begins with.
type AuthRequest struct {
	Redirect      string // where it must send the browser back to
	State, Nonce  string
	Challenge     string // PKCE, S256
	Hint          string // the account that is expected, or ""
	SelectAccount bool   // let the person choose, even if they are signed in there
}

// FinishRequest is what it ends with.
type FinishRequest struct {
	Redirect string
	Code     secret.String
	Verifier string
	Nonce    string
}

// Proven is who somebody is.
type Proven struct {
	User core.User
	At   time.Time // when they proved it to the provider, as that says; zero when it does not
}

// Passwords checks account and password.
type Passwords interface {
	Password(ctx context.Context, a signin.Attempt) (signin.Result, error)
}

// Deps is what a site works with. All are needed but Passwords, Providers and the texts.
type Deps struct {
	Organisation string
	HelpText     string   // whom to ask
	PublicURL    *url.URL // how people outside reach the site for everybody; nil: as they say they do

	Store     store.Store
	Sessions  *sessions.Manager
	Roles     *roles.Service
	Passkeys  *passkeys.Service
	Users     *users.Service
	Codes     *codes.Service
	Passwords Passwords  // nil where nobody signs in by account and password
	Providers []Provider // the usual one first
	Modes     []string   // the ways of signing in (api.Method...) that Platen is offered

	Key     secret.String // for the names of counters
	Proxies []netip.Prefix
	Meters  *inbound.Meters
	Clock   clock.Clock
	Logger  *slog.Logger
}

// Handler serves one of the two sites. Safe for concurrent use.
type Handler struct {
	Deps
	kind     core.SessionKind
	front    inbound.Front
	mux      *http.ServeMux
	policies map[string]policy // by the mux's pattern
	origins  *http.CrossOriginProtection
	limits   *limiter
	pages    *pages
}

// New makes the site for everybody (core.SessionWeb) or for administrators (core.SessionAdmin).
func New(d Deps, kind core.SessionKind) (*Handler, error) {
	p, err := loadPages()
	if err != nil {
		return nil, fmt.Errorf("load the pages: %w", err)
	}
	h := &Handler{
		Deps: d, kind: kind, mux: http.NewServeMux(), policies: map[string]policy{}, origins: http.NewCrossOriginProtection(),
		limits: &limiter{store: d.Store, key: []byte(d.Key.Reveal()), now: d.Clock}, pages: p,
	}
	h.front = inbound.Front{Router: router{h}, Headers: headers(), Proxies: d.Proxies, Meters: d.Meters, Clock: d.Clock, Logger: d.Logger}
	h.routes()
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.front.ServeHTTP(w, r) }

// Server returns the HTTP server of the site, with limits against slow and greedy clients.
func (h *Handler) Server(tlsConfig *tls.Config) *http.Server {
	return inbound.Server(h, tlsConfig, h.Logger)
}

// Routes are all routes of the site with who may call them, for whoever checks that nothing is open by mistake.
func (h *Handler) Routes() map[string]string {
	list := map[string]string{}
	for pattern, p := range h.policies {
		list[pattern] = p.String()
	}
	return list
}

// routes has every route there is.
func (h *Handler) routes() {
	h.handle(public, "GET /static/{version}/{file}", h.static)
	h.handle(visitor, "GET /sign-in", h.signInPage)
	h.handle(visitor, "POST /sign-in/password", h.password)
	h.handle(visitor, "POST /sign-in/start", h.start)
	h.handle(visitor, "GET /sign-in/callback/{provider}", h.callback)
	h.handle(visitor, "POST /sign-out", h.signOut)
	h.handle(public, "GET /signed-out", h.signedOut)
	if h.kind == core.SessionAdmin {
		h.handle(visitor, "POST /sign-in/passkey/options", h.passkeyOptions)
		h.handle(visitor, "POST /sign-in/passkey", h.passkey)
		h.handle(public, "GET /{$}", h.toAdmin)
		h.handle(staff, "GET /admin", h.adminHome)
		h.handle(setup, "GET /set-up", h.setupPage)
		h.handle(setup, "POST /set-up/password", h.setupPassword)
		h.handle(setup, "POST /set-up/passkey/options", h.setupPasskeyOptions)
		h.handle(setup, "POST /set-up/passkey", h.setupPasskey)
		return
	}
	h.handle(person, "GET /{$}", h.home)
	h.handle(person, "POST /sessions/end", h.endSession)
	if slices.Contains(h.Modes, api.MethodBrowser) {
		h.handle(visitor, "GET /sign-in/client", h.client)
		h.handle(public, "POST /sign-in/client/continue", h.clientContinue)
	}
}

func (h *Handler) handle(p policy, pattern string, handler http.HandlerFunc) {
	h.policies[pattern] = p
	h.mux.Handle(pattern, h.whole(handler))
}

// whole lets a handler work once the whole request is here, and tells the listener that it does: whoever dawdles with a body
// may lose the connection, whoever waits for us does not.
func (h *Handler) whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			h.message(w, r, http.StatusRequestEntityTooLarge, "err.badform")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		defer inbound.WorkOn(r.Context())()
		next.ServeHTTP(w, r)
	})
}

// headers go out with every answer (SECURITY.md D3). Pages that must send a form elsewhere say so themselves.
func headers() map[string]string {
	list := inbound.APIHeaders()
	list["Content-Security-Policy"] = policyFor("'self'")
	return list
}

func policyFor(formAction string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action " + formAction +
		"; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}
