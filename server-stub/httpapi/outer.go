package httpapi

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/inbound"
)

// bodyReadTimeout is how long a body may take to come (R-SLOW-1).
const bodyReadTimeout = 10 * time.Second

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.front.ServeHTTP(w, r) }

// Server returns the HTTP server of the handler, with limits against slow and greedy clients.
func (h *Handler) Server(tlsConfig *tls.Config) *http.Server {
	return inbound.Server(h, tlsConfig, h.Logger)
}

// router is the handler as inbound asks it.
type router struct{ *Handler }

// Route implements inbound.Router.
func (h router) Route(r *http.Request) (*http.Request, string, http.Handler) {
	authorized, pattern, refused := h.authorize(r)
	if refused != nil {
		return r, pattern, http.HandlerFunc(refused.write)
	}
	return authorized, pattern, h.mux
}

// Fail implements inbound.Router.
func (router) Fail(w http.ResponseWriter, r *http.Request) {
	problemOf(http.StatusInternalServerError, api.CodeInternal).write(w, r)
}
