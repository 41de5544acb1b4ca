package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// failure is an error as Entra answers it.
type failure struct {
	code   int
	detail string // in place of the usual text
	claims string // a claims challenge, JSON
	more   []int  // further numbers for error_codes
}

func fail(code int) *failure { return &failure{code: code} }

func failf(code int, format string, args ...any) *failure {
	return &failure{code: code, detail: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (f *failure) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.code, f.text()) }

func (f *failure) known() knownError {
	if k, ok := knownErrors[f.code]; ok {
		return k
	}
	return knownError{err: "invalid_request", text: "An error that this emulator was told to answer with."}
}

func (f *failure) text() string {
	if f.detail != "" {
		return f.detail
	}
	return f.known().text
}

// caClaims is the challenge that errors of conditional access carry.
const caClaims = `{"access_token":{"capolids":{"essential":true,"values":["5ca8f0b7-1d3e-4c55-9e2b-3e5d1c5b7a10"]}}}`

// A knownError is what is documented of an AADSTS number.
type knownError struct {
	err      string // OAuth 2.0 error
	suberror string
	text     string
	status   int  // at the token endpoint; 400 if zero
	toApp    bool // the authorize endpoint sends it to the app; else a page of Entra shows it
}

const (
	wentBack = 0 // from the pages for signing in: access_denied with error_subcode=cancel, no number and no description
	declined = 65004
)

const unauthorizedClient = "unauthorized_client" //nolint:misspell // RFC 6749 section 4.1.2.1

