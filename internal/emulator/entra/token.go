package entra

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what somebody has allowed a client.
type grant struct {
	upn      string
	client   string
	scope    asked
	mfa      bool
	web      bool // by a redirect URI of the platform "web": the client has to prove itself each time
	nonce    string
	sid      string    // the browser session
	authTime time.Time // when the person signed in
	used     time.Time // when a refresh token was last used
}

// code is an authorization code.
type code struct {
	grant
	redirect  string
	challenge string
	at        time.Time
	redeemed  bool
}

const codeLife = 10 * time.Minute

// tokens is the answer of the token endpoint.
type tokens struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
}

func (e *Emulator) token(w http.ResponseWriter, r *http.Request) {
	if f := e.tenantOf(r); f != nil {
		e.failJSON(w, r, f)
		return
	}
	if r.Method != http.MethodPost {
		e.failJSON(w, r, fail(900561))
		return
	}
	if err := r.ParseForm(); err != nil {
		e.failJSON(w, r, fail(9002313))
		return
	}
	answer, f := e.exchange(r)
	if f != nil {
		e.failJSON(w, r, f)
		return
	}
	e.log.InfoContext(r.Context(), "issued tokens", "grant_type", r.PostFormValue("grant_type"), "client_id", r.PostFormValue("client_id"))
	writeJSON(w, http.StatusOK, answer)
}

// exchange answers the five grants.
func (e *Emulator) exchange(r *http.Request) (tokens, *failure) {
	config, form := e.settings(), r.PostForm
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	} else if plain, err := url.QueryUnescape(secret); err == nil {
		secret = plain // RFC 6749 section 2.3.1
	}
	grantType := form.Get("grant_type")
	if grantType == "" {
		return tokens{}, failf(900144, "The request body must contain the following parameter: 'grant_type'.")
	}
	client, f := config.client(id)
	if f != nil {
		return tokens{}, f
	}
	proven, f := client.prove(secret)
	if f != nil {
		return tokens{}, f
	}
	if client.ForceError != 0 {
		return tokens{}, fail(client.ForceError)
	}
	var g grant
	switch grantType {
	case "authorization_code":
		g, f = e.redeem(form, client, proven)
	case "refresh_token":
		g, f = e.renew(config, form, client, proven)
	case "password":
		g, f = e.password(config, form, client, proven)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		g, f = e.pollDevice(form, client, proven)
	case "client_credentials":
		return e.appOnly(r, config, form, client, proven)
	default:
		f = failf(70003, "The app requested an unsupported grant type '%s'.", printable(grantType))
	}
	if f != nil {
		return tokens{}, f
	}
	return e.issue(r, config, g, form.Get("client_info") == "1")
}

