package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/platenprint/platen/internal/api"
)

type requestIDKey struct{}

// requestID is what joins an answer to the log.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// securityHeaders go out with every answer (SECURITY.md D3). There is nothing here to frame, run or keep.
var securityHeaders = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Strict-Transport-Security":    "max-age=31536000",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Cache-Control":                "no-store",
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := h.Clock()
	ctx := context.WithValue(r.Context(), requestIDKey{}, strings.ToLower(rand.Text()[:16]))
	r = r.WithContext(context.WithValue(ctx, addressKey{}, h.clientAddr(r)))
	for name, value := range securityHeaders {
		w.Header().Set(name, value)
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	var authorized *http.Request
	var pattern string
	defer func() {
		if cause := recover(); cause != nil {
			h.recovered(rec, r, cause)
		}
		h.meters.request(pattern, rec.status, h.Clock().Sub(started))
		h.Logger.DebugContext(r.Context(), "request", "route", pattern, "status", rec.status, "request_id", requestID(r.Context()), "took", h.Clock().Sub(started))
	}()
	var refused *problem
	authorized, pattern, refused = h.authorize(r)
	if refused != nil {
		refused.write(rec, r)
		return
	}
	h.mux.ServeHTTP(rec, authorized)
}

// recovered answers for a handler that panicked. The client's going away in the middle of an answer is no fault.
func (h *Handler) recovered(w *recorder, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // panicked with as it is (net/http)
		panic(cause)
	}
	if r.Context().Err() != nil {
		return
	}
	h.meters.panics.Inc()
	h.Logger.ErrorContext(r.Context(), "handler panicked", "request_id", requestID(r.Context()), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if !w.wrote {
		problemOf(http.StatusInternalServerError, api.CodeInternal).write(w, r)
	}
}

// recorder remembers the status of the answer.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
