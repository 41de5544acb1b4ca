package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/oidc"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/signin"
)

// signInView is what the sign-in page shows.
type signInView struct {
	Providers []Provider
	Passwords bool
	Passkeys  bool
	Setup     bool
	Account   string // kept when the password was wrong
	Problem   string
	Next      string // where to go afterwards
	Client    string // the flow of Platen on this computer, "" for a sign-in to the pages
}

// signInPage asks who it is.
func (h *Handler) signInPage(w http.ResponseWriter, r *http.Request) {
	next := safeNext(r.URL.Query().Get("next"))
	if _, ok := signedIn(r.Context()); ok {
		http.Redirect(w, r, h.landing(next), http.StatusSeeOther)
		return
	}
	h.ask(w, r, http.StatusOK, signInView{Next: next}, "")
}

// ask shows the sign-in page with a problem, if there is one: a key of the texts and what fills its gaps.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, status int, s signInView, problem string, fill ...any) {
	v := h.view(r, "signin.title", nil)
	s.Providers, s.Passwords, s.Passkeys = h.Providers, h.Passwords != nil, h.kind == core.SessionAdmin
	if h.kind == core.SessionAdmin {
		open, err := h.Roles.SetupOpen(r.Context())
		if err != nil {
			h.fault(err).ServeHTTP(w, r)
			return
		}
		s.Setup = open
	}
	if problem != "" {
		s.Problem = v.T(problem, fill...)
	}
	if s.Client != "" {
		v.Title = "client.signin"
	}
	v.Data = s
	h.show(w, r, status, "signin", v)
}

// landing is where a browser that is signed in goes.
func (h *Handler) landing(next string) string {
	switch {
	case next != "":
		return next
	case h.kind == core.SessionAdmin:
		return "/admin"
	}
	return "/"
}

// password signs in by account and password.
func (h *Handler) password(w http.ResponseWriter, r *http.Request) {
	if !h.form(w, r) {
		return
	}
	s := signInView{Account: r.PostForm.Get("account"), Next: safeNext(r.PostForm.Get("next"))}
	password := secret.New(r.PostForm.Get("password"))
	r.PostForm.Del("password")
	if h.Passwords == nil || len(s.Account) > 256 {
		s.Account = ""
		h.ask(w, r, http.StatusForbidden, s, "err.failed")
		return
	}
	var c clientAsk
	if flow := r.PostForm.Get("client"); flow != "" {
		if err := h.finish(r, flowClient, flow, &c); err != nil {
			h.flowLost(w, r, err)
			return
		}
	}
	result, err := h.Passwords.Password(r.Context(), signin.Attempt{
		Name: s.Account, Password: password, Address: inbound.Address(r.Context()), Client: agent(r),
	})
	if err != nil {
		if c.Port != 0 { // the flow was taken; the next try needs one
			if s.Client, err = h.again(w, r, c, err); s.Client == "" {
				h.fault(err).ServeHTTP(w, r)
				return
			}
		}
		status, key, fill := h.words(r, err, "")
		h.ask(w, r, status, s, key, fill...)
		return
	}
	if c.Port != 0 {
		h.deliver(w, r, c, confirmed{User: result.User.ID, Assurance: core.AssurancePassword})
		return
	}
	h.enter(w, r, result.User, core.AssurancePassword, s.Next)
}

// again remembers c anew and returns its id with err unchanged; "" and what went wrong when that failed.
func (h *Handler) again(w http.ResponseWriter, r *http.Request, c clientAsk, err error) (string, error) {
	id, beginErr := h.begin(r.Context(), browser(w, r), flowClient, c)
	if beginErr != nil {
		return "", beginErr
	}
	return id, err
}

// enter gives the browser a session of the person and goes on.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request, u core.User, by core.Assurance, next string) {
	if err := h.admit(w, r, u, by); err != nil {
		status, key, fill := h.words(r, err, "")
		h.ask(w, r, status, signInView{Next: next}, key, fill...)
		return
	}
	http.Redirect(w, r, h.landing(next), http.StatusSeeOther)
}

// errNoRole: proven, but nobody who may see the administrators' pages.
var errNoRole = fmt.Errorf("%w: the person has no role", core.ErrForbidden)

