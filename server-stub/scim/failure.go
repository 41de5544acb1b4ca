package scim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// failure is an answer that is an error (RFC 7644 section 3.12). Its detail is for the administrator who reads the identity provider's log.
type failure struct {
	status int
	kind   string // scimType, "" for none
	detail string
	told   string        // what the provider reads instead of detail, "" for the same
	wait   time.Duration // for Retry-After, 0 for none
}

// The scimTypes of RFC 7644 table 9 that we use.
const (
	invalidFilter = "invalidFilter"
	invalidPath   = "invalidPath"
	invalidSyntax = "invalidSyntax"
	invalidValue  = "invalidValue"
	mutability    = "mutability"
	noTarget      = "noTarget"
	tooMany       = "tooMany"
	uniqueness    = "uniqueness"
)

func (f *failure) Error() string { return f.detail }

func refuse(status int, kind, format string, args ...any) *failure {
	return &failure{status: status, kind: kind, detail: fmt.Sprintf(format, args...)}
}

// wrong is a 400 of the given scimType.
func wrong(kind, format string, args ...any) error {
	return refuse(http.StatusBadRequest, kind, format, args...)
}

// others finds what a text says of people who are not the request's.
var others = regexp.MustCompile(`\busers? [0-9\[]|\b(source|role) "`)

// untaken is a 409 for what the engine refused. Who else is here, from which directory and with which role, is not for whoever has a
// token: it stands in the provisioning log only.
func untaken(what, reason string) *failure {
	f := refuse(http.StatusConflict, uniqueness, "%s was not taken: this record %s", what, reason)
	if others.MatchString(reason) {
		f.told = what + " was not taken: it may be somebody's who is here already; the server's provisioning log says more (platen-server sync log)"
	}
	return f
}

// body is the error as JSON.
func (f *failure) body() map[string]any {
	detail := f.detail
	if f.told != "" {
		detail = f.told
	}
	b := map[string]any{"schemas": []any{urnError}, "status": strconv.Itoa(f.status), "detail": detail}
	if f.kind != "" {
		b["scimType"] = f.kind
	}
	return b
}

// shorten makes a text of a request fit for an answer or a log line.
func shorten(text string) string {
	const most = 100
	r := []rune(text)
	for i := range r {
		if r[i] < ' ' || r[i] == 0x7f {
			r[i] = '?'
		}
	}
	if len(r) > most {
		return string(r[:most]) + "..."
	}
	return string(r)
}
