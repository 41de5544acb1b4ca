package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/federation"
)

// The answers of Microsoft that core has no kind for. All come after the password was found right.
var (
	ErrConsentRequired = fmt.Errorf("%w: the tenant has not approved Platen", core.ErrForbidden)
	ErrDeviceBlocked   = fmt.Errorf("%w: the tenant wants a managed device or another place", core.ErrForbidden)
	ErrCancelled       = fmt.Errorf("%w: the person did not go on", core.ErrForbidden)
)

// Kind is the kind of error that a verdict is.
func Kind(v aadsts.Verdict) error {
	switch v.Kind {
	case aadsts.WrongCredentials, aadsts.UnknownUser:
		return core.ErrWrongCredentials
	case aadsts.Disabled:
		return core.ErrDisabled
	case aadsts.Locked:
		return core.ErrLimited
	case aadsts.PasswordExpired:
		return core.ErrPasswordExpired
	case aadsts.MFARequired:
		return core.ErrMFARequired
	case aadsts.ConsentRequired:
		return ErrConsentRequired
	case aadsts.DeviceBlocked, aadsts.PolicyBlocked:
		return ErrDeviceBlocked
	case aadsts.Cancelled:
		return ErrCancelled
	case aadsts.NotAssigned, aadsts.OtherTenant:
		return core.ErrForbidden
	case aadsts.SessionExpired:
		return core.ErrUnauthenticated
	case aadsts.Misconfigured, aadsts.Unavailable, aadsts.Unknown:
	}
	return core.ErrUnavailable
}

// Passwords checks passwords at Microsoft by the resource owner password grant (RFC 6749 section 4.3), which Microsoft advises
// against and MSAL is about to drop: it works for accounts without multi-factor authentication only, and only where the public client may
// use it. So it is our own request, and only made where the administrator switched it on.
type Passwords struct {
	verifier *Verifier
	client   *http.Client
	clientID string
	scope    string // in full
	logger   *slog.Logger
}

// NewPasswords returns a Passwords that believes the tokens that v does.
func NewPasswords(v *Verifier, client *http.Client, clientID, scope string, logger *slog.Logger) *Passwords {
	return &Passwords{verifier: v, client: client, clientID: clientID, scope: scope, logger: logger}
}

// Check asks Microsoft once whether this is the password of upn, and returns whose it is. Errors are of the kinds of Kind, with
// the aadsts.Verdict in their chain.
func (p *Passwords) Check(ctx context.Context, upn string, password secret.String) (federation.Claims, error) {
	m, err := p.verifier.keys.endpoints(ctx)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w", err)
	}
	form := url.Values{
		"grant_type": {"password"}, "client_id": {p.clientID}, "scope": {"openid profile " + p.scope}, "username": {upn}, "password": {password.Reveal()},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w", err)
	}
	req.GetBody = nil // a second try would count twice over there
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w: %w", core.ErrUnavailable, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w: %w", core.ErrUnavailable, err)
	}
	if res.StatusCode != http.StatusOK {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w", p.refused(ctx, res.StatusCode, text))
	}
	var answer struct {
		AccessToken secret.String `json:"access_token"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.AccessToken.Empty() {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w: it answers without a token", core.ErrUnavailable)
	}
	claims, err := p.verifier.AccessToken(ctx, answer.AccessToken)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("check a password at Microsoft: %w: %w", core.ErrUnavailable, err)
	}
	return claims, nil
}

// refused reads a refusal and tells the administrator what only they can change.
func (p *Passwords) refused(ctx context.Context, status int, text []byte) error {
	r, ok := aadsts.ParseJSON(text)
	if !ok {
		return fmt.Errorf("%w: it answers %d", core.ErrUnavailable, status)
	}
	v := aadsts.Classify(r)
	switch v.Kind {
	case aadsts.Misconfigured, aadsts.ConsentRequired, aadsts.Unknown:
		p.logger.WarnContext(ctx, "Microsoft refuses passwords", "error", v)
	case aadsts.WrongCredentials, aadsts.UnknownUser, aadsts.Disabled, aadsts.Locked, aadsts.PasswordExpired, aadsts.MFARequired, aadsts.DeviceBlocked,
		aadsts.PolicyBlocked, aadsts.NotAssigned, aadsts.OtherTenant, aadsts.SessionExpired, aadsts.Cancelled, aadsts.Unavailable:
	}
	return fmt.Errorf("%w: %w", Kind(v), v)
}
