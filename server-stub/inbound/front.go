package inbound

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/platenprint/platen/internal/clock"
)

// Router decides what answers a request. It is the only way to a handler.
type Router interface {
	// Route returns the request as its handler is to have it, the pattern of its route ("" for none), and the handler: the
	// route's own, or one that says why not.
	Route(r *http.Request) (*http.Request, string, http.Handler)
	// Fail answers for a handler that panicked before it answered.
	Fail(w http.ResponseWriter, r *http.Request)
}

// Front is the outermost handler of a listener. All fields are needed.
type Front struct {
	Router  Router
	Headers map[string]string // go out with every answer; a handler may set its own in their place
	Proxies Proxies
	Meters  *Meters
	Clock   clock.Clock
	Logger  *slog.Logger
}

// APIHeaders go out with every answer that is for programs (SECURITY.md D3). There is nothing there to frame, run or keep.
func APIHeaders() map[string]string {
	return map[string]string{
		"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		headerHSTS:                     "max-age=31536000",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Cache-Control":                "no-store",
	}
}

const headerHSTS = "Strict-Transport-Security"

// thisComputer tells whether the browser knows us as localhost. There it must not be told to use TLS only: it would, for every
// port, and a sign-in that comes back to http://localhost:PORT (Microsoft's library) would come back to nothing.
func thisComputer(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

type requestIDKey struct{}

// RequestID is what joins the answer to a request that came through a Front to the log.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := f.Clock()
	ctx := context.WithValue(r.Context(), requestIDKey{}, strings.ToLower(rand.Text()[:16]))
	r = r.WithContext(context.WithValue(ctx, addressKey{}, f.Proxies.ClientAddr(r)))
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	if thisComputer(r.Host) {
		w.Header().Del(headerHSTS)
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	var pattern string
	defer func() {
		if cause := recover(); cause != nil {
			f.recovered(rec, r, cause)
		}
		took := f.Clock().Sub(started)
		f.Meters.request(pattern, rec.status, took)
		f.Logger.DebugContext(r.Context(), "request", "route", pattern, "status", rec.status, "request_id", RequestID(r.Context()), "took", took)
	}()
	routed, found, handler := f.Router.Route(r)
	pattern = found
	handler.ServeHTTP(rec, routed)
}

// recovered answers for a handler that panicked. The client's going away in the middle of an answer is no fault.
func (f *Front) recovered(w *recorder, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // panicked with as it is (net/http)
		panic(cause)
	}
	if r.Context().Err() != nil {
		return
	}
	f.Meters.panics.Inc()
	f.Logger.ErrorContext(r.Context(), "handler panicked", "request_id", RequestID(r.Context()), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if !w.wrote {
		f.Router.Fail(w, r)
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
