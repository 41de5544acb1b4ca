package oidc

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/federation"
)

// ErrTokenInvalid: the token proves nothing here. The text says why, for the log; it has no part of the token.
var ErrTokenInvalid = fmt.Errorf("%w: the identity provider's token proves nothing here", core.ErrUnauthenticated)

// tolerance is how far clocks may be apart.
const tolerance = 60 * time.Second

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 32 << 10

// Tenant is the Entra tenant and our applications in it.
type Tenant struct {
	Provider string // its id in the configuration: config.MicrosoftID
	ID       string // lower case
	Issuer   string // of version 2.0 tokens
	Audience string // the API's application id
	Scope    string // as it stands in scp: "sign-in"
	Clients  []string
}

// Verifier checks access tokens of a tenant for our API. Safe for concurrent use.
type Verifier struct {
	tenant Tenant
	now    clock.Clock
	keys   *keyring
}

// NewVerifier returns a Verifier. It reads nothing yet.
func NewVerifier(t Tenant, client *http.Client, now clock.Clock, logger *slog.Logger) *Verifier {
	return &Verifier{tenant: t, now: now, keys: &keyring{source: source{name: "Microsoft Entra ID", issuer: t.Issuer, client: client, sameHost: true}, now: now, logger: logger}}
}

// entraClaims are what an Entra token says (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
type entraClaims struct {
	Version   string     `json:"ver"`
	Issuer    string     `json:"iss"`
	Audience  anyStrings `json:"aud"`
	TenantID  string     `json:"tid"`
	ObjectID  string     `json:"oid"`
	Subject   string     `json:"sub"`
	Scopes    string     `json:"scp"`
	Client    string     `json:"azp"`
	IDType    string     `json:"idtyp"`
	Expires   seconds    `json:"exp"`
	NotBefore seconds    `json:"nbf"`
	AuthTime  seconds    `json:"auth_time"`
	Nonce     string     `json:"nonce"`
	Username  string     `json:"preferred_username"`
	UPN       string     `json:"upn"`
	Name      string     `json:"name"`
	Email     string     `json:"email"`
	SID       string     `json:"onprem_sid"`
	IdP       string     `json:"idp"`
	Account   *int       `json:"acct"` // 0 of the tenant, 1 a guest
	Methods   anyStrings `json:"amr"`
}

// anyStrings is one string or several.
type anyStrings []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *anyStrings) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = anyStrings{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// seconds is RFC 7519's NumericDate.
type seconds float64

func (s seconds) time() time.Time {
	if s <= 0 || s > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// AccessToken checks a token and returns what it says. Errors: ErrTokenInvalid, and core.ErrUnavailable when the tenant's keys
// cannot be read.
func (v *Verifier) AccessToken(ctx context.Context, token secret.String) (federation.Claims, error) {
	invalid := func(format string, args ...any) (federation.Claims, error) {
		return federation.Claims{}, fmt.Errorf("%w: %s", ErrTokenInvalid, fmt.Sprintf(format, args...))
	}
	text := token.Reveal()
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return invalid("it has not the form of a token")
	}
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(jws.Signatures) != 1 {
		return invalid("it is not signed with RS256") // the library's text may quote it
	}
	key, err := v.keys.find(ctx, jws.Signatures[0].Header.KeyID)
	if errors.Is(err, errNoKey) {
		return invalid("%s; a token for another service, such as Microsoft Graph, looks so too", errNoKey)
	}
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a token: %w", err)
	}
	public, ok := key.Key.(*rsa.PublicKey)
	if !ok || key.Algorithm != "" && key.Algorithm != string(jose.RS256) {
		return invalid("its key is not one for RS256")
	}
	payload, err := jws.Verify(public)
	if err != nil {
		return invalid("its signature is wrong")
	}
	var c entraClaims
	if json.Unmarshal(payload, &c) != nil {
		return invalid("its claims cannot be read")
	}
	if why := v.tenant.check(c, v.now()); why != "" {
		return invalid("%s", why)
	}
	return v.tenant.claims(c), nil
}

// check says what is wrong with the claims of a token whose signature is right, "" for nothing.
func (t Tenant) check(c entraClaims, now time.Time) string {
	expires, begins := c.Expires.time(), c.NotBefore.time()
	switch {
	case c.Version == "1.0" || strings.HasPrefix(c.Issuer, "https://sts."):
		return "it is a version 1.0 token: set requestedAccessTokenVersion to 2 in the manifest of the API's registration (api.requestedAccessTokenVersion)"
	case c.Version != "2.0":
		return "it is not of version 2.0"
	case c.Issuer != t.Issuer || !strings.EqualFold(c.TenantID, t.ID):
		return "it is of another tenant"
	case !slices.Equal(c.Audience, []string{t.Audience}):
		return "it is for another API: compare api_client_id and scope with the registration"
	case !slices.Contains(strings.Fields(c.Scopes), t.Scope):
		return "it lacks the scope " + t.Scope + ": compare scope with Expose an API of the API's registration"
	case c.IDType != "" && c.IDType != "user":
		return "it stands for a program and not for a person"
	case !slices.Contains(t.Clients, strings.ToLower(c.Client)):
		return "another application than Platen got it: compare client_id with the registration"
	}
	if why := inTime(expires, begins, now); why != "" {
		return why
	}
	return t.person(c)
}

// inTime says why a token is not good now.
func inTime(expires, begins, now time.Time) string {
	switch {
	case expires.IsZero():
		return "it never expires"
	case !now.Before(expires.Add(tolerance)):
		return fmt.Sprintf("it expired %s ago; if that is not so, the server's clock is wrong", now.Sub(expires).Round(time.Second))
	case !begins.IsZero() && now.Add(tolerance).Before(begins):
		return fmt.Sprintf("it begins in %s: the server's clock is behind", begins.Sub(now).Round(time.Second))
	}
	return ""
}

// person says what is missing to know who it is.
func (t Tenant) person(c entraClaims) string {
	if !isGUID(c.ObjectID) {
		return "it has no object id: the person's profile is not in it"
	}
	return ""
}

func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (r == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

// claims are those of a token that was checked.
func (t Tenant) claims(c entraClaims) federation.Claims {
	upn := c.UPN
	if upn == "" {
		upn = c.Username
	}
	return federation.Claims{
		Provider: t.Provider, Issuer: c.Issuer, Subject: c.Subject, TenantID: t.ID, ObjectID: strings.ToLower(c.ObjectID), SID: c.SID,
		UPN: upn, Email: c.Email, Name: c.Name, Guest: t.guest(c, upn), AuthTime: c.AuthTime.time(),
		MFA: slices.ContainsFunc(c.Methods, func(m string) bool { return m == "mfa" || m == "ngcmfa" || m == "fido" || m == "hwk" }),
	}
}

// guest tells whether the account's home is elsewhere, as far as the token says: then its names are not the tenant's to give.
func (t Tenant) guest(c entraClaims, upn string) bool {
	home := strings.ToLower(strings.TrimSuffix(c.IdP, "/"))
	elsewhere := home != "" && home != strings.ToLower(t.Issuer) && !strings.HasSuffix(home, "/"+t.ID) && !strings.HasSuffix(home, "/"+t.ID+"/v2.0")
	return elsewhere || c.Account != nil && *c.Account != 0 || strings.Contains(strings.ToLower(upn), "#ext#")
}
