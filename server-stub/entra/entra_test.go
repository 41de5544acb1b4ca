package entra

import (
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	emulator "github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/egress"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	public = "66666666-7777-8888-9999-000000000000"
	apiApp = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

func TestPlanIsWhatTheDocumentationShows(t *testing.T) {
	p, err := NewPlan(Options{Tenant: tenant, PublicURL: "https://print.example.org/", AdminURL: "https://localhost:8444"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/plan.golden.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("if it is meant, run with -update and review it:\n%s", diff)
	}
}

// A shell runs the commands, with an az that writes down what it is asked.
func TestCommandsRunInAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	dir := t.TempDir()
	az := `#!/bin/sh
case "$*" in *POST*"Platen server"*) echo ` + apiApp + ` ;; *POST*) echo ` + public + ` ;; *credential*) echo CANARY-secret ;; esac
for a in "$@"; do printf '%s\n' "$a" >> "$LOG"; done
`
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(az), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	p, err := NewPlan(Options{Tenant: tenant, Name: "Platen", Passwords: true})
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, s := range p.Steps {
		script.WriteString(strings.Join(s.Commands, "\n") + "\n")
	}
	cmd := exec.CommandContext(t.Context(), sh, "-c", script.String())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LOG=" + filepath.Join(dir, "log")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "CANARY") {
		t.Errorf("the secret is shown:\n%s", out)
	}
	info, err := os.Stat(filepath.Join(dir, "microsoft-secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	bodies := 0
	for line := range strings.Lines(string(log)) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		bodies++
		var body map[string]any
		if err := json.Unmarshal([]byte(line), &body); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if strings.Contains(line, "CLIENT_ID") || strings.Contains(line, "$") {
			t.Errorf("an id was not put in: %s", line)
		}
		if body["displayName"] == "Platen" && body["isFallbackPublicClient"] != true {
			t.Error("the password grant needs public client flows")
		}
	}
	if want := "applications(appId='" + apiApp + "')"; bodies != 3 || !strings.Contains(string(log), want) || !strings.Contains(string(log), `"appId":"`+public+`"`) {
		t.Errorf("%d bodies:\n%s", bodies, log)
	}
}

func TestTheConfigurationOfThePlanIsRead(t *testing.T) {
	p, err := NewPlan(Options{Tenant: tenant, Authority: "https://login.microsoftonline.us", Passwords: true})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(PublicPlaceholder, public, APIPlaceholder, apiApp).Replace(p.Config)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Microsoft; !m.Passwords || m.MFA || m.Authority != "https://login.microsoftonline.us" || !m.HasWeb() {
		t.Errorf("%+v", m)
	}
	if m := c.Microsoft; fmt.Sprintf("api://%s/sign-in", apiApp) != m.Scope {
		t.Errorf("scope %s", m.Scope)
	}
	if !strings.Contains(p.Steps[1].Commands[0], "https://graph.microsoft.us/v1.0/applications") || p.Steps[0].Commands[0] != "az cloud set --name AzureUSGovernment" {
		t.Errorf("another cloud: %v", p.Steps[:2])
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []Options{
		{Authority: "https://login.example.com"}, {PublicURL: "http://print.example.org"}, {PublicURL: "print"}, {Name: "it's"}, {Tenant: "$(reboot)"}, {Name: "a\nb"},
	} {
		if p, err := NewPlan(o); err == nil {
			t.Errorf("%+v: %v", o, p.Steps)
		}
	}
}

// site is an emulated tenant, and our configuration of it.
func site(t *testing.T, change func(*emulator.Config, *config.Microsoft)) (*emulator.Emulator, func() Report) {
	t.Helper()
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("CANARY-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := emulator.Config{Tenant: tenant, Domains: []string{"example.org"}, Apps: []emulator.App{
		{ID: public, RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
		{ID: apiApp, Scopes: []string{"sign-in"}, AccessTokenVersion: 2, Secret: "CANARY-secret"},
	}}
	m := &config.Microsoft{Tenant: tenant, ClientID: public, APIClientID: apiApp, Scope: "api://" + apiApp + "/sign-in", WebClientSecretFile: secretFile}
	if change != nil {
		change(&there, m)
	}
	e, err := emulator.Start(t.Context(), emulator.Options{Config: there})
	if err != nil {
		t.Fatal(err)
	}
	m.Authority = e.URL()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := egress.New(egress.Options{Configured: []string{m.Authority}, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return e, func() Report { return Check(t.Context(), m, client, time.Now) }
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*emulator.Config, *config.Microsoft)
		want   map[string]Outcome
		detail string
	}{
		{"all is right", nil, map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": OK, "secret of the pages": OK, "token version": OK}, ""},
		{"another tenant", func(_ *emulator.Config, m *config.Microsoft) { m.Tenant = strings.Replace(tenant, "1", "9", 1) }, map[string]Outcome{"tenant": Wrong}, "Check tenant and authority"},
		{
			"no such client", func(_ *emulator.Config, m *config.Microsoft) { m.ClientID = strings.Replace(public, "6", "9", 1) },
			map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": Wrong, "secret of the pages": OK, "token version": OK},
			"AADSTS700016",
		},
		{
			"no such scope", func(_ *emulator.Config, m *config.Microsoft) { m.Scope = "api://" + apiApp + "/print" },
			map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": Wrong, "secret of the pages": OK, "token version": OK},
			"AADSTS",
		},
		{
			"another secret", func(c *emulator.Config, _ *config.Microsoft) { c.Apps[1].Secret = "CANARY-other" },
			map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": OK, "secret of the pages": Wrong},
			"AADSTS7000215",
		},
		{
			"version one", func(c *emulator.Config, _ *config.Microsoft) { c.Apps[1].AccessTokenVersion = 1 },
			map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": OK, "secret of the pages": OK, "token version": Wrong},
			"requestedAccessTokenVersion",
		},
		{
			"no secret", func(_ *emulator.Config, m *config.Microsoft) { m.WebClientSecretFile = "" },
			map[string]Outcome{"tenant": OK, "keys": OK, "clock": OK, "public client": OK, "secret of the pages": Skipped, "token version": Skipped},
			"cannot sign in on pages",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, check := site(t, tt.change)
			r := check()
			got, text, right := map[string]Outcome{}, "", true
			for _, f := range r.Findings {
				got[f.Check] = f.Outcome
				text += f.Detail + "\n"
				right = right && f.Outcome != Wrong
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, text)
			}
			if !strings.Contains(text, tt.detail) || strings.Contains(text, "CANARY") || r.Right() != right || len(r.Unknown) == 0 {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestCheckWithoutATenant(t *testing.T) {
	e, check := site(t, nil)
	e.SetDown(true)
	if r := check(); r.Right() || len(r.Findings) != 1 {
		t.Errorf("%+v", r)
	}
	e.SetDown(false)
	if r := check(); !r.Right() {
		t.Errorf("%+v", r)
	}
}
