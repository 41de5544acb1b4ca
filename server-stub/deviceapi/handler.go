package deviceapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/inbound"
)

// Devices decides; *deviceauth.Service is one. Errors are of package deviceauth and of the kinds of core.
type Devices interface {
	Authenticate(ctx context.Context, cert *x509.Certificate) (deviceauth.Caller, error)
	Enrol(ctx context.Context, in api.Enrolment, from netip.Addr) (api.Enrolled, error)
	Renew(ctx context.Context, c deviceauth.Caller, in api.Renewal, from netip.Addr) (api.Enrolled, error)
	Report(ctx context.Context, c deviceauth.Caller, r api.DeviceReport, from netip.Addr) (api.DeviceState, error)
	Nonce(c deviceauth.Caller) api.Nonce
	Assert(ctx context.Context, c deviceauth.Caller, in api.Assertion, from netip.Addr) (api.TrustCode, error)
}

// Deps is what the handler works with. All are needed but the networks.
type Deps struct {
	Devices  Devices
	ServerCA string // PEM, what the server's certificate is signed by; "" for a public one
	Clock    clock.Clock
	Logger   *slog.Logger
	Meters   *inbound.Meters // of all listeners

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; a proxy here passes TLS through, so there is seldom one
}

// policy says who may call a route.
type policy string

const (
	nobody policy = "" // what a route gets that says nothing
	anyone policy = "anyone"
	device policy = "device" // who shows a certificate of a device that is one
)

// Handler serves the device listener. Safe for concurrent use.
type Handler struct {
	Deps
	front    inbound.Front
	mux      *http.ServeMux
	policies map[string]policy // by the mux's pattern
	lines    lines
	gate     chan struct{}
}

// atATime is how many requests are worked on at a time. The database writes for one at a time anyway; more of them would only
// stand before the people who are signed in. Nobody holds a place while their request is still on its way.
const atATime = 4

// enter waits for a place, until ctx ends.
func (h *Handler) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.gate <- struct{}{}:
		return func() { <-h.gate }, nil
	case <-ctx.Done():
		return nil, core.ErrUnavailable
	}
}

// New makes the handler.
func New(d Deps) *Handler {
	h := &Handler{Deps: d, mux: http.NewServeMux(), policies: map[string]policy{}, gate: make(chan struct{}, atATime)}
	h.front = inbound.Front{Router: router{h}, Headers: inbound.APIHeaders(), Proxies: d.TrustedProxies, Meters: d.Meters, Clock: d.Clock, Logger: d.Logger}
	h.routes()
	return h
}

// routes has every route there is.
func (h *Handler) routes() {
	h.handle(anyone, "GET", api.PathDeviceCA, h.ca)
	on(h, anyone, api.PathDeviceEnrol, func(ctx context.Context, _ deviceauth.Caller, in api.Enrolment) (api.Enrolled, error) {
		return h.Devices.Enrol(ctx, in, inbound.Address(ctx))
	})
	on(h, device, api.PathDeviceRenew, func(ctx context.Context, c deviceauth.Caller, in api.Renewal) (api.Enrolled, error) {
		return h.Devices.Renew(ctx, c, in, inbound.Address(ctx))
	})
	on(h, device, api.PathDeviceState, func(ctx context.Context, c deviceauth.Caller, in api.DeviceReport) (api.DeviceState, error) {
		return h.Devices.Report(ctx, c, in, inbound.Address(ctx))
	})
	on(h, device, api.PathDeviceNonce, func(_ context.Context, c deviceauth.Caller, _ struct{}) (api.Nonce, error) {
		return h.Devices.Nonce(c), nil
	})
	on(h, device, api.PathDeviceAssertion, func(ctx context.Context, c deviceauth.Caller, in api.Assertion) (api.TrustCode, error) {
		return h.Devices.Assert(ctx, c, in, inbound.Address(ctx))
	})
}

