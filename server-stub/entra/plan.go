package entra

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/platenprint/platen/server-stub/config"
)

// Placeholders stand for ids that Entra ID gives out.
const (
	TenantPlaceholder = "TENANT_ID"
	PublicPlaceholder = "PUBLIC_CLIENT_ID"
	APIPlaceholder    = "API_CLIENT_ID"
)

// ScopeID is the id of the scope sign-in. It must be unique within its registration only, so every tenant gets the same.
const ScopeID = "6f0b6c1e-3f0a-4d2e-9a55-0f7c1f4c9b21"

// Microsoft Graph's own ids (the same in every tenant), for what the pages ask for beside openid.
const (
	graphApp     = "00000003-0000-0000-c000-000000000000"
	graphOpenID  = "37f7f235-527c-4136-accd-4a02d197296e"
	graphProfile = "14dad69e-099b-42c9-810b-d002981feec1"
	graphEmail   = "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0"
)

// clouds are what differs between Microsoft's clouds, by the host of the authority.
var clouds = map[string]struct{ name, graph string }{
	"login.microsoftonline.com":        {"AzureCloud", "https://graph.microsoft.com"},
	"login.microsoftonline.us":         {"AzureUSGovernment", "https://graph.microsoft.us"},
	"login.partner.microsoftonline.cn": {"AzureChinaCloud", "https://microsoftgraph.chinacloudapi.cn"},
	"login.chinacloudapi.cn":           {"AzureChinaCloud", "https://microsoftgraph.chinacloudapi.cn"},
}

// Options say what the plan is for. All may be left zero.
type Options struct {
	Tenant    string // its id; a placeholder when empty
	Authority string // https://login.microsoftonline.com when empty
	Name      string // "Platen" when empty
	PublicURL string // of the server, for the pages' redirect address; https://print.example.org when empty
	AdminURL  string // of the administrators' pages, where they sign in with Microsoft too; none when empty
	Passwords bool   // let people sign in by account and password too, where no second factor is asked for
}

// Plan is everything to do, in its order.
type Plan struct {
	Tenant    string         `json:"tenant"`
	API       map[string]any `json:"api_application"`    // POST /v1.0/applications
	Public    map[string]any `json:"public_application"` // POST /v1.0/applications
	Patch     map[string]any `json:"api_patch"`          // PATCH /v1.0/applications(appId='API_CLIENT_ID'), when both exist
	Steps     []Step         `json:"steps"`
	Consent   []string       `json:"consent_urls"` // an administrator opens them once, signed in to the tenant
	Config    string         `json:"configuration"`
	NotNeeded []string       `json:"not_needed"`
}

// Step is something to do in a shell.
type Step struct {
	Title    string   `json:"title"`
	Commands []string `json:"commands"`
}

// NewPlan makes the plan. The error says what of the options cannot be.
func NewPlan(o Options) (Plan, error) {
	if o.Tenant == "" {
		o.Tenant = TenantPlaceholder
	}
	if o.Name == "" {
		o.Name = "Platen"
	}
	if o.Authority == "" {
		o.Authority = "https://login.microsoftonline.com"
	}
	if o.PublicURL == "" {
		o.PublicURL = "https://print.example.org"
	}
	authority, err := url.Parse(o.Authority)
	if err != nil || clouds[authority.Host].graph == "" {
		return Plan{}, fmt.Errorf("%q is no cloud of Microsoft's", o.Authority)
	}
	server, err := url.Parse(o.PublicURL)
	if err != nil || server.Scheme != "https" || server.Host == "" {
		return Plan{}, fmt.Errorf("%q is no web address such as https://print.example.org", o.PublicURL)
	}
	if strings.ContainsAny(o.Name+o.Tenant+server.Host+o.AdminURL, "'\"`$\\\n") {
		return Plan{}, fmt.Errorf("names and ids cannot have quotes, dollars or backslashes in them")
	}
	p := Plan{Tenant: o.Tenant, API: apiApplication(o, "https://"+server.Host), Public: publicApplication(o)}
	p.Patch = map[string]any{
		"identifierUris": []string{"api://" + APIPlaceholder},
		"api":            apiSettings(PublicPlaceholder),
	}
	p.Steps = steps(o, p, clouds[authority.Host].name, clouds[authority.Host].graph)
	for _, app := range []string{PublicPlaceholder, APIPlaceholder} {
		p.Consent = append(p.Consent, fmt.Sprintf("https://%s/%s/adminconsent?client_id=%s", authority.Host, o.Tenant, app))
	}
	p.Config = configuration(o, authority)
	p.NotNeeded = []string{
		"application permissions, or any right to read the directory: Platen reads nothing in Microsoft Graph to sign people in",
		"implicit grant and ID tokens from the authorization endpoint: leave both off",
		"a redirect address other than http://localhost for the public client: no port is registered, any will do",
	}
	return p, nil
}

