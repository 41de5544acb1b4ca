package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/passkeys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// setupView is what the set-up page shows.
type setupView struct {
	Account, Name string
	Problem       string
	Field         string // the field that the problem is about
}

func (h *Handler) setupPage(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, http.StatusOK, "setup", h.view(r, "setup.title", setupView{}))
}

// newOwner is what the set-up is given.
type newOwner struct {
	Token    secret.String `json:"-"`
	Account  string        `json:"account"`
	Name     string        `json:"name"`
	Handle   []byte        `json:"handle,omitempty"`
	Question string        `json:"question,omitempty"` // the passkey's
}

// What can be wrong with a set-up beside the account.
var (
	errToken = errors.New("the one-time token is wrong")
	errWeak  = errors.New("the password is too short")
)

// checkToken holds the one-time token against the file's, within limits.
func (h *Handler) checkToken(r *http.Request, token secret.String) error {
	if err := h.limits.allowed(r, limitTokens); err != nil {
		return err
	}
	err := h.Roles.CheckSetupToken(token)
	if !errors.Is(err, core.ErrWrongCredentials) {
		return err
	}
	if err := h.limits.count(r, limitTokens); err != nil {
		return err
	}
	return errToken
}

// setupWords are what is wrong with a set-up, and with which field.
func (h *Handler) setupWords(r *http.Request, err error) (status int, field, key string, fill []any) {
	switch {
	case errors.Is(err, errToken):
		return http.StatusForbidden, "token", "err.token", nil
	case errors.Is(err, errWeak):
		return http.StatusUnprocessableEntity, "password", "err.weak", []any{passhash.MinLength}
	case errors.Is(err, core.ErrConflict):
		return http.StatusConflict, "account", "err.taken", nil
	case errors.Is(err, core.ErrInvalid):
		return http.StatusUnprocessableEntity, "account", "err.account", nil
	}
	status, key, fill = h.words(r, err, "")
	return status, "", key, fill
}

// setupPassword makes the first owner with a password.
func (h *Handler) setupPassword(w http.ResponseWriter, r *http.Request) {
	if !h.form(w, r) {
		return
	}
	o := newOwner{Token: secret.New(r.PostForm.Get("token")), Account: r.PostForm.Get("account"), Name: r.PostForm.Get("name")}
	password := secret.New(r.PostForm.Get("password"))
	r.PostForm.Del("password")
	err := h.checkToken(r, o.Token)
	if err == nil && passhash.Check(password) != nil {
		err = errWeak
	}
	var u core.User
	if err == nil {
		u, err = h.makeOwner(r.Context(), o, password, nil)
	}
	if err == nil {
		err = h.admit(w, r, u, core.AssurancePassword)
	}
	if err != nil {
		status, field, key, fill := h.setupWords(r, err)
		v := h.view(r, "setup.title", nil)
		v.Data = setupView{Account: o.Account, Name: o.Name, Field: field, Problem: v.T(key, fill...)}
		h.show(w, r, status, "setup", v)
		return
	}
	http.Redirect(w, r, "/admin", http.StatusSeeOther)
}

// makeOwner makes the account, its passkey if there is one, and the grant: all of it or nothing.
func (h *Handler) makeOwner(ctx context.Context, o newOwner, password secret.String, key *core.Passkey) (core.User, error) {
	open, err := h.Roles.SetupOpen(ctx)
	if err != nil {
		return core.User{}, err
	}
	if !open {
		return core.User{}, core.ErrNotFound
	}
	add, err := h.Users.Adding(ctx, "setup", users.NewUser{Username: o.Account, DisplayName: o.Name, Password: password})
	if err != nil {
		return core.User{}, err
	}
	var u core.User
	_, err = h.Roles.FirstOwner(ctx, func(tx store.Tx) (_ core.UserID, err error) {
		if u, err = add(tx); err != nil || key == nil {
			return u.ID, err
		}
		key.UserID = u.ID
		return u.ID, tx.CreatePasskey(ctx, *key)
	})
	return u, err
}

// setupPasskeyOptions begins the first owner's passkey.
func (h *Handler) setupPasskeyOptions(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token, Account, Name string }
	if !h.readJSON(w, r, &in) {
		return
	}
	if err := h.checkToken(r, secret.New(in.Token)); err != nil {
		h.setupProblem(w, r, err)
		return
	}
	handle := passkeys.NewHandle()
	options, state, err := h.Passkeys.BeginRegistration(origin(r), passkeys.Person{Handle: handle, Username: in.Account, DisplayName: in.Name})
	if err != nil {
		h.jsonProblem(w, r, http.StatusBadRequest, "err.nopasskey")
		return
	}
	id, err := h.begin(r.Context(), browser(w, r), flowSetup, newOwner{Account: in.Account, Name: in.Name, Handle: handle[:], Question: string(state)})
	if err != nil {
		h.setupProblem(w, r, err)
		return
	}
	h.json(w, http.StatusOK, map[string]any{"flow": id, "options": options})
}

// setupPasskey makes the first owner with a passkey. That the token was right is what the flow says.
func (h *Handler) setupPasskey(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Flow   string
		Answer json.RawMessage
	}
	if !h.readJSON(w, r, &in) {
		return
	}
	var o newOwner
	err := h.finish(r, flowSetup, in.Flow, &o)
	if err != nil {
		h.jsonProblem(w, r, http.StatusBadRequest, "err.flow")
		return
	}
	p := passkeys.Person{Handle: [32]byte(o.Handle), Username: o.Account, DisplayName: o.Name}
	key, err := h.Passkeys.FinishRegistration(origin(r), passkeys.State(o.Question), p, in.Answer)
	if err != nil {
		h.Logger.WarnContext(r.Context(), "the first owner's passkey was refused", "error", err)
		h.jsonProblem(w, r, http.StatusBadRequest, "err.passkey")
		return
	}
	u, err := h.makeOwner(r.Context(), o, secret.String{}, &key)
	if err == nil {
		err = h.admit(w, r, u, core.AssuranceStepUp)
	}
	if err != nil {
		h.setupProblem(w, r, err)
		return
	}
	h.json(w, http.StatusOK, map[string]string{"next": "/admin"})
}

func (h *Handler) setupProblem(w http.ResponseWriter, r *http.Request, err error) {
	status, _, key, fill := h.setupWords(r, err)
	h.jsonProblem(w, r, status, key, fill...)
}
