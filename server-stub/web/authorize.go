package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

// policy says who may call a route.
type policy int

const (
	nobody  policy = iota // what a route gets that says nothing
	public                // anybody, and no cookie is looked at
	visitor               // anybody; who is signed in is known
	person                // who is signed in; others are asked to
	staff                 // who is signed in to the administrators' site and has a role
	setup                 // anybody, while there has never been an owner; then there is no such route
)

func (p policy) String() string {
	return [...]string{"nobody", "public", "visitor", "person", "staff", "setup"}[p]
}

// maxBody bounds what anybody may send (R-UP-1), in bytes.
const maxBody = 64 << 10

// who is asking.
type principal struct {
	session core.Session
	user    core.User
	roles   []core.Role
	token   secret.String // of the cookie
}

type principalKey struct{}

// signedIn returns who is asking, false for nobody.
func signedIn(ctx context.Context) (principal, bool) {
	p, ok := ctx.Value(principalKey{}).(principal)
	return p, ok
}

// whoAsks is signedIn for routes that nobody else reaches. It panics for the rest, which would be a route with the wrong policy.
func whoAsks(ctx context.Context) principal {
	p, ok := signedIn(ctx)
	if !ok {
		panic("web: a handler for people signed in was reached without one")
	}
	return p
}

// router is the handler as inbound asks it.
type router struct{ *Handler }

// Route implements inbound.Router. It is the only way to the mux.
func (h router) Route(r *http.Request) (*http.Request, string, http.Handler) {
	if !inbound.Clean(r) {
		return r, "", h.refuse(http.StatusNotFound, "err.notfound")
	}
	_, pattern := h.mux.Handler(r)
	if pattern == "" {
		return r, "", h.noRoute(r)
	}
	if h.foreign(r) {
		return r, pattern, h.refuse(http.StatusForbidden, "err.foreign")
	}
	switch p := h.policies[pattern]; p {
	case public:
		return r, pattern, h.mux
	case visitor, person, staff:
		next, refused := h.authenticate(r, p)
		if refused != nil {
			return r, pattern, refused
		}
		return next, pattern, h.mux
	case setup:
		open, err := h.Roles.SetupOpen(r.Context())
		if err != nil {
			return r, pattern, h.fault(err)
		}
		if !open {
			return r, pattern, h.refuse(http.StatusNotFound, "err.notfound")
		}
		return r, pattern, h.mux
	case nobody:
	}
	return r, pattern, h.refuse(http.StatusForbidden, "err.forbidden")
}

// Fail implements inbound.Router.
func (h router) Fail(w http.ResponseWriter, r *http.Request) {
	h.message(w, r, http.StatusInternalServerError, "err.internal", inbound.RequestID(r.Context()))
}

// foreign tells whether the request would change something and does not say that it comes from our own page (R-CSRF-1).
func (h *Handler) foreign(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return true
	}
	return h.origins.Check(r) != nil
}

// authenticate finds who is asking and holds them to the policy.
func (h *Handler) authenticate(r *http.Request, p policy) (*http.Request, http.Handler) {
	token := h.sessionToken(r)
	session, user, err := h.Sessions.AuthenticateWeb(r.Context(), h.kind, token)
	if errors.Is(err, core.ErrUnauthenticated) || errors.Is(err, core.ErrDisabled) {
		if p == visitor {
			return r, nil
		}
		return nil, h.askToSignIn()
	}
	if err != nil {
		return nil, h.fault(err)
	}
	who := principal{session: session, user: user, token: token}
	if h.kind == core.SessionAdmin {
		if who.roles, err = h.Roles.Of(r.Context(), user.ID); err != nil {
			return nil, h.fault(err)
		}
		if len(who.roles) == 0 {
			if p == visitor {
				return r, nil
			}
			return nil, h.refuse(http.StatusForbidden, "err.norole")
		}
	}
	inbound.TrustConnection(r.Context())
	return r.WithContext(context.WithValue(r.Context(), principalKey{}, who)), nil
}

// noRoute tells a wrong method from a wrong path.
func (h *Handler) noRoute(r *http.Request) http.Handler {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if _, pattern := h.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "" && h.policies[pattern] != setup {
			allowed = append(allowed, method)
		}
	}
	if allowed == nil {
		return h.refuse(http.StatusNotFound, "err.notfound")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		h.message(w, r, http.StatusMethodNotAllowed, "err.notfound")
	})
}

// askToSignIn sends a browser that wants to see a page to the sign-in, and back; anything else is told.
func (h *Handler) askToSignIn() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.message(w, r, http.StatusUnauthorized, "err.signedout")
			return
		}
		target := "/sign-in"
		if next := safeNext(r.URL.Path); next != "" && next != "/" {
			target += "?next=" + url.QueryEscape(next)
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	})
}

// refuse answers with a page that says why.
func (h *Handler) refuse(status int, key string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.message(w, r, status, key) })
}

// fault is an answer to what is not the person's doing.
func (h *Handler) fault(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if errors.Is(err, core.ErrUnavailable) {
			h.Logger.WarnContext(r.Context(), "page cannot be served now", "request_id", inbound.RequestID(r.Context()), "error", err)
			h.message(w, r, http.StatusServiceUnavailable, "err.later")
			return
		}
		h.Logger.ErrorContext(r.Context(), "page failed", "request_id", inbound.RequestID(r.Context()), "error", err)
		h.message(w, r, http.StatusInternalServerError, "err.internal", inbound.RequestID(r.Context()))
	})
}

// form reads what a form sent. False: it was answered.
func (h *Handler) form(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		h.message(w, r, http.StatusBadRequest, "err.badform")
		return false
	}
	return true
}
