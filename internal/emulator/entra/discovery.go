package entra

import (
	"net/http"
	"net/url"
	"strings"
)

// tenantOf checks the tenant in the path.
func (e *Emulator) tenantOf(r *http.Request) *failure {
	config, segment := e.settings(), r.PathValue("tenant")
	if !config.ours(segment) {
		return failf(90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", printable(segment))
	}
	return nil
}

// printable keeps what came from outside short and free of control characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\'' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), 100)]
}

func (e *Emulator) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	if f := e.tenantOf(r); f != nil {
		e.failJSON(w, r, f)
		return
	}
	config, base := e.settings(), e.base(r)
	tenant, segment := config.Tenant, r.PathValue("tenant")
	at := base + "/" + url.PathEscape(segment)
	if anyTenant(segment) {
		tenant = "{tenantid}" // as it is: clients fill in the tid of the token
	} else {
		at = base + "/" + tenant
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base + "/" + tenant + "/v2.0",
		"authorization_endpoint":                at + "/oauth2/v2.0/authorize",
		"token_endpoint":                        at + "/oauth2/v2.0/token",
		"device_authorization_endpoint":         at + "/oauth2/v2.0/devicecode",
		"end_session_endpoint":                  at + "/oauth2/v2.0/logout",
		"jwks_uri":                              at + "/discovery/v2.0/keys",
		"userinfo_endpoint":                     "https://graph.microsoft.com/oidc/userinfo",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name", "tid", "ver", "email"},
		"request_uri_parameter_supported":       false,
		"http_logout_supported":                 true,
		"frontchannel_logout_supported":         true,
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   "microsoftonline.com",
	})
}

func (e *Emulator) keyDocument(w http.ResponseWriter, r *http.Request) {
	if f := e.tenantOf(r); f != nil {
		e.failJSON(w, r, f)
		return
	}
	e.mu.Lock()
	keys := e.keys
	e.mu.Unlock()
	issuer := e.base(r) + "/" + e.tenant() + "/v2.0"
	var document struct {
		Keys []jwk `json:"keys"`
	}
	for _, k := range keys {
		document.Keys = append(document.Keys, k.public(issuer))
	}
	writeJSON(w, http.StatusOK, document)
}

// instance answers instance discovery for this host only.
func (e *Emulator) instance(w http.ResponseWriter, r *http.Request) {
	config, base := e.settings(), e.base(r)
	endpoint, err := url.Parse(r.FormValue("authorization_endpoint"))
	host := strings.TrimPrefix(base, "https://")
	if err != nil || endpoint.Host != host {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_instance", "error_description": "AADSTS50049: Unknown or invalid instance.", "error_codes": []int{50049}})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": base + "/" + config.Tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  []any{map[string]any{"preferred_network": host, "preferred_cache": host, "aliases": []string{host}}},
	})
}

// userRealm tells how the accounts of a domain sign in, which MSAL asks before it sends a password.
func (e *Emulator) userRealm(w http.ResponseWriter, r *http.Request) {
	config, upn := e.settings(), r.PathValue("upn")
	_, domain, _ := strings.Cut(upn, "@")
	answer := map[string]any{"ver": "1.0", "account_type": "Unknown"}
	user, known := config.user(upn)
	if config.hasDomain(domain) || known {
		answer = map[string]any{
			"ver": "1.0", "account_type": "Managed", "domain_name": domain,
			"cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
		}
	}
	if known && user.Federated {
		answer["account_type"], answer["federation_protocol"] = "Federated", "WSTrust"
		answer["federation_metadata_url"] = "https://fs." + domain + "/adfs/services/trust/mex"
		answer["federation_active_auth_url"] = "https://fs." + domain + "/adfs/services/trust/2005/usernamemixed"
	}
	writeJSON(w, http.StatusOK, answer)
}
