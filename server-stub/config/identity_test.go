package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	client = "66666666-7777-8888-9999-000000000000"
	apiApp = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

// entra is a block that is right, with more keys behind it.
func entra(more string) string {
	return fmt.Sprintf("microsoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n%s", strings.ToUpper(tenant), client, apiApp, more)
}

func TestMicrosoftHasDefaults(t *testing.T) {
	file := write(t, entra(""))
	c, err := Load(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	m := c.Microsoft
	if m.AuthorityURL() != "https://login.microsoftonline.com/"+tenant || m.IssuerURL() != m.AuthorityURL()+"/v2.0" ||
		m.Scope != "api://"+apiApp+"/sign-in" || m.ScopeName() != "sign-in" {
		t.Errorf("authority %q, issuer %q, scope %q, %q", m.AuthorityURL(), m.IssuerURL(), m.Scope, m.ScopeName())
	}
	if m.Match != MatchUPN || m.Create || m.Passwords || !m.MFA || m.HasWeb() {
		t.Errorf("policy: %+v", m)
	}
	if diff := cmp.Diff([]string{"trust", "microsoft", "prompt"}, c.SignIn.Modes); diff != "" {
		t.Error(diff)
	}
	if s := origin(t, c, "microsoft"); s.Value != "tenant "+tenant || s.Origin != file+":2" {
		t.Errorf("shown as %+v", s)
	}
}

func TestMicrosoftReadsEverything(t *testing.T) {
	file := write(t, entra(`  authority: https://LOGIN.microsoftonline.us/
  scope: api://print.example.org/sign-in
  web_client_secret_file: secret
  ca_file: /etc/ca.pem
  mfa: off
  passwords: on
  lockout: {max_failures: 4, window: 1h}
  match: none
  create: yes
  domains: [Example.ORG, "@lab.example.org"]
  source: corp
`))
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "secret"), []byte("CANARY-web\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	m := c.Microsoft
	if m.Authority != "https://login.microsoftonline.us" || m.MFA || !m.Passwords || m.Lockout.MaxFailures != 4 || m.Match != MatchNone || !m.Create || m.Source != "corp" {
		t.Errorf("%+v", m)
	}
	if diff := cmp.Diff([]string{"example.org", "lab.example.org"}, m.Domains); diff != "" {
		t.Error(diff)
	}
	if s, err := m.WebClientSecret(); err != nil || s.Reveal() != "CANARY-web" {
		t.Errorf("secret %v", err)
	}
	if shown := fmt.Sprintf("%+v %v", m, c.Settings()); strings.Contains(shown, "CANARY") {
		t.Error("the secret is shown")
	}
}

func TestSecretsFromTheEnvironment(t *testing.T) {
	file := write(t, entra("")+"providers:\n  - {id: acme-id, name: Acme, issuer: https://id.example.com, client_id: platen}\n")
	env := map[string]string{"PLATEN_MICROSOFT_WEB_CLIENT_SECRET": "CANARY-1", "PLATEN_PROVIDER_ACME_ID_CLIENT_SECRET": "CANARY-2"}
	c, err := Load(Sources{File: file, Getenv: func(k string) string { return env[k] }})
	if err != nil {
		t.Fatal(err)
	}
	web, _ := c.Microsoft.WebClientSecret()
	own, _ := c.Providers[0].ClientSecret()
	if web.Reveal() != "CANARY-1" || own.Reveal() != "CANARY-2" || !c.Microsoft.HasWeb() {
		t.Errorf("the environment was not read")
	}
	if shown := fmt.Sprintf("%+v %+v %v", c.Microsoft, c.Providers, c.Settings()); strings.Contains(shown, "CANARY") {
		t.Error("a secret is shown")
	}
}

func TestAnUnreadableSecretSaysWhichAndWhy(t *testing.T) {
	p := Provider{ID: "google", ClientSecretFile: filepath.Join(t.TempDir(), "none")}
	if _, err := p.ClientSecret(); err == nil || !strings.Contains(err.Error(), "providers: google: client_secret_file") {
		t.Errorf("%v", err)
	}
	p.ClientSecretFile = write(t, "two\nlines\n")
	if _, err := p.ClientSecret(); err == nil || strings.Contains(err.Error(), "two") {
		t.Errorf("%v", err)
	}
}

func TestProviders(t *testing.T) {
	c, err := Load(Sources{File: write(t, `providers:
  - {id: google, name: Google, issuer: https://accounts.google.com, client_id: a, client_secret_file: g, match: email, domains: [example.org]}
  - {id: okta, name: Okta, issuer: https://example.okta.com, client_id: b, scopes: [profile], create: yes, domains: [example.org]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Providers) != 2 || c.Providers[0].Match != MatchEmail || !filepath.IsAbs(c.Providers[0].ClientSecretFile) || !c.Providers[1].Create {
		t.Errorf("%+v", c.Providers)
	}
	if diff := cmp.Diff([]string{"profile", "email"}, c.Providers[0].Scopes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"browser", "prompt"}, c.SignIn.Modes); diff != "" {
		t.Error(diff)
	}
	if SourceID("google") != "idp:google" {
		t.Error("the source of Google's people has another name")
	}
}

func TestModes(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"nothing but accounts of our own", "", "prompt"},
		{"a directory", "directories: [{id: a}]\n", "trust,prompt"},
		{"no device listener", "device_listen: off\ndirectories: [{id: a}]\n", "prompt"},
		{"chosen, in their order", "sign_in: {modes: [microsoft, trust]}\n" + entra(""), "microsoft,trust"},
		{"chosen in a line", "sign_in: {modes: 'prompt, trust'}\n", "prompt,trust"},
		{"auto", "sign_in: {modes: auto}\n", "prompt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(Sources{File: write(t, tt.file)})
			if err != nil || strings.Join(c.SignIn.Modes, ",") != tt.want {
				t.Errorf("%v, %v, want %s", c, err, tt.want)
			}
		})
	}
}

func TestListenersBesideListen(t *testing.T) {
	tests := []struct{ file, admin, device string }{
		{"", "127.0.0.1:8444", ":8445"},
		{"listen: 10.0.0.1:443\n", "127.0.0.1:8444", "10.0.0.1:8445"},
		{"listen: 127.0.0.1:0\n", "127.0.0.1:0", "127.0.0.1:0"},
		{"admin_listen: off\ndevice_listen: off\n", "", ""},
		{"listen: 127.0.0.1:0\nadmin_listen: :9\ndevice_listen: '[::1]:9'\n", ":9", "[::1]:9"},
	}
	for _, tt := range tests {
		c, err := Load(Sources{File: write(t, tt.file)})
		if err != nil || c.AdminListen != tt.admin || c.DeviceListen != tt.device {
			t.Errorf("%q: %v, %+v, want %q and %q", tt.file, err, c, tt.admin, tt.device)
		}
	}
}

func TestMistakesOfIdentityProviders(t *testing.T) {
	provider := func(text string) string {
		return "providers:\n  - " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
	}
	const google = "id: google\nname: Google\nissuer: https://accounts.google.com\nclient_id: a\n"
	tests := []struct{ name, file, want string }{
		{"everybody's tenant", "microsoft:\n  tenant: common\n", `:2: microsoft.tenant: "common" would let people of any tenant`},
		{"private accounts", "microsoft:\n  tenant: Consumers\n", ":2: microsoft.tenant: \"consumers\" would let"},
		{"a tenant's name", "microsoft:\n  tenant: example.onmicrosoft.com\n", ":2: microsoft.tenant: write the tenant's id"},
		{"no client", "microsoft:\n  tenant: " + tenant + "\n", ":2: microsoft.client_id: write the application"},
		{"one app for both", strings.Replace(entra(""), apiApp, client, 1), ":4: microsoft.api_client_id: it is the same as client_id"},
		{"unknown key", entra("  tennant: x\n"), `:5: microsoft has no key "tennant"; did you mean "tenant"?`},
		{"unknown key within", entra("  lockout: {windw: 1h}\n"), `:5: microsoft.lockout has no key "windw"; did you mean "window"?`},
		{"twice", entra("  tenant: x\n"), ":5: microsoft.tenant stands in line 2 already"},
		{"no truth", entra("  create: perhaps\n"), ":5: microsoft: cannot unmarshal"},
		{"not Microsoft's", entra("  authority: https://login.example.com\n"), `:5: microsoft.authority: "login.example.com" is no cloud of Microsoft's`},
		{"not https", entra("  authority: http://login.microsoftonline.com\n"), ":5: microsoft.authority: write https://HOST"},
		{"the tenant twice", entra("  authority: https://login.microsoftonline.com/x\n"), ":5: microsoft.authority: write https://HOST, without the tenant"},
		{"bad match", entra("  match: email\n"), ":5: microsoft.match: write upn or none"},
		{"bad domain", entra("  domains: [a@b.c]\n"), ":5: microsoft.domains: \"a@b.c\": write domains"},
		{"a list", "microsoft: [a]\n", ":1: microsoft: write KEY: VALUE lines here"},
		{"no list", "providers: {id: a}\n", ":1: providers: write a list"},
		{"no id", provider("name: x"), ":2: providers: \"\".id: write a short name"},
		{"Microsoft's id", provider(strings.Replace(google, "id: google", "id: microsoft", 1)), "Microsoft Entra ID has a block of its own"},
		{"the same id", provider(google) + strings.TrimPrefix(provider(google), "providers:\n"), ":6: providers: \"google\".id: two providers have it"},
		{"http", provider(strings.Replace(google, "https", "http", 1)), ":4: providers: \"google\".issuer: write the issuer exactly"},
		{"any tenant", provider(strings.Replace(google, "accounts.google.com", "login.microsoftonline.com/common/v2.0", 1)), "people of any tenant"},
		{"anybody's e-mail", provider(google + "match: email\n"), "providers: \"google\".domains: match and create need the domains"},
		{"a secret in the file", provider(google + "client_secret: x\n"), `providers has no key "client_secret"`},
		{"impossible mode", "sign_in:\n  modes: [microsoft]\n", ":2: sign_in.modes: microsoft is not possible: it needs the block microsoft:"},
		{"impossible browser", "sign_in:\n  modes: [browser]\n", "browser is not possible: it needs providers:"},
		{"impossible trust", "device_listen: off\nsign_in:\n  modes: [trust]\n", "trust is not possible: it needs device_listen"},
		{"no mode", "sign_in: {modes: magic}\n", `:1: sign_in.modes: "magic": write any of trust, microsoft, browser, prompt`},
		{"a mode twice", "sign_in: {modes: [prompt, prompt]}\n", `"prompt" stands there twice`},
		{"bad listener", "device_listen: here\n", ":1: device_listen: write HOST:PORT"},
		{"device groups", "device_groups: a\n", ":1: device_groups: write a list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Sources{File: write(t, tt.file)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