// admit starts the session and sets its cookie. Errors beside those of StartWeb: errNoRole.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, u core.User, by core.Assurance) error {
	if h.kind == core.SessionAdmin {
		list, err := h.Roles.Of(r.Context(), u.ID)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errNoRole
		}
	}
	token, _, err := h.Sessions.StartWeb(r.Context(), u.ID, sessions.WebInfo{
		Kind: h.kind, Assurance: by, Client: agent(r), Address: inbound.Address(r.Context()).String(),
	}, h.sessionToken(r))
	if err != nil {
		return err
	}
	setCookie(w, h.sessionCookie(), token)
	inbound.TrustConnection(r.Context())
	return nil
}

// words are what a person reads about an error of a sign-in: the status, the text's key and what fills its gaps. provider is the
// name of the provider that was asked, "" for a password.
func (h *Handler) words(r *http.Request, err error, provider string) (status int, key string, fill []any) {
	var limited *core.LimitedError
	switch {
	case errors.As(err, &limited):
		v := h.view(r, "", nil)
		return http.StatusTooManyRequests, "err.limited", []any{v.Clock(limited.RetryAt)}
	case errors.Is(err, core.ErrLimited):
		return http.StatusTooManyRequests, "err.limited_soon", nil
	case errors.Is(err, core.ErrWrongCredentials):
		return http.StatusUnauthorized, "err.wrong", nil
	case errors.Is(err, core.ErrPasswordExpired):
		return http.StatusForbidden, "err.expired", nil
	case errors.Is(err, core.ErrDisabled):
		return http.StatusForbidden, "err.disabled", nil
	case errors.Is(err, oidc.ErrConsentRequired):
		h.note(r, provider, err)
		return http.StatusForbidden, "err.consent", nil
	case errors.Is(err, oidc.ErrDeviceBlocked):
		h.note(r, provider, err)
		return http.StatusForbidden, "err.device", nil
	case errors.Is(err, core.ErrMFARequired):
		return http.StatusForbidden, "err.mfa", nil
	case errors.Is(err, core.ErrAmbiguous) && provider == "":
		return http.StatusConflict, "err.ambiguous", nil
	case errors.Is(err, errNoRole):
		return http.StatusForbidden, "err.norole", nil
	case errors.Is(err, core.ErrUnavailable) && provider != "":
		h.note(r, provider, err)
		return http.StatusServiceUnavailable, "err.provider", []any{provider}
	case errors.Is(err, core.ErrUnavailable):
		return http.StatusServiceUnavailable, "err.directory", nil
	case (errors.Is(err, core.ErrForbidden) || errors.Is(err, core.ErrAmbiguous) || errors.Is(err, core.ErrNotFound)) && provider != "":
		h.note(r, provider, err)
		return http.StatusForbidden, "err.noaccount", []any{provider}
	case errors.Is(err, core.ErrForbidden):
		return http.StatusForbidden, "err.otherway", nil
	case provider != "" || errors.Is(err, core.ErrInvalid):
		h.note(r, provider, err)
		return http.StatusBadRequest, "err.failed", nil
	}
	h.Logger.ErrorContext(r.Context(), "a sign-in on the pages failed", "request_id", inbound.RequestID(r.Context()), "error", err)
	return http.StatusInternalServerError, "err.internal", []any{inbound.RequestID(r.Context())}
}

// note tells the administrator what the person is told less of.
func (h *Handler) note(r *http.Request, provider string, err error) {
	h.Logger.WarnContext(r.Context(), "a sign-in on the pages failed", "request_id", inbound.RequestID(r.Context()), "provider", provider, "error", err)
}

// flowLost answers a browser that came back with what it did not begin.
func (h *Handler) flowLost(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, errFlow) {
		h.fault(err).ServeHTTP(w, r)
		return
	}
	if countErr := h.limits.count(r, limitFailed); countErr != nil {
		status, key, fill := h.words(r, countErr, "")
		h.ask(w, r, status, signInView{}, key, fill...)
		return
	}
	h.ask(w, r, http.StatusBadRequest, signInView{}, "err.flow")
}

func actorOf(user core.UserID) string { return fmt.Sprintf("user:%d", user) }
