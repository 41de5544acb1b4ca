package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func origin(t *testing.T, c *Config, key string) Setting {
	t.Helper()
	for _, s := range c.Settings() {
		if s.Key == key {
			return s
		}
	}
	t.Fatalf("no setting %s", key)
	return Setting{}
}

func TestEveryDefaultFits(t *testing.T) {
	c, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":8443" || c.Currency != "EUR" || c.SignIn.Link != "auto" {
		t.Errorf("defaults: %+v", c)
	}
	for _, s := range c.Settings() {
		if s.Origin != "default" {
			t.Errorf("%s comes from %s", s.Key, s.Origin)
		}
	}
}

func TestFlagsBeforeEnvironmentBeforeFile(t *testing.T) {
	file := write(t, "listen: :1\norganisation: File\nhelp_text: File\nsign_in:\n  link: review\n")
	env := map[string]string{"PLATEN_LISTEN": ":2", "PLATEN_ORGANISATION": "Env", "PLATEN_SIGN_IN_SHARED_OS_USERS": "lab, kiosk"}
	c, err := Load(Sources{File: file, Getenv: func(k string) string { return env[k] }, Flags: map[string]string{"listen": ":3"}})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][2]string{
		"listen":                  {":3", "flag --listen"},
		"organisation":            {"Env", "PLATEN_ORGANISATION"},
		"help_text":               {"File", file + ":3"},
		"sign_in.link":            {"review", file + ":5"},
		"sign_in.shared_os_users": {"lab, kiosk", "PLATEN_SIGN_IN_SHARED_OS_USERS"},
		"low_balance":             {"", "default"},
	} {
		if s := origin(t, c, key); s.Value != want[0] || s.Origin != want[1] {
			t.Errorf("%s = %q from %s, want %q from %s", key, s.Value, s.Origin, want[0], want[1])
		}
	}
	if c.SignIn.Link != "review" || len(c.SignIn.SharedOSUsers) != 2 {
		t.Errorf("sign_in: %+v", c.SignIn)
	}
}

func TestListsAndDirectories(t *testing.T) {
	file := write(t, "trusted_proxies: [10.0.0.0/8, 192.0.2.7]\nmetrics_from: 127.0.0.1\ndirectories:\n  - id: staff\n    type: csv\n")
	c, err := Load(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}
	if diff := cmp.Diff(want, c.TrustedProxies, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if c.Directories == nil || len(c.Directories.Content) != 1 || origin(t, c, "directories").Value != "1 configured" {
		t.Errorf("directories: %+v", c.Directories)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	c, err := Load(Sources{Getenv: func(k string) string {
		if k == "PLATEN_DATABASE" {
			return "postgres://platen:hunter2@db/platen"
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	if s := origin(t, c, "database"); s.Value != "***" || s.Origin != "PLATEN_DATABASE" {
		t.Errorf("database: %+v", s)
	}
	if !strings.Contains(c.Database.Reveal(), "hunter2") {
		t.Error("the value itself was lost")
	}
}

func TestMistakesNameFileLineAndRemedy(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"unknown key", "listen: :1\nlissten: :2\n", `:2: there is no setting "lissten"; did you mean "listen"?`},
		{"unknown key in a group", "sign_in:\n  lnk: auto\n", `:2: there is no setting "sign_in.lnk"; did you mean "sign_in.link"?`},
		{"nothing like it", "colour: red\n", `:1: there is no setting "colour"`},
		{"twice", "listen: :1\nlisten: :2\n", ":2: listen stands in line 1 already"},
		{"not a value", "listen: [a]\n", ":1: listen: write a plain value"},
		{"not a group", "sign_in: 3\n", ":1: write KEY: VALUE lines here"},
		{"not a list", "directories: staff\n", ":1: directories: write a list"},
		{"bad port", "listen: localhost\n", ":1: listen: write HOST:PORT"},
		{"bad currency", "currency: euro\n", ":1: currency: invalid: currency \"euro\""},
		{"bad choice", "sign_in: {link: maybe}\n", ":1: sign_in.link: write auto, review or off"},
		{"bad suffix", "upn_suffix: a b\n", ":1: upn_suffix: "},
		{"bad network", "trusted_proxies: [10.0.0.0/99]\n", `:1: trusted_proxies: "10.0.0.0/99": write networks`},
		{"bad address", "public_url: print.example.org\n", ":1: public_url: write a web address"},
		{"plain http", "public_url: http://print.example.org\n", ":1: public_url: write https://HOST"},
		{"half a certificate", "tls_cert: /a.pem\n", "tls_cert and tls_key: give both or neither"},
		{"another database", "database: mysql://x\n", ":1: database: write postgres://"},
		{"not YAML", "listen: [\n", "line 1"},
		{"two documents", "listen: :1\n---\nlisten: :2\n", "one document is wanted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := write(t, tt.file)
			_, err := Load(Sources{File: name})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Load(Sources{File: write(t, "lissten: :1\ncurrency: x\nsign_in: {link: y}\n")})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want three mistakes in three lines, got %v", err)
	}
}

func TestEmptyFileIsFine(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a remark\n", "listen:\n"} {
		if _, err := Load(Sources{File: write(t, text)}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAMissingFileIsAnError(t *testing.T) {
	if _, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.yaml")}); err == nil {
		t.Error("a configuration that was named but is not there must not be skipped")
	}
}

func FuzzFile(f *testing.F) {
	f.Add("listen: :1\nsign_in: {link: auto}\ndirectories: [{id: a}]\n")
	f.Add("a: &a [*a]\n")
	f.Add("<<: {listen: :1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := file{name: "f", settings: table(), values: map[string]raw{}}
		r.read([]byte(text))
		for key := range r.values {
			found := false
			for _, s := range r.settings {
				found = found || s.key == key
			}
			if !found {
				t.Errorf("%q gave a value for %q, which is no setting", text, key)
			}
		}
	})
}
