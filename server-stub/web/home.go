package web

import (
	"errors"
	"net/http"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

const sessionAdmin = core.SessionAdmin

// place is a session as its person sees it.
type place struct {
	core.Session
	Here bool
}

func (h *Handler) home(w http.ResponseWriter, r *http.Request) {
	who := whoAsks(r.Context())
	list, err := h.Sessions.List(r.Context(), who.user.ID)
	if err != nil {
		h.fault(err).ServeHTTP(w, r)
		return
	}
	var places []place
	for _, s := range list {
		places = append(places, place{s, s.ID == who.session.ID})
	}
	h.show(w, r, http.StatusOK, "home", h.view(r, "home.title", struct {
		User   core.User
		Places []place
	}{who.user, places}))
}

// endSession ends one of the person's own sessions.
func (h *Handler) endSession(w http.ResponseWriter, r *http.Request) {
	if !h.form(w, r) {
		return
	}
	who := whoAsks(r.Context())
	id := r.PostForm.Get("session")
	if id == who.session.ID {
		h.signOut(w, r)
		return
	}
	if err := h.Sessions.Revoke(r.Context(), actorOf(who.user.ID), who.user.ID, id); err != nil && !errors.Is(err, core.ErrNotFound) {
		h.fault(err).ServeHTTP(w, r)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) {
	if err := h.Sessions.EndWeb(r.Context(), h.sessionToken(r)); err != nil {
		h.fault(err).ServeHTTP(w, r)
		return
	}
	setCookie(w, h.sessionCookie(), secret.String{})
	http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
}

func (h *Handler) signedOut(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, http.StatusOK, "signedout", h.view(r, "signedout.title", nil))
}

func (h *Handler) toAdmin(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/admin", http.StatusSeeOther)
}

func (h *Handler) adminHome(w http.ResponseWriter, r *http.Request) {
	who := whoAsks(r.Context())
	h.show(w, r, http.StatusOK, "admin", h.view(r, "admin.title", struct {
		User  core.User
		Roles []core.Role
	}{who.user, who.roles}))
}
