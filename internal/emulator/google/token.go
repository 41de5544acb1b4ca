package google

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The scopes. Each has a wider one that permits the same and more.
const (
	ScopeUser    = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	ScopeGroup   = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	ScopeOrgUnit = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"
	ScopeSchema  = "https://www.googleapis.com/auth/admin.directory.userschema.readonly"

	scopeUserAll    = "https://www.googleapis.com/auth/admin.directory.user"
	scopeGroupAll   = "https://www.googleapis.com/auth/admin.directory.group"
	scopeOrgUnitAll = "https://www.googleapis.com/auth/admin.directory.orgunit"
	scopeSchemaAll  = "https://www.googleapis.com/auth/admin.directory.userschema"
)

// AllScopes are all that reading needs.
func AllScopes() []string { return []string{ScopeUser, ScopeGroup, ScopeOrgUnit, ScopeSchema} }

// tokenLife is how long an access token and an assertion live.
const tokenLife = time.Hour

// Account is a service account with one key.
type Account struct {
	Email    string
	ClientID string // the number that the customer's administrator delegates to
	KeyID    string
	Key      *rsa.PrivateKey
}

// NewAccount makes a service account.
func NewAccount() (Account, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Account{}, fmt.Errorf("make the key of the service account: %w", err)
	}
	return Account{Email: "platen@example-project.iam.gserviceaccount.com", ClientID: "100000000000000000001", KeyID: "emulated-key", Key: key}, nil
}

// File is the JSON file that the Google Cloud console gives for the key.
func (a Account) File(publicURL string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.Key)
	if err != nil {
		return nil, fmt.Errorf("write the key of the service account: %w", err)
	}
	return json.MarshalIndent(object{
		"type": "service_account", "project_id": "example-project", "private_key_id": a.KeyID, "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": a.Email, "client_id": a.ClientID, "auth_uri": publicURL + "/o/oauth2/auth", "token_uri": publicURL + "/token", "universe_domain": "googleapis.com",
	}, "", "  ")
}

// grant is what an access token stands for.
type grant struct {
	subject string
	scopes  []string
	until   time.Time
}

// token is the token endpoint. Source: developers.google.com, "Using OAuth 2.0 for server to server applications".
func (e *Emulator) token(w http.ResponseWriter, r *http.Request) {
	e.count("token")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	wrong := func(status int, code, format string, args ...any) {
		e.opts.Log.InfoContext(r.Context(), "no token", "code", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(object{"error": code, "error_description": fmt.Sprintf(format, args...)})
	}
	if f, _, strikes := e.strike("token"); strikes && f.Status != 0 {
		code := f.Reason
		if code == "" {
			code = "internal_failure"
		}
		wrong(f.Status, code, "A fault of the emulator.")
		return
	}
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		wrong(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: %s", r.PostFormValue("grant_type"))
		return
	}
	signed, err := jwt.ParseSigned(r.PostFormValue("assertion"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		wrong(http.StatusBadRequest, "invalid_request", "Bad Request")
		return
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	if err := signed.Claims(e.opts.Account.Key.Public(), &claims); err != nil || len(signed.Headers) != 1 || signed.Headers[0].KeyID != e.opts.Account.KeyID {
		wrong(http.StatusBadRequest, "invalid_grant", "Invalid JWT Signature.")
		return
	}
	now, scopes := e.opts.Clock(), strings.Fields(claims.Scope)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case claims.Issuer != e.opts.Account.Email:
		wrong(http.StatusBadRequest, "invalid_grant", "Invalid grant: account not found")
	case !slices.Equal(claims.Audience, jwt.Audience{e.opts.PublicURL + "/token"}):
		wrong(http.StatusBadRequest, "invalid_grant", "Invalid JWT: Failed audience check. The right audience is %s/token", e.opts.PublicURL)
	case claims.Expiry == nil || claims.IssuedAt == nil || now.After(claims.Expiry.Time()) || claims.IssuedAt.Time().After(now.Add(5*time.Minute)) ||
		claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > tokenLife+time.Minute:
		wrong(http.StatusBadRequest, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case len(scopes) == 0:
		wrong(http.StatusBadRequest, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	case slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(e.scopes, s) }):
		wrong(http.StatusUnauthorized, "unauthorized_client", //nolint:misspell // the name in RFC 6749
			"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.") //nolint:misspell // Google's words
	case e.find(claims.Subject) < 0:
		wrong(http.StatusBadRequest, "invalid_grant", "Invalid email or User ID")
	default:
		text := "ya29." + rand.Text()
		e.tokens[text] = grant{claims.Subject, scopes, now.Add(tokenLife)}
		_ = json.NewEncoder(w).Encode(object{"access_token": text, "expires_in": int(tokenLife.Seconds()) - 1, "token_type": "Bearer"})
	}
}

// authorise checks the bearer token, its scopes, and that it acts for an administrator.
func (e *Emulator) authorise(r *http.Request, scopes []string) error {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	e.mu.Lock()
	defer e.mu.Unlock()
	g, ok := e.tokens[text]
	at := e.find(g.subject)
	switch {
	case !ok || !g.until.After(e.opts.Clock()):
		return &refusal{status: http.StatusUnauthorized, reason: "authError", message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."}
	case e.apiOff:
		return &refusal{
			status: http.StatusForbidden, domain: "usageLimits", reason: "accessNotConfigured",
			message: "Admin SDK API has not been used in project 1234 before or it is disabled.",
		}
	case !slices.ContainsFunc(g.scopes, func(s string) bool { return slices.Contains(scopes, s) }):
		return &refusal{status: http.StatusForbidden, reason: "insufficientPermissions", message: "Request had insufficient authentication scopes."}
	case at < 0 || e.dir.Users[at]["isAdmin"] != true && e.dir.Users[at]["isDelegatedAdmin"] != true || e.dir.Users[at]["suspended"] == true:
		return &refusal{status: http.StatusForbidden, reason: "forbidden", message: "Not Authorized to access this resource/api"}
	}
	return nil
}
