package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

// problem is an answer that is an error. It is what handlers return to huma, and what authorize returns.
type problem struct {
	api.Problem
	header http.Header
}

func (p *problem) Error() string  { return string(p.Code) }
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header { return p.header }

// Refusal is an answer for which package core has no kind: a way of signing in that does not lead in, by its code.
type Refusal struct {
	Code   api.Code
	Method string // the way that works here, "" when the first one that is offered will do
	Err    error  // why, for the log
}

// Error implements error.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Err.Error() }

// Unwrap implements errors.Unwrap.
func (r *Refusal) Unwrap() error { return r.Err }

// refusals are the codes that a Refusal may have, with their status.
var refusals = map[api.Code]int{
	api.CodeMethodOff:       http.StatusForbidden,
	api.CodeMFARequired:     http.StatusForbidden,
	api.CodeTokenInvalid:    http.StatusUnauthorized,
	api.CodeCodeInvalid:     http.StatusUnauthorized,
	api.CodeNoAccount:       http.StatusForbidden,
	api.CodeConsentRequired: http.StatusForbidden,
	api.CodeDeviceBlocked:   http.StatusForbidden,
	api.CodeTrustRefused:    http.StatusForbidden,
}

// kinds is the one table from the kinds of errors to what goes over the wire.
var kinds = []struct {
	kind   error
	status int
	code   api.Code
}{
	{core.ErrUnauthenticated, http.StatusUnauthorized, api.CodeUnauthenticated},
	{core.ErrWrongCredentials, http.StatusUnauthorized, api.CodeWrongCredentials},
	{core.ErrAway, http.StatusForbidden, api.CodeNoAccount}, // before ErrDisabled, which it is too
	{core.ErrDisabled, http.StatusForbidden, api.CodeAccountDisabled},
	{core.ErrMFARequired, http.StatusForbidden, api.CodeMFARequired},
	{core.ErrPasswordExpired, http.StatusForbidden, api.CodePasswordExpired},
	{core.ErrAmbiguous, http.StatusConflict, api.CodeAmbiguousName},
	{core.ErrLimited, http.StatusTooManyRequests, api.CodeLimited},
	{core.ErrForbidden, http.StatusForbidden, api.CodeForbidden},
	{core.ErrNotFound, http.StatusNotFound, api.CodeNotFound},
	{core.ErrConflict, http.StatusConflict, api.CodeConflict},
	{core.ErrInsufficient, http.StatusConflict, api.CodeConflict},
	{core.ErrInvalid, http.StatusUnprocessableEntity, api.CodeInvalid},
	{core.ErrUnavailable, http.StatusServiceUnavailable, api.CodeUnavailable},
}

// words are a code's title and the sentence that says what to do. Neither ever has anything of the request in it.
var words = map[api.Code][2]string{
	api.CodeInvalid:              {"The request is not valid", "Check the named fields; the API's description says what they must be."},
	api.CodeTooLarge:             {"The request is too large", "Send less at once."},
	api.CodeUnauthenticated:      {"Not signed in", "Sign in, or refresh the session, and send the access token."},
	api.CodeSessionEnded:         {"The session is over", "Sign in again."},
	api.CodeWrongCredentials:     {"Account or password is wrong", "Check both and try again."},
	api.CodeAccountDisabled:      {"The account is disabled", "Ask your administrator to enable it."},
	api.CodePasswordExpired:      {"The password has expired", "Change it where you usually do, then sign in again."},
	api.CodeAmbiguousName:        {"The name belongs to several people", "Sign in with the full name, such as name@example.org."},
	api.CodeLimited:              {"Too many tries", "Wait until the given time, then try again."},
	api.CodeMethodOff:            {"This way of signing in is not offered", "Sign in in one of the ways that are."},
	api.CodeMFARequired:          {"A password alone is not enough", "Sign in with Microsoft, or in the browser, which asks for the second step."},
	api.CodeTokenInvalid:         {"The identity provider's token proves nothing here", "Sign in again; if it stays, give the request id to your administrator."},
	api.CodeCodeInvalid:          {"The code is wrong, used or too old", "Sign in again."},
	api.CodeNoAccount:            {"There is no account here for this person", "Sign in with another account, or ask your administrator for one."},
	api.CodeConsentRequired:      {"The organisation has not approved Platen", "Ask your administrator to approve it."},
	api.CodeDeviceBlocked:        {"The organisation does not let this computer in", "Use a computer that it manages, or ask your administrator."},
	api.CodeTrustRefused:         {"This computer may not vouch for this account", "Sign in yourself."},
	api.CodeDeviceUnknown:        {"The device is not enrolled", "Enrol it again."},
	api.CodeForbidden:            {"Not allowed", "Ask your administrator if you need this."},
	api.CodeNotFound:             {"There is no such thing", "Check the address."},
	api.CodeConflict:             {"It does not fit the present state", "Look again, then repeat it if it is still wanted."},
	api.CodeDirectoryUnavailable: {"The password cannot be checked now", "The organisation's directory does not answer. Try again in a few minutes."},
	api.CodeUnavailable:          {"Not available now", "Try again in a few minutes."},
	api.CodeInternal:             {"Something went wrong in the server", "Try again; if it stays, give the request id to your administrator."},
}