func (c *Config) client(id string) (App, *failure) {
	if id == "" {
		return App{}, failf(900144, "The request body must contain the following parameter: 'client_id'.")
	}
	client, ok := c.app(id)
	if !ok {
		return App{}, failf(700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", printable(id), c.Name)
	}
	return client, nil
}

// prove checks a client secret; none proves nothing.
func (a App) prove(secret string) (bool, *failure) {
	switch {
	case secret == "":
		return false, nil
	case a.Secret == "":
		return false, fail(700025)
	case subtle.ConstantTimeCompare([]byte(secret), []byte(a.Secret)) != 1:
		return false, failf(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", a.ID)
	}
	return true, nil
}

// redeem takes an authorization code, once.
func (e *Emulator) redeem(form url.Values, client App, proven bool) (grant, *failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.codes[form.Get("code")]
	now := e.nowLocked()
	switch {
	case c == nil || c.client != client.ID:
		return grant{}, failf(9002313, "Invalid request. Request is malformed or invalid.")
	case c.redeemed:
		return grant{}, fail(54005)
	case now.Sub(c.at) > codeLife:
		return grant{}, fail(70008)
	case form.Get("redirect_uri") != c.redirect:
		return grant{}, failf(50011, "The redirect URI '%s' specified in the request does not match the one of the authorization request.", printable(form.Get("redirect_uri")))
	case c.web && !proven:
		return grant{}, fail(7000218)
	case !c.web && proven:
		return grant{}, fail(700025)
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge {
		return grant{}, fail(501481)
	}
	c.redeemed = true
	if e.over(c.grant) {
		return grant{}, fail(50173)
	}
	if scope := form.Get("scope"); scope != "" { // may narrow or repeat what was asked for
		narrowed, f := e.config.parseScope(scope)
		if f != nil {
			return grant{}, f
		}
		if len(narrowed.scopes) > 0 {
			c.scope.resource, c.scope.scopes = narrowed.resource, narrowed.scopes
		}
	}
	return c.grant, nil
}

// over tells whether a grant was revoked. A revocation ends what is as old as it, to the moment.
func (e *Emulator) over(g grant) bool {
	at, ok := e.revoked[strings.ToLower(g.upn)]
	return ok && !g.authTime.After(at)
}

// renew takes a refresh token. As with Entra the old one goes on working.
func (e *Emulator) renew(config Config, form url.Values, client App, proven bool) (grant, *failure) {
	e.mu.Lock()
	now := e.nowLocked()
	held := e.refresh[form.Get("refresh_token")]
	if held == nil || held.client != client.ID {
		e.mu.Unlock()
		return grant{}, fail(9002313)
	}
	g, used, over := *held, held.used, e.over(*held)
	held.used = now
	e.mu.Unlock()
	user, f := config.who(g.upn)
	if f != nil {
		return grant{}, f
	}
	switch {
	case g.web && !proven:
		return grant{}, fail(7000218)
	case user.ForceError != 0:
		return grant{}, fail(user.ForceError)
	case user.Disabled:
		return grant{}, fail(50057)
	case over:
		return grant{}, failf(50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '%s' and the TokensValidFrom date (before which tokens are not valid) for this user is later.", g.authTime.Format(time.RFC3339Nano))
	case config.SignInFrequency > 0 && now.Sub(g.authTime) > time.Duration(config.SignInFrequency):
		return grant{}, failf(70043, "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on %s and the maximum allowed lifetime for this request is %d.", g.authTime.Format(time.RFC3339Nano), int(time.Duration(config.SignInFrequency).Seconds()))
	case now.Sub(used) > time.Duration(config.RefreshTokenLife):
		return grant{}, failf(700082, "The refresh token has expired due to inactivity. The token was issued on %s and was inactive for %s.", g.authTime.Format(time.RFC3339Nano), time.Duration(config.RefreshTokenLife))
	}
	if scope := form.Get("scope"); scope != "" {
		if g.scope, f = config.parseScope(scope); f != nil {
			return grant{}, f
		}
	}
	g.nonce = ""
	return g, e.silent(user, client, g.mfa)
}

// password is the resource owner password credentials grant.
func (e *Emulator) password(config Config, form url.Values, client App, proven bool) (grant, *failure) {
	if !client.PublicFlows && !proven {
		return grant{}, fail(7000218)
	}
	scope, f := config.parseScope(form.Get("scope"))
	if f != nil {
		return grant{}, f
	}
	user, f := config.who(form.Get("username"))
	if f == nil {
		f = e.checkPassword(user, form.Get("password"))
	}
	if f == nil && user.MustChange {
		f = fail(50055)
	}
	if f == nil {
		f = e.silent(user, client, false)
	}
	now := e.now()
	return grant{upn: user.UPN, client: client.ID, scope: scope, authTime: now, used: now}, f
}

// appOnly is the client credentials grant.
func (e *Emulator) appOnly(r *http.Request, config Config, form url.Values, client App, proven bool) (tokens, *failure) {
	if !proven {
		return tokens{}, fail(7000218)
	}
	scope, f := config.parseScope(form.Get("scope"))
	if f != nil {
		return tokens{}, f
	}
	if !scope.appOnly {
		return tokens{}, failf(70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid: client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).")
	}
	now, base := e.now(), e.base(r)
	life := time.Duration(config.AccessTokenLife)
	claims := e.commonClaims(base, config, scope.resource, client, now, life)
	claims["oid"] = guidOf("service principal " + client.ID)
	claims["sub"] = claims["oid"]
	claims["idtyp"] = "app"
	roles := scope.resource.Roles
	if scope.resource.ID == graphID && e.roles != nil {
		roles = e.roles()
	}
	if len(roles) > 0 {
		claims["roles"] = roles
	}
	text, err := e.Sign(AlgRS256, claims)
	if err != nil {
		return tokens{}, failf(90014, "%v", err)
	}
	return tokens{TokenType: "Bearer", ExpiresIn: int(life.Seconds()), ExtExpiresIn: int(life.Seconds()), AccessToken: text}, nil
}

// issue makes the tokens that a grant is worth.
func (e *Emulator) issue(r *http.Request, config Config, g grant, clientInfo bool) (tokens, *failure) {
	user, f := config.who(g.upn)
	if f != nil {
		return tokens{}, f
	}
	client, f := config.client(g.client)
	if f != nil {
		return tokens{}, f
	}
	base := e.base(r)
	access, err := e.Sign(AlgRS256, e.accessClaims(base, config, g, user, client))
	if err != nil {
		return tokens{}, failf(90014, "%v", err)
	}
	life := int(time.Duration(config.AccessTokenLife).Seconds())
	t := tokens{TokenType: "Bearer", Scope: g.scope.text(), ExpiresIn: life, ExtExpiresIn: life, AccessToken: access}
	if g.scope.openID {
		if t.IDToken, err = e.Sign(AlgRS256, e.idClaims(base, config, g, user, client)); err != nil {
			return tokens{}, failf(90014, "%v", err)
		}
	}
	if g.scope.offline {
		t.RefreshToken = newSecret("1.")
		g.used = e.now()
		e.mu.Lock()
		e.refresh[t.RefreshToken] = &g
		e.mu.Unlock()
	}
	if clientInfo {
		t.ClientInfo = clientInfoOf(config, user)
	}
	return t, nil
}

func clientInfoOf(config Config, user User) string {
	raw, _ := json.Marshal(map[string]string{"uid": user.OID, "utid": config.Tenant}) // two strings never fail
	return b64(raw)
}

// commonClaims are those of every access token for resource through client.
func (e *Emulator) commonClaims(base string, config Config, resource, client App, now time.Time, life time.Duration) map[string]any {
	claims := map[string]any{
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(), "aio": newSecret("")[:24], "rh": newSecret("1.")[:30],
		"tid": config.Tenant, "uti": newSecret("")[:22],
	}
	kind := "0"
	if client.Secret != "" {
		kind = "1"
	}
	if resource.AccessTokenVersion == 2 {
		claims["ver"], claims["iss"], claims["aud"] = "2.0", base+"/"+config.Tenant+"/v2.0", resource.ID
		claims["azp"], claims["azpacr"] = client.ID, kind
		return claims
	}
	claims["ver"], claims["iss"], claims["aud"] = "1.0", base+"/"+config.Tenant+"/", resource.IdentifierURI
	if resource.IdentifierURI == "" {
		claims["aud"] = resource.ID
	}
	claims["appid"], claims["appidacr"] = client.ID, kind
	return claims
}

func (e *Emulator) accessClaims(base string, config Config, g grant, user User, client App) map[string]any {
	resource := g.scope.resource
	claims := e.commonClaims(base, config, resource, client, e.now(), time.Duration(config.AccessTokenLife))
	claims["oid"], claims["name"], claims["sub"] = user.OID, user.Name, pairwise(user, resource)
	claims["scp"] = strings.Join(g.scope.scopes, " ")
	if claims["ver"] == "2.0" {
		claims["preferred_username"] = user.UPN
	} else {
		claims["upn"], claims["unique_name"], claims["amr"] = user.UPN, user.UPN, methods(g)
	}
	optional(claims, resource, g, user)
	return claims
}

func (e *Emulator) idClaims(base string, config Config, g grant, user User, client App) map[string]any {
	now := e.now()
	claims := map[string]any{
		"ver": "2.0", "iss": base + "/" + config.Tenant + "/v2.0", "aud": client.ID, "tid": config.Tenant,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"sub": pairwise(user, client), "uti": newSecret("")[:22], "rh": newSecret("1.")[:30],
	}
	if g.scope.profile {
		claims["oid"], claims["name"], claims["preferred_username"] = user.OID, user.Name, user.UPN
	}
	if g.scope.email && user.Email != "" {
		claims["email"] = user.Email
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	optional(claims, client, g, user)
	return claims
}

// optional adds the optional claims that an app registration asks for.
func optional(claims map[string]any, app App, g grant, user User) {
	values := map[string]any{
		"email": user.Email, "upn": user.UPN, "amr": methods(g), "auth_time": g.authTime.Unix(), "sid": g.sid,
		"login_hint": "O." + b64([]byte(user.OID)), "onprem_sid": user.SID, "acct": 0,
	}
	for name, value := range values {
		if slices.Contains(app.OptionalClaims, name) && value != "" {
			claims[name] = value
		}
	}
}

// methods is amr.
func methods(g grant) []string {
	if g.mfa {
		return []string{"pwd", "mfa"}
	}
	return []string{"pwd"}
}

// pairwise is a subject that differs from app to app.
func pairwise(user User, app App) string {
	sum := sha256.Sum256([]byte(user.OID + app.ID))
	return b64(sum[:])
}
