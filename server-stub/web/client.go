package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/oidc"
)

// clientAsk is what Platen on a computer asked for (api.BrowserConfig).
type clientAsk struct {
	Challenge     string `json:"challenge"`
	Port          int    `json:"port"`
	State         string `json:"state"`
	Provider      string `json:"provider,omitempty"`
	Hint          string `json:"hint,omitempty"`
	SelectAccount bool   `json:"select_account,omitempty"`
}

// confirmed is who it is.
type confirmed struct {
	User      core.UserID    `json:"user"`
	Name      string         `json:"name"`
	Assurance core.Assurance `json:"assurance"`
	Provider  string         `json:"provider,omitempty"`
	// Session is the one on the pages that says so, "" for somebody whom a provider has just named.
	Session string `json:"session,omitempty"`
}

// question is a confirmed person who is asked whether Platen on this computer may sign in.
type question struct {
	Client clientAsk `json:"client"`
	Who    confirmed `json:"who"`
}

// codeLife is how long Platen has to redeem its code: the browser posts it at once.
const codeLife = time.Minute

var (
	stateForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{8,256}$`)
	portForm  = regexp.MustCompile(`^[1-9][0-9]{3,4}$`)
)

// readClientAsk reads what Platen wrote into the address. Nothing of it is guessed: one mistake, and it is refused.
func readClientAsk(q url.Values) (clientAsk, bool) {
	for _, values := range q {
		if len(values) != 1 {
			return clientAsk{}, false
		}
	}
	c := clientAsk{Challenge: q.Get("challenge"), State: q.Get("state"), Provider: q.Get("provider"), Hint: q.Get("login_hint")}
	port, err := strconv.Atoi(q.Get("port"))
	if err != nil || !portForm.MatchString(q.Get("port")) || port < 1024 || port > 65535 {
		return clientAsk{}, false
	}
	c.Port = port
	switch q.Get("prompt") {
	case "":
	case "select_account":
		c.SelectAccount = true
	default:
		return clientAsk{}, false
	}
	return c, codes.ValidChallenge(c.Challenge) && stateForm.MatchString(c.State) && len(c.Hint) <= 256
}

// client begins the sign-in of Platen on this computer.
func (h *Handler) client(w http.ResponseWriter, r *http.Request) {
	c, ok := readClientAsk(r.URL.Query())
	if !ok {
		h.message(w, r, http.StatusBadRequest, "err.client")
		return
	}
	if c.Provider != "" && h.provider(c.Provider) == nil {
		h.answer(w, r, c, "", api.BrowserErrorFailed)
		return
	}
	if who, known := signedIn(r.Context()); known && !c.SelectAccount {
		h.confirm(w, r, c, confirmed{User: who.user.ID, Name: who.user.Username, Assurance: who.session.Assurance, Session: who.session.ID})
		return
	}
	h.choose(w, r, c)
}

// choose goes to the provider where there is nothing to choose, and asks otherwise.
func (h *Handler) choose(w http.ResponseWriter, r *http.Request, c clientAsk) {
	p := h.provider(c.Provider)
	if p == nil && len(h.Providers) == 1 && h.Passwords == nil {
		p = h.Providers[0]
	}
	if p != nil {
		h.leave(w, r, p, c, "")
		return
	}
	if err := h.limits.count(r, limitBegin); err != nil {
		h.fail(w, r, c, err)
		return
	}
	id, err := h.begin(r.Context(), browser(w, r), flowClient, c)
	if err != nil {
		h.fault(err).ServeHTTP(w, r)
		return
	}
	h.ask(w, r, http.StatusOK, signInView{Client: id, Account: c.Hint}, "")
}

// confirm asks somebody who has not done anything for this sign-in yet.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, c clientAsk, who confirmed) {
	err := h.limits.count(r, limitBegin)
	var id string
	if err == nil {
		id, err = h.begin(r.Context(), browser(w, r), flowConfirm, question{c, who})
	}
	if err != nil {
		h.fail(w, r, c, err)
		return
	}
	h.show(w, r, http.StatusOK, "confirm", h.view(r, "client.title", struct{ Name, Flow string }{who.Name, id}))
	// The answer to "cancel" and "continue" goes to the computer itself, as a page of its own: see answer.
}

// clientContinue is the person's answer to confirm.
func (h *Handler) clientContinue(w http.ResponseWriter, r *http.Request) {
	if !h.form(w, r) {
		return
	}
	var q question
	if err := h.finish(r, flowConfirm, r.PostForm.Get("flow"), &q); err != nil {
		h.flowLost(w, r, err)
		return
	}
	if q.Who.Session != "" { // it may be over: then the browser may be somebody else's by now
		_, u, err := h.Sessions.Check(r.Context(), q.Who.Session)
		if errors.Is(err, core.ErrUnauthenticated) || errors.Is(err, core.ErrDisabled) || err == nil && u.ID != q.Who.User {
			err = errFlow
		}
		if err != nil {
			h.flowLost(w, r, err)
			return
		}
	}
	switch r.PostForm.Get("answer") {
	case "continue":
		h.deliver(w, r, q.Client, q.Who)
	case "other":
		q.Client.SelectAccount, q.Client.Hint = true, ""
		h.choose(w, r, q.Client)
	default:
		h.answer(w, r, q.Client, "", api.BrowserErrorCancelled)
	}
}

// deliver issues the code and sends the browser back with it.
func (h *Handler) deliver(w http.ResponseWriter, r *http.Request, c clientAsk, who confirmed) {
	code, _, err := h.Codes.Issue(r.Context(), codes.Grant{User: who.User, Assurance: who.Assurance, Provider: who.Provider}, c.Challenge, codeLife)
	if err != nil {
		h.fail(w, r, c, err)
		return
	}
	h.answer(w, r, c, code.Reveal(), "")
}

// fail sends the browser back with why not.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, c clientAsk, err error) {
	reason := api.BrowserErrorFailed
	switch {
	case errors.Is(err, oidc.ErrCancelled):
		reason = api.BrowserErrorCancelled
	case errors.Is(err, core.ErrDisabled):
		reason = api.BrowserErrorDisabled
	case errors.Is(err, core.ErrUnavailable), errors.Is(err, core.ErrLimited):
		reason = api.BrowserErrorUnavailable
	case errors.Is(err, core.ErrForbidden), errors.Is(err, core.ErrAmbiguous), errors.Is(err, core.ErrNotFound):
		reason = api.BrowserErrorNoAccount
	}
	h.Logger.WarnContext(r.Context(), "a sign-in through the browser failed", "request_id", inbound.RequestID(r.Context()), "reason", reason, "error", err)
	h.answer(w, r, c, "", reason)
}

// answer is the page whose form goes to Platen on this computer: by itself, or by a button where scripts are off.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, c clientAsk, code, problem string) {
	target := "http://127.0.0.1:" + strconv.Itoa(c.Port) + "/"
	w.Header().Set("Content-Security-Policy", policyFor(target))
	h.show(w, r, http.StatusOK, "answer", h.view(r, "answer.title", struct{ Target, Code, Problem, State string }{target, code, problem, c.State}))
}
