package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/passkeys"
)

// passkeyOptions begins a sign-in with a passkey.
func (h *Handler) passkeyOptions(w http.ResponseWriter, r *http.Request) {
	if err := h.limits.count(r, limitBegin); err != nil {
		h.passkeyProblem(w, r, err)
		return
	}
	options, state, err := h.Passkeys.BeginLogin(origin(r))
	if err != nil {
		h.jsonProblem(w, r, http.StatusBadRequest, "err.nopasskey")
		return
	}
	id, err := h.begin(r.Context(), browser(w, r), flowPasskey, state)
	if err != nil {
		h.passkeyProblem(w, r, err)
		return
	}
	h.json(w, http.StatusOK, map[string]any{"flow": id, "options": options})
}

// passkey signs in with a passkey: two factors, and fresh, so it is a step-up (T4) too.
func (h *Handler) passkey(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Flow   string
		Answer json.RawMessage
	}
	if !h.readJSON(w, r, &in) {
		return
	}
	if err := h.limits.allowed(r, limitFailed); err != nil {
		h.passkeyProblem(w, r, err)
		return
	}
	var state passkeys.State
	err := h.finish(r, flowPasskey, in.Flow, &state)
	var u core.User
	if err == nil {
		u, err = h.Passkeys.FinishLogin(r.Context(), origin(r), state, in.Answer)
	}
	if err == nil {
		err = h.admit(w, r, u, core.AssuranceStepUp)
	}
	if err != nil {
		h.passkeyProblem(w, r, err)
		return
	}
	h.json(w, http.StatusOK, map[string]string{"next": "/admin"})
}

// passkeyProblem tells why not. A passkey that does not fit counts as a try.
func (h *Handler) passkeyProblem(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, core.ErrWrongCredentials) || errors.Is(err, errFlow) {
		h.Logger.WarnContext(r.Context(), "a passkey was refused", "request_id", inbound.RequestID(r.Context()), "error", err)
		key := "err.passkey"
		if errors.Is(err, errFlow) {
			key = "err.flow"
		}
		if err = h.limits.count(r, limitFailed); err == nil {
			h.jsonProblem(w, r, http.StatusUnauthorized, key)
			return
		}
	}
	status, key, fill := h.words(r, err, "")
	h.jsonProblem(w, r, status, key, fill...)
}

// readJSON reads what a script of ours sent. False: it was answered.
func (h *Handler) readJSON(w http.ResponseWriter, r *http.Request, out any) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if kind != "application/json" || dec.Decode(out) != nil {
		h.jsonProblem(w, r, http.StatusBadRequest, "err.badform")
		return false
	}
	return true
}

func (h *Handler) json(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser may be gone
}

func (h *Handler) jsonProblem(w http.ResponseWriter, r *http.Request, status int, key string, fill ...any) {
	h.json(w, status, map[string]string{"problem": h.view(r, "", nil).T(key, fill...)})
}
