package configured

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

func TestAnEntryIsWrittenAndRead(t *testing.T) {
	no := false
	want := Config{
		ID: "corp", Type: TypeLDAP, URL: List{"ldaps://a.example.org", "ldaps://b.example.org"}, Interval: 90 * time.Minute, UPNAsUsername: &no,
		Scope: Scope{Groups: List{"Staff", "S-1-5-21-1-2-3-513"}, Direct: true}, Brake: Brake{Floor: 3}, AutoDelete: &no,
		Attributes: map[string]List{"email": {"mail"}}, Replaces: "old", Notify: "it@example.org",
	}
	text, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s\n-want +got\n%s", err, text, diff)
	}
}

func TestSetChangesOneKey(t *testing.T) {
	have := Config{ID: "corp", Type: TypeLDAP, URL: List{"ldaps://a.example.org"}, Interval: time.Hour, Filter: "(cn=*)", Brake: Brake{Floor: 3}}
	with := func(change func(*Config)) Config {
		c := have
		change(&c)
		return c
	}
	yes := true
	for assignment, want := range map[string]Config{
		"interval=30m":                       with(func(c *Config) { c.Interval = 30 * time.Minute }),
		"filter=":                            with(func(c *Config) { c.Filter = "" }),
		"filter=(&(a=b)(c=d))":               with(func(c *Config) { c.Filter = "(&(a=b)(c=d))" }),
		"scope.groups=[Staff, Students]":     with(func(c *Config) { c.Scope.Groups = List{"Staff", "Students"} }),
		"scope.groups=Staff":                 with(func(c *Config) { c.Scope.Groups = List{"Staff"} }),
		"brake.disabled_percent=10":          with(func(c *Config) { c.Brake.Disabled = 10 }),
		"brake.floor=":                       with(func(c *Config) { c.Brake.Floor = 0 }),
		"manual=yes":                         with(func(c *Config) { c.Manual = true }),
		"upn_as_username=Y":                  with(func(c *Config) { c.UPNAsUsername = &yes }),
		"attributes={email: mail}":           with(func(c *Config) { c.Attributes = map[string]List{"email": {"mail"}} }),
		"url=[ldaps://x.org, ldaps://y.org]": with(func(c *Config) { c.URL = List{"ldaps://x.org", "ldaps://y.org"} }),
	} {
		got, err := have.Set(assignment)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n-want +got\n%s", assignment, err, diff)
		}
	}
	for assignment, want := range map[string]string{
		"id=x": "cannot change", "type=csv": "cannot change", "interval": "KEY=VALUE", "=5": "KEY=VALUE", "colour=red": "no key colour",
		"interval=soon": "does not fit", "scope.people=x": "no key people", "filter=[": "no value", "brake.floor=many": "does not fit",
	} {
		got, err := have.Set(assignment)
		if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "configured.") || strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v, want %q", assignment, err, want)
		}
		if diff := cmp.Diff(have, got); diff != "" {
			t.Errorf("%s changed something: %s", assignment, diff)
		}
	}
}

// A source of the command line signs in with what is sealed, one of the file with what stands in a file.
func TestSecretsComeFromAFileOrFromElsewhere(t *testing.T) {
	asked := ""
	elsewhere := Secrets(func(source core.SourceID, key string) directory.Secret {
		asked += string(source) + "/" + key + " "
		return func() (secret.String, error) { return secret.New("x"), nil }
	})
	if got, err := (Config{ID: "corp"}).secret("bind_password", "", elsewhere)(); err != nil || got.Reveal() != "x" || asked != "corp/bind_password " {
		t.Errorf("%v, asked %q", err, asked)
	}
	if _, err := (Config{ID: "corp"}).secret("bind_password", "/nowhere", elsewhere)(); err == nil || asked != "corp/bind_password " {
		t.Errorf("the file did not go before: %v, asked %q", err, asked)
	}
	if (Config{}).secret("bind_password", "", nil) != nil {
		t.Error("a secret from nowhere")
	}
}

func TestAPushedSourceIsNotRead(t *testing.T) {
	source, err := One(Config{ID: "entra", Type: TypeSCIM}, nil, slog.New(slog.DiscardHandler), clock.System)
	if err != nil || source.ID() != "entra" {
		t.Fatal(err)
	}
	if _, err := source.Read(t.Context(), directory.Request{}, nil); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), `"entra" sends its changes by itself`) {
		t.Errorf("%v", err)
	}
	if _, err := One(Config{ID: "entra", Type: TypeSCIM, Manual: true}, nil, slog.New(slog.DiscardHandler), clock.System); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("manual: %v", err)
	}
}

func TestTheUsernameRuleIsWhatTheSettingsComeTo(t *testing.T) {
	yes, no := true, false
	for want, list := range map[string][]Config{
		"upn":  {{Type: TypeLDAP, UPNAsUsername: &yes}, {Type: TypeEntra}, {Type: TypeCSV, Username: "upn"}},
		"sam":  {{Type: TypeLDAP, Product: "ad", UPNAsUsername: &no}, {Type: TypeLDAP, Product: "entra-ds", UPNAsUsername: &yes}},
		"auto": {{Type: TypeLDAP}, {Type: TypeLDAP, Product: "openldap", UPNAsUsername: &yes}, {Type: TypeCSV}, {Type: TypeGoogle}},
		"mail": {{Type: TypeLDAP, Username: "mail"}},
	} {
		for _, c := range list {
			if got := c.UsernameRule(); got != want {
				t.Errorf("%+v: %s, want %s", c, got, want)
			}
		}
	}
}
