package scim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/store"
)

const contentType = "application/scim+json"

// route is one thing that can be asked for.
type route struct {
	method string
	parts  []string // of the path below Prefix; "{id}" stands for any
	serve  func(*call) error
}

func (r route) pattern() string { return Prefix + "/" + strings.Join(r.parts, "/") }

// table has every route there is.
func (h *Handler) table() []route {
	at := func(method, path string, serve func(*call) error) route {
		return route{method, strings.Split(path, "/"), serve}
	}
	list := []route{
		at("GET", "ServiceProviderConfig", (*call).config),
		at("GET", "ResourceTypes", (*call).resourceTypes),
		at("GET", "ResourceTypes/{id}", (*call).resourceType),
		at("GET", "Schemas", (*call).schemas),
		at("GET", "Schemas/{id}", (*call).schema),
	}
	for _, t := range []*resourceType{h.users, h.groups} {
		with := func(serve func(*call, *resourceType) error) func(*call) error {
			return func(c *call) error { return serve(c, t) }
		}
		name := t.endpoint[1:]
		list = append(list,
			at("GET", name, with((*call).list)),
			at("POST", name, with((*call).create)),
			at("GET", name+"/{id}", with((*call).read)),
			at("PUT", name+"/{id}", with((*call).replace)),
			at("PATCH", name+"/{id}", with((*call).patch)),
			at("DELETE", name+"/{id}", with((*call).remove)))
	}
	return list
}

// match tells whether the path is the route's, and what stands for {id}.
func (r route) match(parts []string) (id string, ok bool) {
	if len(parts) != len(r.parts) {
		return "", false
	}
	for i, part := range r.parts {
		switch {
		case part == "{id}" && parts[i] != "":
			id = parts[i]
		case part != parts[i]:
			return "", false
		}
	}
	return id, true
}

// call is one request of a provider whose token was right.
type call struct {
	*Handler
	w     http.ResponseWriter
	r     *http.Request
	conn  Connection
	token store.SCIMToken
	id    string // of the resource in the path
	entry store.SCIMEntry
	log   bool // the entry is still to be written
}

// serve implements http.HandlerFunc.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{Handler: h, w: w, r: r}
	if err := c.authenticate(); err != nil {
		c.fail(err)
		return
	}
	inbound.TrustConnection(r.Context())
	found, err := c.find()
	if err == nil {
		err = found.serve(c)
	}
	if err != nil {
		c.fail(err)
	}
}

// authenticate finds out which connection the token belongs to.
func (c *call) authenticate() error {
	ctx := c.r.Context()
	text, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	err := core.ErrUnauthenticated
	if ok {
		c.token, err = c.tokens.check(ctx, strings.TrimSpace(text), inbound.Address(ctx))
	}
	if err == nil {
		if c.conn, ok = c.d.Connection(c.token.Source); !ok {
			err = core.ErrUnauthenticated
		}
	}
	if errors.Is(err, core.ErrUnauthenticated) {
		c.d.Logger.InfoContext(ctx, "SCIM request without a valid token", "request_id", inbound.RequestID(ctx))
		return c.failed(ctx, inbound.Address(ctx))
	}
	if err != nil {
		return err
	}
	c.entry = store.SCIMEntry{Source: c.token.Source, Token: c.token.ID, RequestID: inbound.RequestID(ctx)}
	return c.used(ctx, c.token)
}

// find finds the route of the request.
func (c *call) find() (route, error) {
	path, ok := strings.CutPrefix(c.r.URL.Path, Prefix+"/")
	parts := strings.Split(path, "/")
	var allowed []string
	for _, r := range c.routes {
		id, matches := r.match(parts)
		if !ok || !matches {
			continue
		}
		if r.method == c.r.Method {
			c.id = id
			return r, nil
		}
		allowed = append(allowed, r.method)
	}
	if len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		return route{}, refuse(http.StatusMethodNotAllowed, "", "this cannot be done here; there is %s", strings.Join(allowed, ", "))
	}
	return route{}, refuse(http.StatusNotFound, "", "there is no such endpoint; the Tenant URL ends in %s", Prefix)
}

// body reads the request's JSON object.
func (c *call) body() (object, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse(http.StatusRequestEntityTooLarge, tooMany, "the request is larger than %d bytes", maxBody)
	case err != nil:
		return nil, wrong(invalidSyntax, "the request did not come whole")
	}
	return decode(data)
}

// answer writes a resource or a message.
func (c *call) answer(status int, body object) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(data) // the provider may be gone
	return nil
}

// fail answers with an error. What was to be changed and was not stands in the provisioning log.
func (c *call) fail(err error) {
	f := c.failure(err)
	if c.entry.Source != "" && (c.log || f.status >= http.StatusInternalServerError || f.kind != "") {
		c.refused(f)
	}
	switch f.status {
	case http.StatusUnauthorized:
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="platen"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		c.w.Header().Set("Retry-After", strconv.Itoa(max(1, int((f.wait+time.Second-1)/time.Second))))
	}
	_ = c.answer(f.status, f.body())
}

// kinds is the table from the kinds of errors of package core to answers.
var kinds = []struct {
	kind   error
	status int
	scim   string
	detail string
}{
	{core.ErrUnauthenticated, http.StatusUnauthorized, "", "the token is not valid: make one with `platen-server sync token`, and give it to the identity provider"},
	{core.ErrNotFound, http.StatusNotFound, "", "there is no such resource"},
	{core.ErrConflict, http.StatusConflict, uniqueness, "it does not fit what is there"},
	{core.ErrInvalid, http.StatusBadRequest, invalidValue, "a value is not what it must be"},
	{core.ErrForbidden, http.StatusForbidden, "", "not allowed"},
	{core.ErrUnavailable, http.StatusServiceUnavailable, "", "not available now; try again"},
}

// failure turns an error into an answer. Errors of no known kind are ours: they are logged in full and answered without a word of
// what they say.
func (c *call) failure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	ctx := c.r.Context()
	var limited *core.LimitedError
	if errors.As(err, &limited) {
		return &failure{status: http.StatusTooManyRequests, detail: "too many requests without a valid token", wait: limited.RetryAt.Sub(c.d.Clock())}
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			if k.status >= http.StatusInternalServerError {
				c.d.Logger.WarnContext(ctx, "SCIM request cannot be served now", "request_id", inbound.RequestID(ctx), "error", err)
			}
			return &failure{status: k.status, kind: k.scim, detail: k.detail, wait: 30 * time.Second}
		}
	}
	if ctx.Err() == nil {
		c.d.Logger.ErrorContext(ctx, "SCIM request failed", "request_id", inbound.RequestID(ctx), "error", err)
	}
	return &failure{status: http.StatusInternalServerError, detail: "something went wrong in the server; its log knows more, by request id " + inbound.RequestID(ctx)}
}

// refused writes the line of a request that failed.
func (c *call) refused(f *failure) {
	c.entry.At, c.entry.Status, c.entry.Detail = c.d.Clock(), f.status, f.detail
	if c.entry.Operation == "" {
		c.entry.Operation = "read"
	}
	switch {
	case c.entry.Result != "":
	case f.status >= http.StatusInternalServerError:
		c.entry.Result = "failed"
	default:
		c.entry.Result = "refused"
	}
	ctx := c.r.Context()
	err := c.d.Store.Update(ctx, func(tx store.Tx) error { return tx.AppendSCIMLog(ctx, c.entry) })
	if err != nil && ctx.Err() == nil {
		c.d.Logger.WarnContext(ctx, "a line of the provisioning log was lost", "error", err)
	}
}
