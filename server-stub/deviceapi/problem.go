package deviceapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/inbound"
)

// kinds is the one table from the errors of package deviceauth, and the kinds of core, to what goes over the wire. The first that
// fits counts. The sentence is for the people who look after the machine; none has anything of the request in it.
var kinds = []struct {
	kind   error
	status int
	code   api.Code
	detail string
}{
	{deviceauth.ErrUnknown, http.StatusUnauthorized, api.CodeDeviceUnknown, "This computer is not enrolled, or was revoked. Enrol it."},
	{deviceauth.ErrToken, http.StatusUnauthorized, api.CodeCodeInvalid, "The enrolment token is wrong, used up, too old, or not for this network. Ask the administrator for a new one."},
	{deviceauth.ErrKeyUsed, http.StatusConflict, api.CodeConflict, "This key was used before, by another computer or before a revocation. Make a new key and enrol again."},
	{deviceauth.ErrAssertion, http.StatusUnauthorized, api.CodeUnauthenticated, "The assertion is not signed by this computer's key, or names another computer."},
	{deviceauth.ErrNonce, http.StatusUnauthorized, api.CodeCodeInvalid, "The nonce was used before, or is too old. Ask for a new one."},
	{deviceauth.ErrClock, http.StatusUnauthorized, api.CodeClock, "The clock of this computer is wrong. Set it, and let it be kept by a time server."},
	{deviceauth.ErrRefused, http.StatusForbidden, api.CodeTrustRefused, "This computer may not vouch for this account. Ask the person to sign in."},
	{errTooLarge, http.StatusRequestEntityTooLarge, api.CodeTooLarge, "The request is too large."},
	{core.ErrLimited, http.StatusTooManyRequests, api.CodeLimited, "Too many tries. Wait until the given time, then try again."},
	{core.ErrInvalid, http.StatusUnprocessableEntity, api.CodeInvalid, "The request is not as it must be; the computer's program and the server may be of different versions."},
	{core.ErrUnauthenticated, http.StatusUnauthorized, api.CodeUnauthenticated, "This proves nothing here."},
	{core.ErrForbidden, http.StatusForbidden, api.CodeForbidden, "This computer may not do this."},
	{core.ErrNotFound, http.StatusNotFound, api.CodeNotFound, "There is no such thing. Check the address."},
	{core.ErrConflict, http.StatusConflict, api.CodeConflict, "It does not fit the present state. Try again."},
	{core.ErrUnavailable, http.StatusServiceUnavailable, api.CodeUnavailable, "Not available now. Try again in a few minutes."},
}

func problemOf(status int, code api.Code, detail string) api.Problem {
	if detail == "" {
		detail = "Something went wrong in the server. Try again; if it stays, give the request id to your administrator."
	}
	return api.Problem{Type: "urn:platen:error:" + string(code), Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// fail answers for an error. One of no known kind is ours: it is logged in full and answered without a word of what it says.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	for _, k := range kinds {
		if !errors.Is(err, k.kind) {
			continue
		}
		p := problemOf(k.status, k.code, k.detail)
		var limited *core.LimitedError
		if errors.As(err, &limited) && !limited.RetryAt.IsZero() {
			at := limited.RetryAt.UTC()
			p.RetryAt = &at
			w.Header().Set("Retry-After", strconv.Itoa(max(1, int(at.Sub(h.Clock())/time.Second)+1)))
		}
		if k.status >= http.StatusInternalServerError {
			h.Logger.WarnContext(ctx, "request of a device cannot be served now", "request_id", inbound.RequestID(ctx), "error", err)
		}
		h.answer(w, r, p)
		return
	}
	if ctx.Err() == nil {
		h.Logger.ErrorContext(ctx, "request of a device failed", "request_id", inbound.RequestID(ctx), "error", err)
	}
	h.answer(w, r, problemOf(http.StatusInternalServerError, api.CodeInternal, ""))
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, p api.Problem) {
	p.RequestID = inbound.RequestID(r.Context())
	w.Header().Set("Content-Type", api.ContentTypeProblem)
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the device may be gone
	}
}