// apiSettings is the property "api" of the API's registration. It is always written as a whole.
func apiSettings(client string) map[string]any {
	const about = "Sign in to Platen and print"
	s := map[string]any{
		"requestedAccessTokenVersion": 2,
		"oauth2PermissionScopes": []any{map[string]any{
			"id": ScopeID, "value": "sign-in", "type": "User", "isEnabled": true,
			"adminConsentDisplayName": about, "adminConsentDescription": "Lets Platen know who is signed in. It gives no access to anything in Microsoft 365.",
			"userConsentDisplayName": about, "userConsentDescription": "Lets Platen know who you are. It gives no access to your mail or files.",
		}},
	}
	if client != "" {
		s["preAuthorizedApplications"] = []any{map[string]any{"appId": client, "delegatedPermissionIds": []string{ScopeID}}}
	}
	return s
}

func apiApplication(o Options, server string) map[string]any {
	claim := func(name string) any { return map[string]any{"name": name, "essential": false} }
	scope := func(id string) any { return map[string]any{"id": id, "type": "Scope"} }
	return map[string]any{
		"displayName":    o.Name + " server",
		"signInAudience": "AzureADMyOrg",
		"api":            apiSettings(""),
		"web": map[string]any{
			"redirectUris":          redirects(server, o.AdminURL),
			"implicitGrantSettings": map[string]any{"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false},
		},
		"requiredResourceAccess": []any{map[string]any{"resourceAppId": graphApp, "resourceAccess": []any{scope(graphOpenID), scope(graphProfile), scope(graphEmail)}}},
		// acct tells guests apart, onprem_sid ties people to Active Directory for good.
		"optionalClaims": map[string]any{
			"accessToken": []any{claim("acct"), claim("onprem_sid"), claim("auth_time")},
			"idToken":     []any{claim("acct"), claim("onprem_sid"), claim("auth_time"), claim("email")},
		},
	}
}

func redirects(sites ...string) []string {
	var list []string
	for _, s := range sites {
		if s != "" {
			list = append(list, strings.TrimSuffix(s, "/")+"/sign-in/callback/"+config.MicrosoftID)
		}
	}
	return list
}

func publicApplication(o Options) map[string]any {
	return map[string]any{
		"displayName":            o.Name,
		"signInAudience":         "AzureADMyOrg",
		"publicClient":           map[string]any{"redirectUris": []string{"http://localhost"}},
		"isFallbackPublicClient": o.Passwords, // only the password grant needs it: authorization code with http://localhost does not
		"requiredResourceAccess": []any{map[string]any{"resourceAppId": APIPlaceholder, "resourceAccess": []any{map[string]any{"id": ScopeID, "type": "Scope"}}}},
	}
}

// steps are for a POSIX shell. Bodies stand in single quotes with the ids put in between.
func steps(o Options, p Plan, cloud, graph string) []Step {
	applications := graph + "/v1.0/applications"
	return []Step{
		{"Sign in to the tenant as Cloud Application Administrator", []string{
			"az cloud set --name " + cloud,
			"az login --tenant " + o.Tenant + " --allow-no-subscriptions",
		}},
		{"Register the API", []string{
			"API=$(az rest --method POST --url " + applications + " --body " + quote(p.API) + " --query appId --output tsv)",
			"az ad sp create --id $API",
		}},
		{"Register the public client", []string{
			"CLIENT=$(az rest --method POST --url " + applications + " --body " + quote(p.Public) + " --query appId --output tsv)",
			"az ad sp create --id $CLIENT",
		}},
		{"Name the API and let the public client use it without asking people", []string{
			`az rest --method PATCH --url "` + applications + `(appId='$API')" --body ` + quote(p.Patch),
		}},
		{"Make the secret with which pages sign people in; it goes into a file and nowhere else", []string{
			"(umask 077 && az ad app credential reset --id $API --append --display-name platen-pages --years 1 --query password --output tsv > microsoft-secret)",
		}},
		{"Show the ids for the configuration", []string{`echo "client_id: $CLIENT  api_client_id: $API"`}},
	}
}

// quote writes a body for the shell, with variables where placeholders are.
func quote(body map[string]any) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic("entra: a body of our own cannot be written: " + err.Error())
	}
	quoted := "'" + strings.ReplaceAll(string(text), "'", `'\''`) + "'"
	return strings.NewReplacer(APIPlaceholder, `'"$API"'`, PublicPlaceholder, `'"$CLIENT"'`).Replace(quoted)
}

func configuration(o Options, authority *url.URL) string {
	var b strings.Builder
	fmt.Fprintf(&b, "microsoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n", o.Tenant, PublicPlaceholder, APIPlaceholder)
	if authority.Host != "login.microsoftonline.com" {
		fmt.Fprintf(&b, "  authority: https://%s\n", authority.Host)
	}
	b.WriteString("  web_client_secret_file: microsoft-secret\n")
	if o.Passwords {
		b.WriteString("  mfa: off\n  passwords: on\n")
	}
	return b.String()
}
