package entra

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// RotateKeys signs with a new key from now on and publishes the old ones too, as Entra does for a while.
func (e *Emulator) RotateKeys() error {
	fresh, err := newKey()
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = append([]key{fresh}, e.keys...)
	return nil
}

// RetireKeys publishes only the key that signs now: tokens of the others are over.
func (e *Emulator) RetireKeys() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = e.keys[:1:1]
}

// SetDown makes each request end with 503, or not any more.
func (e *Emulator) SetDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

// SetDelay makes each answer wait.
func (e *Emulator) SetDelay(delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.delay = delay
}

// SetSkew sets the emulator's clock off by so much from Options.Clock.
func (e *Emulator) SetSkew(skew time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.skew = skew
}

// Calls counts the requests so far by endpoint: "openid-configuration", "keys", "authorize", "login", "token", ...
func (e *Emulator) Calls() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.calls)
}

// UpdateUser changes a person's account from now on, as an administrator would.
func (e *Emulator) UpdateUser(upn string, change func(*User)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	users := append([]User{}, e.config.Users...) // snapshots of the settings stay as they are
	for i := range users {
		if strings.EqualFold(users[i].UPN, upn) {
			change(&users[i])
			e.config.Users = users
			return users[i].complete()
		}
	}
	return fmt.Errorf("the emulated tenant has no user %s", upn)
}

// UpdateApp changes an app registration from now on.
func (e *Emulator) UpdateApp(id string, change func(*App)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	apps := append([]App{}, e.config.Apps...)
	for i := range apps {
		if strings.EqualFold(apps[i].ID, id) {
			change(&apps[i])
			e.config.Apps = apps
			return apps[i].complete()
		}
	}
	return fmt.Errorf("the emulated tenant has no app %s", id)
}

// UpdateTenant changes what is not of one user or app, such as SignInFrequency.
func (e *Emulator) UpdateTenant(change func(*Config)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := e.config
	change(&next)
	if err := next.complete(); err != nil {
		return err
	}
	e.config = next
	return nil
}

// Revoke ends a person's refresh tokens and browser sessions, as an administrator, or a changed password, does.
func (e *Emulator) Revoke(upn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revoked[strings.ToLower(upn)] = e.nowLocked()
	maps.DeleteFunc(e.sessions, func(_ string, s *session) bool { return strings.EqualFold(s.upn, upn) })
}

// Sign makes a token of any claims, signed with the current key by one of the Alg constants: what no real Entra ID
// would issue, for tests of whoever must refuse it.
func (e *Emulator) Sign(alg string, claims map[string]any) (string, error) {
	e.mu.Lock()
	k := e.keys[0]
	e.mu.Unlock()
	return k.sign(alg, claims)
}

// SignAsStranger is Sign with a key that is published nowhere under the kid of the current one.
func (e *Emulator) SignAsStranger(claims map[string]any) (string, error) {
	stranger, err := newKey()
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	stranger.id = e.keys[0].id
	e.mu.Unlock()
	return stranger.sign(AlgRS256, claims)
}

// AccessClaims are the claims of the access token that this person would get for a scope through a client: to Sign as
// they are, or after a change.
func (e *Emulator) AccessClaims(upn, clientID, scope string, mfa bool) (map[string]any, error) {
	config := e.settings()
	user, ok := config.user(upn)
	if !ok {
		return nil, fmt.Errorf("the emulated tenant has no user %s", upn)
	}
	client, ok := config.app(clientID)
	if !ok {
		return nil, fmt.Errorf("the emulated tenant has no app %s", clientID)
	}
	asked, f := config.parseScope(scope)
	if f != nil {
		return nil, f
	}
	g := grant{upn: user.UPN, client: client.ID, scope: asked, mfa: mfa, authTime: e.now()}
	return e.accessClaims(e.url, config, g, user, client), nil
}

// AccessToken is what AccessClaims says, signed as Entra signs: a token without the way to it.
func (e *Emulator) AccessToken(upn, clientID, scope string, mfa bool) (string, error) {
	claims, err := e.AccessClaims(upn, clientID, scope, mfa)
	if err != nil {
		return "", err
	}
	return e.Sign(AlgRS256, claims)
}
