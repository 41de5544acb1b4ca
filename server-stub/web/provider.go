package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/oidc"
)

// asked is a sign-in at a provider that has begun.
type asked struct {
	Provider string    `json:"provider"`
	Redirect string    `json:"redirect"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Began    time.Time `json:"began"`
	Next     string    `json:"next,omitempty"`
	Client   clientAsk `json:"client,omitzero"` // Platen on this computer that asked; zero for a sign-in to the pages
}

func (h *Handler) provider(id string) Provider {
	for _, p := range h.Providers {
		if p.ID() == id {
			return p
		}
	}
	return nil
}

// start begins a sign-in at a provider, by its button.
func (h *Handler) start(w http.ResponseWriter, r *http.Request) {
	if !h.form(w, r) {
		return
	}
	p := h.provider(r.PostForm.Get("provider"))
	next := safeNext(r.PostForm.Get("next"))
	if p == nil {
		h.ask(w, r, http.StatusBadRequest, signInView{Next: next}, "err.failed")
		return
	}
	var c clientAsk
	if flow := r.PostForm.Get("client"); flow != "" {
		if err := h.finish(r, flowClient, flow, &c); err != nil {
			h.flowLost(w, r, err)
			return
		}
	}
	h.leave(w, r, p, c, next)
}

// leave sends the browser to the provider: by a page that goes on by itself, as a redirect after a form is held to the form's own
// rules (CSP form-action), and the provider may redirect to anywhere.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, p Provider, c clientAsk, next string) {
	err := h.limits.count(r, limitBegin)
	var to string
	if err == nil {
		to, err = h.authURL(w, r, p, c, next)
	}
	if err != nil {
		if c.Port != 0 {
			h.fail(w, r, c, err)
			return
		}
		status, key, fill := h.words(r, err, p.Name())
		h.ask(w, r, status, signInView{Next: next}, key, fill...)
		return
	}
	v := h.view(r, "leave.title", struct{ Name, URL string }{p.Name(), to})
	v.Refresh = to
	h.show(w, r, http.StatusOK, "leave", v)
}

// authURL begins the flow and returns where it goes.
func (h *Handler) authURL(w http.ResponseWriter, r *http.Request, p Provider, c clientAsk, next string) (string, error) {
	from := h.redirectOrigin(r)
	if from == "" {
		return "", core.ErrInvalid
	}
	a := asked{
		Provider: p.ID(), Redirect: from + "/sign-in/callback/" + p.ID(), Nonce: random(), Verifier: random(), Began: h.Clock(), Next: next, Client: c,
	}
	state, err := h.begin(r.Context(), browser(w, r), flowProvider, a)
	if err != nil {
		return "", err
	}
	return p.AuthURL(r.Context(), AuthRequest{
		Redirect: a.Redirect, State: state, Nonce: a.Nonce, Challenge: api.Challenge(a.Verifier), Hint: c.Hint, SelectAccount: c.SelectAccount,
	})
}

// callback is where the provider sends the browser back to.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if err := h.limits.allowed(r, limitFailed); err != nil {
		status, key, fill := h.words(r, err, "")
		h.ask(w, r, status, signInView{}, key, fill...)
		return
	}
	var a asked
	if err := h.finish(r, flowProvider, q.Get("state"), &a); err != nil {
		h.flowLost(w, r, err)
		return
	}
	p := h.provider(a.Provider)
	if p == nil || a.Provider != r.PathValue("provider") {
		h.flowLost(w, r, errFlow)
		return
	}
	proven, err := h.prove(r, p, a)
	if err != nil {
		h.notProven(w, r, p, a, err)
		return
	}
	if a.Client.Port == 0 {
		h.enter(w, r, proven.User, core.AssuranceOIDC, a.Next)
		return
	}
	known := confirmed{User: proven.User.ID, Name: proven.User.Username, Assurance: core.AssuranceOIDC, Provider: p.ID()}
	if !proven.At.IsZero() && !proven.At.Before(a.Began.Truncate(time.Second)) {
		h.deliver(w, r, a.Client, known) // they have just done something for it
		return
	}
	h.confirm(w, r, a.Client, known)
}

// prove asks the provider who it was.
func (h *Handler) prove(r *http.Request, p Provider, a asked) (Proven, error) {
	q := r.URL.Query()
	if err := p.Denied(q); err != nil {
		return Proven{}, err
	}
	code := q.Get("code")
	if code == "" || len(code) > 8192 {
		return Proven{}, core.ErrInvalid
	}
	return p.Finish(r.Context(), FinishRequest{Redirect: a.Redirect, Code: secret.New(code), Verifier: a.Verifier, Nonce: a.Nonce})
}

// notProven tells the person, or Platen on their computer, why not.
func (h *Handler) notProven(w http.ResponseWriter, r *http.Request, p Provider, a asked, err error) {
	if a.Client.Port != 0 {
		h.fail(w, r, a.Client, err)
		return
	}
	if errors.Is(err, oidc.ErrCancelled) {
		h.ask(w, r, http.StatusOK, signInView{Next: a.Next}, "err.cancelled")
		return
	}
	if countErr := h.limits.count(r, limitFailed); countErr != nil {
		err = countErr
	}
	status, key, fill := h.words(r, err, p.Name())
	h.ask(w, r, status, signInView{Next: a.Next}, key, fill...)
}