// problemOf makes the problem with the code's words.
func problemOf(status int, code api.Code) *problem {
	w := words[code]
	return &problem{
		Problem: api.Problem{Type: "urn:platen:error:" + string(code), Title: w[0], Detail: w[1], Status: status, Code: code},
		header:  http.Header{},
	}
}

// problemFor makes the problem for an error of a use case. Errors of no known kind are ours: they are logged in full and
// answered without a word of what they say.
func (h *Handler) problemFor(ctx context.Context, err error) *problem {
	var ready *problem
	if errors.As(err, &ready) {
		return ready
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && refusals[refusal.Code] != 0 {
		return h.refused(ctx, refusal)
	}
	for _, k := range kinds {
		if !errors.Is(err, k.kind) {
			continue
		}
		p := problemOf(k.status, k.code)
		p.Method = h.methodFor(k.code, "")
		var limited *core.LimitedError
		if errors.As(err, &limited) && !limited.RetryAt.IsZero() {
			at := limited.RetryAt.UTC()
			p.RetryAt = &at
			p.header.Set("Retry-After", strconv.Itoa(max(1, int(at.Sub(h.Clock())/time.Second)+1)))
		}
		if k.status == http.StatusUnauthorized {
			p.header.Set("WWW-Authenticate", `Bearer realm="platen"`)
		}
		if k.status >= http.StatusInternalServerError {
			h.Logger.WarnContext(ctx, "request cannot be served now", "request_id", inbound.RequestID(ctx), "error", err)
		}
		return p
	}
	if ctx.Err() != nil {
		return problemOf(http.StatusServiceUnavailable, api.CodeUnavailable) // nobody is listening any more
	}
	h.Logger.ErrorContext(ctx, "request failed", "request_id", inbound.RequestID(ctx), "error", err)
	return problemOf(http.StatusInternalServerError, api.CodeInternal)
}

// refused makes the problem for a refusal.
func (h *Handler) refused(ctx context.Context, r *Refusal) *problem {
	p := problemOf(refusals[r.Code], r.Code)
	p.Method = h.methodFor(r.Code, r.Method)
	h.Logger.InfoContext(ctx, "sign-in refused", "request_id", inbound.RequestID(ctx), "code", string(r.Code), "error", r.Err)
	return p
}

// methodFor names the way of signing in to take instead: the given one if it is open, else the best one that could help.
func (h *Handler) methodFor(code api.Code, wanted string) string {
	if slices.Contains(h.Client.AuthModes, wanted) {
		return wanted
	}
	var others []string
	switch code {
	case api.CodeMFARequired:
		others = []string{api.MethodMicrosoft, api.MethodBrowser}
	case api.CodeMethodOff, api.CodeTrustRefused:
		others = []string{api.MethodMicrosoft, api.MethodBrowser, api.MethodPrompt}
	case api.CodeConsentRequired:
		others = []string{api.MethodPrompt}
	default:
		return ""
	}
	for _, m := range h.Client.AuthModes {
		if slices.Contains(others, m) {
			return m
		}
	}
	return ""
}

// answerTo is problemFor as an error for huma.
func (h *Handler) answerTo(ctx context.Context, err error) error { return h.problemFor(ctx, err) }

// write answers with the problem, outside of huma.
func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	body := p.Problem
	body.RequestID = inbound.RequestID(r.Context())
	w.Header().Set("Content-Type", api.ContentTypeProblem)
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(body) // the client may be gone
	}
}

// transform turns every error body on its way out of huma into a problem: ours, with the request id, and huma's own,
// which would echo what was sent, into the names of the fields that are not right.
func (h *Handler) transform(ctx huma.Context, _ string, v any) (any, error) {
	var body api.Problem
	switch e := v.(type) {
	case *problem:
		body = e.Problem
	case *huma.ErrorModel:
		body = foreign(e)
	default:
		return v, nil
	}
	body.RequestID = inbound.RequestID(ctx.Context())
	ctx.SetHeader("Content-Type", api.ContentTypeProblem)
	return body, nil
}

// foreign reads no more than status and field names out of huma's error.
func foreign(e *huma.ErrorModel) api.Problem {
	code := api.CodeInvalid
	switch {
	case e.Status == http.StatusRequestEntityTooLarge:
		code = api.CodeTooLarge
	case e.Status >= http.StatusInternalServerError:
		code = api.CodeInternal
	}
	body := problemOf(e.Status, code).Problem
	for _, detail := range e.Errors {
		if detail == nil {
			continue
		}
		if field := fieldName(detail); field != "" && !slices.Contains(body.Fields, field) {
			body.Fields = append(body.Fields, field)
		}
	}
	return body
}

// known are the names a problem may show: huma puts the names of unknown keys into locations, and those were sent.
var known = fieldNames(api.SignIn{}, api.TokenSignIn{}, api.CodeSignIn{}, api.OSAccount{}, api.Refresh{}, transactionsInput{}, historyInput{}, sessionInput{})

// fieldName is the last part of a location such as "body.os_account.name", or the field that is said to be missing there,
// if it is one of ours.
func fieldName(detail *huma.ErrorDetail) string {
	name := detail.Location[strings.LastIndexByte(detail.Location, '.')+1:]
	if missing, ok := strings.CutPrefix(detail.Message, "expected required property "); ok {
		name, _, _ = strings.Cut(missing, " ")
	}
	if !known[name] {
		return ""
	}
	return name
}