// Routes are all routes with who may call them ("anyone" or "device"), for whoever checks that nothing is open by mistake.
func (h *Handler) Routes() map[string]string {
	routes := map[string]string{}
	for pattern, p := range h.policies {
		routes[pattern] = string(p)
	}
	return routes
}

func (h *Handler) handle(p policy, method, path string, serve http.HandlerFunc) {
	h.policies[method+" "+path] = p
	h.mux.Handle(method+" "+path, serve)
}

// on adds a route that takes and answers JSON.
func on[I, O any](h *Handler, p policy, path string, serve func(context.Context, deviceauth.Caller, I) (O, error)) {
	h.handle(p, "POST", path, func(w http.ResponseWriter, r *http.Request) {
		var in I
		if err := read(w, r, &in); err != nil {
			h.fail(w, r, err)
			return
		}
		defer inbound.WorkOn(r.Context())()
		leave, err := h.enter(r.Context())
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer leave()
		caller, _ := r.Context().Value(callerKey{}).(deviceauth.Caller) // the policy has seen to it
		out, err := serve(r.Context(), caller, in)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the device may be gone
	})
}

// errTooLarge says that a body is larger than any of ours.
var errTooLarge = errors.New("the body is too large")

// read reads the body: JSON and nothing else, with no key that we do not know. An empty body is one without values.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/json") {
		return core.ErrInvalid
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxRequestBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil || !utf8.Valid(body):
		return core.ErrInvalid
	case len(body) == 0:
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil {
		return core.ErrInvalid
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return core.ErrInvalid
	}
	return nil
}

func (h *Handler) ca(w http.ResponseWriter, r *http.Request) {
	if h.ServerCA == "" {
		h.fail(w, r, core.ErrNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = io.WriteString(w, h.ServerCA) // the device may be gone
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.front.ServeHTTP(w, r) }

type callerKey struct{}

// router implements inbound.Router.
type router struct{ h *Handler }

// Route implements inbound.Router: the one way to a handler leads through the policy of its route.
func (rt router) Route(r *http.Request) (*http.Request, string, http.Handler) {
	h := rt.h
	refuse := func(pattern string, err error) (*http.Request, string, http.Handler) {
		return r, pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, err) })
	}
	if !inbound.Clean(r) {
		return refuse("", core.ErrNotFound)
	}
	handler, pattern := h.mux.Handler(r)
	switch h.policies[pattern] {
	case anyone:
		return r, pattern, handler
	case device:
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return refuse(pattern, deviceauth.ErrUnknown)
		}
		caller, err := h.authenticate(r)
		if err != nil {
			return refuse(pattern, err)
		}
		inbound.TrustConnection(r.Context())
		h.lines.note(r.Context(), caller.Device.ID)
		return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)), pattern, handler
	case nobody:
	}
	if pattern != "" {
		return refuse(pattern, core.ErrForbidden)
	}
	return refuse("", core.ErrNotFound)
}

func (h *Handler) authenticate(r *http.Request) (deviceauth.Caller, error) {
	leave, err := h.enter(r.Context())
	if err != nil {
		return deviceauth.Caller{}, err
	}
	defer leave()
	return h.Devices.Authenticate(r.Context(), r.TLS.PeerCertificates[0])
}

// Fail implements inbound.Router.
func (rt router) Fail(w http.ResponseWriter, r *http.Request) {
	rt.h.answer(w, r, problemOf(http.StatusInternalServerError, api.CodeInternal, ""))
}

// Server returns the HTTP server of the listener, with limits against slow and greedy machines. Its listener should be one of
// inbound.Guard.
func (h *Handler) Server(tlsConfig *tls.Config) *http.Server {
	s := inbound.Server(h, tlsConfig, h.Logger)
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true) // one request at a time: a connection is one device's, and ends with it
	before := s.ConnContext
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context { return h.lines.open(before(ctx, conn), conn) }
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			h.lines.closed(conn)
		}
	}
	return s
}

// Disconnect closes the connections of a device: the hook for its revocation.
func (h *Handler) Disconnect(device string) { h.lines.disconnect(device) }
