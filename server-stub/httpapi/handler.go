package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/events"
	"github.com/platenprint/platen/server-stub/inbound"
)

// Attempt is one try to sign in with a password.
type Attempt struct {
	Name      string
	Password  secret.String
	OSAccount api.OSAccount
	Shared    bool // many people use the computer
	Address   netip.Addr
	Client    string
}

// SignedIn is a sign-in that worked.
type SignedIn struct {
	User       core.User
	LinkedName string // the computer's short name, when this sign-in linked it to the account

	Assurance core.Assurance // how sure we are; AssurancePassword when empty
	Device    string         // the device that vouched for the person, "" when they proved it themselves
	Stay      bool           // the person asked to stay signed in before, on the page that gave the code
}

// TokenAttempt is one try to sign in with an identity provider's token.
type TokenAttempt struct {
	Provider  string
	Token     secret.String
	OSAccount api.OSAccount
	Shared    bool
	Address   netip.Addr
	Client    string
}

// CodeAttempt is one try to sign in with a one-use code.
type CodeAttempt struct {
	Code      secret.String
	Verifier  string
	OSAccount api.OSAccount
	Shared    bool
	Address   netip.Addr
	Client    string
}

// SignIn checks who somebody is. Every method is limited per network, whatever is tried (R-RATE-1). Errors are of the kinds of
// package core, or a *Refusal.
type SignIn interface {
	Password(ctx context.Context, a Attempt) (SignedIn, error)
	Token(ctx context.Context, a TokenAttempt) (SignedIn, error)
	Code(ctx context.Context, a CodeAttempt) (SignedIn, error)
}

// Roles tells what somebody may do beyond their own affairs.
type Roles interface {
	Of(ctx context.Context, user core.UserID) ([]core.Role, error)
}

// Tokens are the secrets of a session, in clear for the one time they are handed out.
type Tokens struct {
	Access         secret.String
	AccessExpires  time.Time
	Refresh        secret.String
	RefreshExpires time.Time
}

// From says where a session is used.
type From struct {
	Client       string
	Host         string
	Address      netip.Addr
	StaySignedIn bool
	Assurance    core.Assurance // Issue only
	Device       string         // Issue only
}

// Sessions keeps who is signed in. Errors are of the kinds of package core.
type Sessions interface {
	Issue(ctx context.Context, user core.User, from From) (Tokens, error)
	// Refresh returns core.ErrUnauthenticated when the session is over or the token is of no use.
	Refresh(ctx context.Context, token secret.String, from From) (Tokens, core.User, error)
	// Authenticate returns core.ErrUnauthenticated for every token that is not in force.
	Authenticate(ctx context.Context, access secret.String) (core.Session, core.User, error)
	// Check returns whose session it is, or core.ErrUnauthenticated when it is over or they may not sign in any more.
	Check(ctx context.Context, session string) (core.User, error)
	// Revoke ends one session of the user; core.ErrNotFound when it is not theirs.
	Revoke(ctx context.Context, user core.UserID, session string) error
	List(ctx context.Context, user core.UserID) ([]core.Session, error)
}

// Point is a balance at a time.
type Point struct {
	At     time.Time
	Amount core.Amount
}

// Ledger tells what somebody has.
type Ledger interface {
	// Balance returns an empty account for somebody for whom nothing was ever booked.
	Balance(ctx context.Context, user core.UserID) (core.Account, error)
	// Statement returns the newest lines before the given one (0: from the newest).
	Statement(ctx context.Context, user core.UserID, before int64, limit int) ([]core.StatementLine, error)
	// BalanceHistory returns the balances at from, from+step ... and last at to.
	BalanceHistory(ctx context.Context, user core.UserID, from, to time.Time, step time.Duration) ([]Point, error)
}

// Deps is what the handler works with. All are needed but the networks.
type Deps struct {
	SignIn   SignIn
	Sessions Sessions
	Ledger   Ledger
	Hub      *events.Hub
	Client   api.ClientConfig // what GET client-config answers, without the time; its AuthModes are the ways that are open
	Roles    Roles
	// WellKnown is what the server tells of itself to computers that look for it.
	WellKnown func() api.WellKnown
	// Capabilities answers the comparison table.
	Capabilities func(context.Context) (api.Capabilities, error)
	Currency     core.Currency
	// Ready says why the server cannot do its work, nil when it can.
	Ready   func(context.Context) error
	Clock   clock.Clock
	Logger  *slog.Logger
	Metrics *prometheus.Registry
	Meters  *inbound.Meters // of all listeners

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed (R-RATE-2)
	MetricsFrom    []netip.Prefix // who may read /metrics
}

