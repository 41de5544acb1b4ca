package httpapi

import (
	"context"
	"io"
	"net/http"
	"time"
)

// health answers as long as the process can answer anything.
func (h *Handler) health(w http.ResponseWriter, _ *http.Request) { probe(w, http.StatusOK, "ok\n") }

// ready answers whether the server can do its work now. Why it cannot is in the log: strangers need not know.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		h.Logger.WarnContext(ctx, "not ready", "error", err)
		probe(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	probe(w, http.StatusOK, "ready\n")
}

func probe(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may be gone
}