// knownErrors has the numbers that this emulator answers by itself or by force_error. The texts are shortened from
// "Microsoft Entra authentication & authorization error codes".
var knownErrors = map[int]knownError{
	wentBack: {err: "access_denied", toApp: true},

	16000:    {err: "interaction_required", text: "Either multiple user identities are available for the current request or selected account is not supported for the scenario.", toApp: true},
	50011:    {err: "invalid_request", text: "The redirect URI specified in the request does not match the redirect URIs configured for the application."},
	50020:    {err: "invalid_grant", text: "User account from identity provider does not exist in tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first."},
	50034:    {err: "invalid_grant", text: "The user account does not exist in the directory. To sign into this application, the account must be added to the directory."},
	50053:    {err: "invalid_grant", text: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."},
	50055:    {err: "invalid_grant", suberror: "user_password_expired", text: "The password is expired."},
	50056:    {err: "invalid_grant", text: "Invalid or null password: password doesn't exist in the directory for this user."},
	50057:    {err: "invalid_grant", text: "The user account is disabled."},
	50058:    {err: "login_required", text: "A silent sign-in request was sent but no user is signed in.", toApp: true},
	50074:    {err: "interaction_required", suberror: "basic_action", text: "Strong Authentication is required.", toApp: true},
	50076:    {err: "invalid_grant", suberror: "basic_action", text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."},
	50079:    {err: "invalid_grant", suberror: "basic_action", text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource."},
	50089:    {err: "invalid_grant", text: "Authentication failed due to flow token expired."},
	50097:    {err: "interaction_required", text: "Device authentication is required."},
	50105:    {err: "invalid_grant", text: "Your administrator has configured the application to block users unless they are specifically granted ('assigned') access to the application. The signed in user is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator."},
	50126:    {err: "invalid_grant", text: "Error validating credentials due to invalid username or password."},
	50128:    {err: "invalid_request", text: "Invalid domain name. No tenant-identifying information found in either the request or implied by any provided credentials."},
	50158:    {err: "interaction_required", text: "External security challenge not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges."},
	50173:    {err: "invalid_grant", suberror: "bad_token", text: "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."},
	53000:    {err: "interaction_required", suberror: "additional_action", text: "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider."},
	53001:    {err: "interaction_required", suberror: "additional_action", text: "Device is not in required device state: domain_joined. Conditional Access policy requires a domain joined device, and the device is not domain joined."},
	53003:    {err: "interaction_required", suberror: "message_only", text: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
	53004:    {err: "interaction_required", suberror: "message_only", text: "User needs to complete multi-factor authentication registration process before accessing this content, which is blocked due to suspicious activity."},
	54005:    {err: "invalid_grant", text: "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
	65001:    {err: "invalid_grant", suberror: "consent_required", text: "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."},
	declined: {err: "consent_required", text: "User declined to consent to access the app.", toApp: true},
	70000:    {err: "invalid_grant", text: "The provided value for the input parameter 'refresh_token' or 'code' is not valid."},
	70002:    {err: "invalid_client", text: "Error validating credentials.", status: http.StatusUnauthorized},
	70003:    {err: "unsupported_grant_type", text: "The app returned an unsupported grant type."},
	70008:    {err: "invalid_grant", text: "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."},
	70011:    {err: "invalid_scope", text: "The provided value for the input parameter 'scope' is not valid.", toApp: true},
	70016:    {err: "authorization_pending", text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
	70018:    {err: "bad_verification_code", text: "Invalid verification code due to User typing in wrong user code for device code flow."},
	70019:    {err: "expired_token", text: "Verification code expired. Have the user retry the sign-in."},
	70043:    {err: "invalid_grant", suberror: "bad_token", text: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."},
	90002:    {err: "invalid_request", text: "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."},
	90014:    {err: "invalid_request", text: "The required field is missing from the credential. Ensure that you have all the necessary parameters for the login request."},
	90094:    {err: "invalid_grant", suberror: "consent_required", text: "An administrator of the tenant has set a policy that prevents you from granting the application the permissions it is requesting. Contact an administrator, who can grant permissions to this app on your behalf."},
	500011:   {err: "invalid_resource", text: "The resource principal was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", toApp: true},
	501481:   {err: "invalid_grant", text: "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
	650053:   {err: "invalid_client", text: "The application asked for a scope that doesn't exist on the resource. Contact the app vendor.", toApp: true},
	700016:   {err: unauthorizedClient, text: "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."},
	700025:   {err: "invalid_client", text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.", status: http.StatusUnauthorized},
	700054:   {err: "unsupported_response_type", text: "response_type 'id_token' is not enabled for the application.", toApp: true},
	700082:   {err: "invalid_grant", suberror: "bad_token", text: "The refresh token has expired due to inactivity."},
	900144:   {err: "invalid_request", text: "The request body must contain a parameter that is missing."},
	900561:   {err: "invalid_request", text: "The endpoint only accepts POST requests.", status: http.StatusMethodNotAllowed},
	7000215:  {err: "invalid_client", text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.", status: http.StatusUnauthorized},
	7000218:  {err: "invalid_client", text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", status: http.StatusUnauthorized},
	9002313:  {err: "invalid_request", text: "Invalid request. Request is malformed or invalid.", toApp: true},
	9002325:  {err: "invalid_request", text: "Proof Key for Code Exchange is required for cross-origin authorization code redemption.", toApp: true},
}

// said is a failure with the marks that a helpdesk asks for.
type said struct {
	*failure
	trace, correlation string
	at                 time.Time
}

// note logs an error that a page shows in words of its own.
func (e *Emulator) note(r *http.Request, f *failure) { _ = e.say(r, f) }

func (e *Emulator) say(r *http.Request, f *failure) said {
	s := said{failure: f, trace: newGUID(), correlation: r.Header.Get("Client-Request-Id"), at: e.now()}
	if !isGUID(s.correlation) {
		s.correlation = newGUID()
	}
	e.log.InfoContext(r.Context(), "answered with an error", "aadsts", f.code, "path", r.URL.Path, "trace_id", s.trace)
	return s
}

func (s said) timestamp() string { return s.at.Format("2006-01-02 15:04:05Z") }

// description is error_description, with the line breaks that the documentation shows.
func (s said) description() string {
	return fmt.Sprintf("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", s.code, s.text(), s.trace, s.correlation, s.timestamp())
}

// errorJSON is the body of an error of the token endpoint.
type errorJSON struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
	Suberror      string `json:"suberror,omitempty"`
	Claims        string `json:"claims,omitempty"`
}

func (e *Emulator) failJSON(w http.ResponseWriter, r *http.Request, f *failure) {
	s, known := e.say(r, f), f.known()
	status := known.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, errorJSON{
		Error: known.err, Description: s.description(), Codes: append([]int{f.code}, f.more...), Timestamp: s.timestamp(),
		TraceID: s.trace, CorrelationID: s.correlation, URI: fmt.Sprintf("%s/error?code=%d", e.base(r), f.code),
		Suberror: known.suberror, Claims: f.claims,
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the peer may be gone
}
