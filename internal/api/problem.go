package api

import "time"

// ContentTypeProblem is the media type of errors (RFC 9457).
const ContentTypeProblem = "application/problem+json"

// Code is the kind of an error, for programs. Clients choose their words by it, never by Title or Detail.
type Code string

// The error codes of /api/v1 and their HTTP status.
const (
	CodeInvalid              Code = "invalid"               // 422: the request is not what it must be
	CodeTooLarge             Code = "too_large"             // 413
	CodeUnauthenticated      Code = "unauthenticated"       // 401: no access token, or one that ended: refresh
	CodeSessionEnded         Code = "session_ended"         // 401: the refresh token is of no use any more: sign in again
	CodeWrongCredentials     Code = "wrong_credentials"     // 401: name or password, deliberately not which
	CodeAccountDisabled      Code = "account_disabled"      // 403: said only after proof
	CodePasswordExpired      Code = "password_expired"      // 403: said only after proof
	CodeAmbiguousName        Code = "ambiguous_name"        // 409: said only after proof
	CodeLimited              Code = "limited"               // 429: retry_at says when
	CodeMethodOff            Code = "method_off"            // 403: this way of signing in is not offered; method says which is
	CodeMFARequired          Code = "mfa_required"          // 403: a password alone is not enough; method says what is
	CodeTokenInvalid         Code = "token_invalid"         // 401: the identity provider's token proves nothing here
	CodeCodeInvalid          Code = "code_invalid"          // 401: the one-use code is wrong, used or too old
	CodeNoAccount            Code = "no_account"            // 403: proven, but nobody here: the directory does not list them
	CodeConsentRequired      Code = "consent_required"      // 403: the tenant has not approved Platen
	CodeDeviceBlocked        Code = "device_blocked"        // 403: the tenant wants a managed device or browser
	CodeTrustRefused         Code = "trust_refused"         // 403: this computer may not vouch for this account: ask the person
	CodeDeviceUnknown        Code = "device_unknown"        // 401: the device is not enrolled, or was revoked: enrol it
	CodeClock                Code = "clock"                 // 401: the device's clock is not the server's: set it
	CodeForbidden            Code = "forbidden"             // 403
	CodeNotFound             Code = "not_found"             // 404
	CodeConflict             Code = "conflict"              // 409
	CodeDirectoryUnavailable Code = "directory_unavailable" // 503: the directory that must check the password does not answer
	CodeUnavailable          Code = "unavailable"           // 503
	CodeInternal             Code = "internal"              // 500
)

// Problem is the body of every error answer (RFC 9457 problem details). It says what to do and never echoes input.
type Problem struct {
	Type      string     `json:"type" doc:"A URN of the code." example:"urn:platen:error:wrong_credentials"`
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Detail    string     `json:"detail,omitempty" doc:"One plain sentence that says what to do."`
	Code      Code       `json:"code"`
	RetryAt   *time.Time `json:"retry_at,omitempty"`
	Method    string     `json:"method,omitempty" doc:"The way of signing in that works here, when the one that was tried does not." example:"microsoft"`
	RequestID string     `json:"request_id,omitempty" doc:"Tell it to the helpdesk: the server's log has it."`
	Fields    []string   `json:"fields,omitempty" nullable:"false" doc:"The names of the fields that are not right, never their values."`
}
