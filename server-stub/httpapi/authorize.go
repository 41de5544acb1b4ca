package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

// policy says who may call a route.
type policy int

const (
	nobody   policy = iota // what a route gets that says nothing
	public                 // anybody, and nothing sent along is looked at
	user                   // who holds an access token in force
	operator               // who asks from one of the networks of MetricsFrom
	admin                  // a user with a role that reads the configuration, who has proven who they are themselves
)

func (p policy) String() string {
	return [...]string{"nobody", "public", "user", "operator", "admin"}[p]
}

// maxToken bounds what is looked up as a token, in bytes.
const maxToken = 512

// principal is who is asking.
type principal struct {
	session core.Session
	user    core.User
}

type principalKey struct{}

// whoAsks returns who is asking. Only handlers of routes for users may call it: it panics for the rest, which would be a
// route with the wrong policy.
func whoAsks(ctx context.Context) principal {
	p, ok := ctx.Value(principalKey{}).(principal)
	if !ok {
		panic("httpapi: a handler for users was reached without one")
	}
	return p
}

// authorize lets a request through to its route, or returns the problem to answer with. It is the only way to the mux.
func (h *Handler) authorize(r *http.Request) (*http.Request, string, *problem) {
	if !inbound.Clean(r) {
		return r, "", problemOf(http.StatusNotFound, api.CodeNotFound)
	}
	_, pattern := h.mux.Handler(r)
	if pattern == "" {
		return r, "", h.noRoute(r)
	}
	switch h.policies[pattern] {
	case public:
		return r, pattern, nil
	case operator:
		if h.fromOperator(r) {
			return r, pattern, nil
		}
		return r, pattern, problemOf(http.StatusForbidden, api.CodeForbidden)
	case user, admin:
		session, person, err := h.authenticate(r)
		if err == nil && h.policies[pattern] == admin {
			err = h.administrates(r.Context(), session, person)
		}
		if err != nil {
			return r, pattern, h.problemFor(r.Context(), err)
		}
		inbound.TrustConnection(r.Context())
		return r.WithContext(context.WithValue(r.Context(), principalKey{}, principal{session, person})), pattern, nil
	default:
		return r, pattern, problemOf(http.StatusForbidden, api.CodeForbidden)
	}
}

// administrates refuses whoever may not read the configuration, and a session that only a machine vouches for (SECURITY.md C3).
func (h *Handler) administrates(ctx context.Context, session core.Session, person core.User) error {
	if session.Assurance == core.AssuranceMachine {
		return core.ErrForbidden
	}
	roles, err := h.Roles.Of(ctx, person.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(roles, func(r core.Role) bool { return r == core.RoleOwner || r == core.RoleAdmin || r == core.RoleAuditor }) {
		return core.ErrForbidden
	}
	return nil
}

// noRoute tells a wrong method from a wrong path.
func (h *Handler) noRoute(r *http.Request) *problem {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := h.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if allowed == nil {
		return problemOf(http.StatusNotFound, api.CodeNotFound)
	}
	p := problemOf(http.StatusMethodNotAllowed, api.CodeInvalid)
	p.header.Set("Allow", strings.Join(allowed, ", "))
	return p
}

// authenticate finds who holds the access token. The one accepted form is a single header "Authorization: Bearer TOKEN"
// (RFC 6750 section 2.1).
func (h *Handler) authenticate(r *http.Request) (core.Session, core.User, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return core.Session{}, core.User{}, core.ErrUnauthenticated
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken || strings.ContainsAny(token, " ,\t") {
		return core.Session{}, core.User{}, core.ErrUnauthenticated
	}
	session, person, err := h.Sessions.Authenticate(r.Context(), secret.New(token))
	if err != nil {
		return core.Session{}, core.User{}, err
	}
	if session.UserID != person.ID || !person.Active() {
		return core.Session{}, core.User{}, errors.Join(core.ErrUnauthenticated, errors.New("the session and its person do not fit"))
	}
	return session, person, nil
}

// fromOperator tells whether the request comes from an operator's network.
func (h *Handler) fromOperator(r *http.Request) bool {
	return !h.front.Proxies.Disguised(r) && inbound.Contains(h.MetricsFrom, inbound.Address(r.Context()))
}