// Handler serves the whole of the HTTP surface. Safe for concurrent use.
type Handler struct {
	Deps
	front    inbound.Front
	mux      *http.ServeMux
	huma     huma.API
	policies map[string]policy // by the mux's pattern
	openAPI  []byte
	meters   *meters
	streams  *streams
}

// New makes the handler.
func New(d Deps) *Handler {
	h := &Handler{Deps: d, mux: http.NewServeMux(), policies: map[string]policy{}, meters: newMeters(d.Metrics, d.Hub)}
	h.front = inbound.Front{Router: router{h}, Headers: inbound.APIHeaders(), Proxies: d.TrustedProxies, Meters: d.Meters, Clock: d.Clock, Logger: d.Logger}
	h.streams = newStreams(h)
	h.huma = humago.New(h.mux, h.humaConfig())
	h.routes()
	h.openAPI = h.document()
	return h
}

// routes has every route there is.
func (h *Handler) routes() {
	// Before sign-in.
	operation(h, public, "get-well-known", "GET", api.PathWellKnown, "Where the server is, for computers that look for it", h.wellKnown)
	operation(h, public, "get-client-config", "GET", api.PathClientConfig, "What a client may know before sign-in", h.clientConfig)
	operation(h, public, "sign-in", "POST", api.PathSessions, "Sign in with account and password", h.signIn)
	operation(h, public, "sign-in-by-token", "POST", api.PathSessionToken, "Sign in with an identity provider's access token for this server", h.signInByToken)
	operation(h, public, "sign-in-by-code", "POST", api.PathSessionCode, "Sign in with a one-use code", h.signInByCode)
	operation(h, public, "refresh-session", "POST", api.PathSessionRefresh, "Exchange a refresh token for new tokens", h.refresh)

	// For the person signed in, about themselves.
	operation(h, user, "sign-out", "DELETE", api.PathSessionCurrent, "End the session in use", h.signOut)
	operation(h, user, "get-me", "GET", api.PathMe, "Who is signed in, and their balance", h.me)
	operation(h, user, "list-my-sessions", "GET", api.PathMySessions, "Where I am signed in", h.mySessions)
	operation(h, user, "end-my-session", "DELETE", api.PathMySession, "Sign out somewhere else", h.endMySession)
	operation(h, user, "get-balance", "GET", api.PathBalance, "My balance", h.balance)
	operation(h, user, "list-transactions", "GET", api.PathTransactions, "My account statement, newest first", h.transactions)
	operation(h, user, "get-balance-history", "GET", api.PathBalanceHistory, "My balance at the end of each day", h.balanceHistory)
	h.handle(user, "GET", api.PathEvents, http.HandlerFunc(h.streams.serve))
	h.describeEvents()

	// For the people and programs that run the server.
	operation(h, admin, "get-capabilities", "GET", api.PathCapabilities, "What works with this server's configuration", h.capabilities)
	h.handle(public, "GET", api.PathOpenAPI, http.HandlerFunc(h.serveOpenAPI))
	h.handle(public, "GET", api.PathHealth, http.HandlerFunc(h.health))
	h.handle(public, "GET", api.PathReady, http.HandlerFunc(h.ready))
	h.handle(operator, "GET", api.PathMetrics, h.meters.handler(h.Metrics))
}

// handle adds a route that is no huma operation.
func (h *Handler) handle(p policy, method, path string, handler http.Handler) {
	h.allow(p, method, path)
	h.mux.Handle(method+" "+path, handler)
}

// allow says who may call a route.
func (h *Handler) allow(p policy, method, path string) {
	h.policies[method+" "+path] = p
}

// operation adds a route whose input and output are described by types.
func operation[I, O any](h *Handler, p policy, id, method, path, summary string, serve func(context.Context, *I) (*O, error)) {
	h.allow(p, method, path)
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		MaxBodyBytes: api.MaxRequestBody, BodyReadTimeout: bodyReadTimeout,
		Responses: map[string]*huma.Response{"default": h.problemResponse()},
	}
	if p == user || p == admin {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	huma.Register(h.huma, op, func(ctx context.Context, in *I) (*O, error) {
		defer inbound.WorkOn(ctx)() // the body was read
		out, err := serve(ctx, in)
		if err != nil {
			return nil, h.answerTo(ctx, err)
		}
		return out, nil
	})
}

// Shutdown ends the event streams and waits for them until ctx ends.
func (h *Handler) Shutdown(ctx context.Context) { h.streams.shutdown(ctx) }
