package aadsts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/api"
)

// Kind is what a refusal means for the person and for us.
type Kind string

// The kinds.
const (
	WrongCredentials Kind = "wrong_credentials"
	UnknownUser      Kind = "unknown_user" // tell the person the same as WrongCredentials: nothing is proven
	Disabled         Kind = "disabled"
	Locked           Kind = "locked" // by the tenant's smart lockout
	PasswordExpired  Kind = "password_expired"
	MFARequired      Kind = "mfa_required" // the first factor was right: a browser is needed for the rest
	ConsentRequired  Kind = "consent_required"
	DeviceBlocked    Kind = "device_blocked" // a managed device or browser is asked for
	PolicyBlocked    Kind = "policy_blocked" // Conditional Access or a risk says no
	NotAssigned      Kind = "not_assigned"   // the application is for assigned people only
	Misconfigured    Kind = "misconfigured"  // the registrations and our configuration do not fit
	OtherTenant      Kind = "other_tenant"
	SessionExpired   Kind = "session_expired" // sign in again
	Cancelled        Kind = "cancelled"       // the person said no, or went back
	Unavailable      Kind = "unavailable"
	Unknown          Kind = "unknown"
)

// Response is an error as it arrived.
type Response struct {
	Error         string // RFC 6749 section 4.1.2.1 and 5.2, and Microsoft's own
	Description   string
	Codes         []int // error_codes; read from the description when empty
	Suberror      string
	Claims        string // what a claims challenge asks for, JSON
	TraceID       string
	CorrelationID string
}

// Verdict is what a Response means. It has no text that names anybody, so it may be logged. It is an error.
type Verdict struct {
	Kind Kind
	Code int // the AADSTS number that chose the wording, else the first one given, 0 for none
	// Sentence is the key of what to tell the person (see Sentences), Admin what to tell the administrator, in English.
	Sentence string
	Admin    string
	// Method is the way of signing in that works instead (api.Method...), "" when no other one would.
	Method        string
	OAuth         string // the OAuth error, "" when it was none that could be one
	Suberror      string
	Claims        string // to be passed on with the next request
	TraceID       string
	CorrelationID string
}

// Error implements error. The text is for logs.
func (v Verdict) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Microsoft Entra ID said no (%s", v.Kind)
	if v.Code != 0 {
		fmt.Fprintf(&b, ", AADSTS%d", v.Code)
	}
	for _, part := range [][2]string{{"", v.OAuth}, {"", v.Suberror}, {"trace id ", v.TraceID}, {"correlation id ", v.CorrelationID}} {
		if part[1] != "" {
			b.WriteString(", " + part[0] + part[1])
		}
	}
	return b.String() + "): " + v.Admin
}

// Proven tells whether Entra ID has looked at the first factor and found it right: what stands in the way comes after it.
func (v Verdict) Proven() bool {
	switch v.Kind {
	case MFARequired, PasswordExpired, ConsentRequired, DeviceBlocked, PolicyBlocked, NotAssigned:
		return true
	case WrongCredentials, UnknownUser, Disabled, Locked, Misconfigured, OtherTenant, SessionExpired, Cancelled, Unavailable, Unknown:
	}
	return false
}

// Counted tells whether Entra ID may have counted a wrong password with this answer: it always may but where it refused the
// application or had a fault of its own.
func (v Verdict) Counted() bool {
	return v.Kind != Misconfigured && v.Kind != Unavailable && !v.Proven()
}

// class is what error, suberror and claims leave open.
type class struct {
	kind Kind   // when no number says more
	fits []Kind // what a number may make of it
}

// credentials are the kinds that are said of somebody who has proven nothing.
var (
	credentials = []Kind{WrongCredentials, UnknownUser, Locked}
	after       = []Kind{MFARequired, ConsentRequired, DeviceBlocked, PolicyBlocked, NotAssigned, PasswordExpired, Disabled, SessionExpired, OtherTenant}
	assembly    = []Kind{Misconfigured, OtherTenant, ConsentRequired, DeviceBlocked, PolicyBlocked, NotAssigned, Unavailable}
	anything    = slices.Concat(credentials, after, assembly, []Kind{Cancelled})
)

// classOf decides by what the protocol says (RFC 6749, OpenID Connect Core 3.1.2.6, and the suberrors that Microsoft documents
// for its own libraries).
func classOf(r Response) class {
	switch r.Suberror {
	case "consent_required":
		return class{kind: ConsentRequired}
	case "user_password_expired":
		return class{kind: PasswordExpired}
	case "bad_token", "token_expired":
		return class{SessionExpired, []Kind{SessionExpired, PasswordExpired, Disabled, MFARequired}}
	case "basic_action":
		return class{MFARequired, after}
	case "additional_action", "message_only", "protection_policy_required":
		return class{PolicyBlocked, after}
	case "device_authentication_failed":
		return class{DeviceBlocked, after}
	case "client_mismatch":
		return class{kind: Misconfigured}
	}
	switch {
	case r.Error == "consent_required":
		return class{kind: ConsentRequired}
	case r.Error == "temporarily_unavailable", r.Error == "server_error":
		return class{kind: Unavailable}
	case r.Error == "interaction_required", r.Claims != "":
		return class{MFARequired, after}
	}
	switch r.Error {
	case "login_required", "account_selection_required":
		return class{SessionExpired, after}
	case "invalid_grant":
		return class{Unknown, anything} // a wrong password and a used-up code are both no more than this
	case "access_denied":
		return class{Cancelled, slices.Concat(after, []Kind{Cancelled})}
	case "expired_token", "code_expired":
		return class{SessionExpired, []Kind{SessionExpired}}
	case "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "invalid_resource", "unsupported_grant_type", //nolint:misspell // the name in RFC 6749
		"unsupported_response_type", "invalid_target":
		return class{Misconfigured, slices.Concat(assembly, []Kind{SessionExpired})}
	}
	return class{Unknown, anything}
}

// Classify says what a refusal means.
func Classify(r Response) Verdict {
	r = r.clean()
	c := classOf(r)
	v := Verdict{Kind: c.kind, OAuth: r.Error, Suberror: r.Suberror, Claims: r.Claims, TraceID: r.TraceID, CorrelationID: r.CorrelationID}
	if len(r.Codes) > 0 {
		v.Code = r.Codes[0]
	}
	for _, number := range r.Codes {
		e, ok := table[number]
		if !ok || e.kind != c.kind && !slices.Contains(c.fits, e.kind) {
			continue
		}
		v.Code, v.Kind, v.Sentence, v.Admin, v.Method = number, e.kind, e.sentence, e.admin, e.method
		return v
	}
	general := generals[v.Kind]
	v.Sentence, v.Admin, v.Method = general.sentence, general.admin, general.method
	return v
}

// entry is one row of the table.
type entry struct {
	kind     Kind
	sentence string
	admin    string
	method   string
}

// Known returns the numbers of the table in ascending order.
func Known() []int {
	list := make([]int, 0, len(table))
	for n := range table {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

const (
	microsoft = api.MethodMicrosoft
	prompt    = api.MethodPrompt
	none      = ""
)
