package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/config"
)

// loadText loads a configuration file with this text.
func loadText(t *testing.T, text string, env map[string]string) (*config.Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(config.Sources{File: name, Getenv: func(key string) string { return env[key] }})
}

func TestCodesCardsAndMailAreRead(t *testing.T) {
	c, err := loadText(t, `access_codes: {generate: no, keep: reveal, weak: refuse, alphabet: digits, length: 12, group: 3}
cards: {keep: reveal}
mail: {host: mail.example.org, from: print@example.org, user: print, admins: [it@example.org], welcome: no, code_changed: yes}
`, map[string]string{"PLATEN_MAIL_PASSWORD": "canary"})
	if err != nil {
		t.Fatal(err)
	}
	three := 3
	if diff := cmp.Diff(config.AccessCodes{Keep: "reveal", Weak: "refuse", Alphabet: "digits", Length: 12, Group: &three}, c.AccessCodes); diff != "" {
		t.Errorf("access_codes (-want +got):\n%s", diff)
	}
	if c.Cards.Keep != "reveal" || c.Mail.Port != 587 || c.Mail.TLS != "starttls" || c.Mail.Welcome != "no" || !c.Mail.CodeReplaced || !c.Mail.CodeChanged {
		t.Errorf("cards %+v, mail %+v", c.Cards, c.Mail)
	}
	if p, err := c.Mail.Password(); err != nil || p.Reveal() != "canary" {
		t.Errorf("Password = %q, %v", p.Reveal(), err)
	}
	for _, s := range c.Settings() {
		if strings.Contains(s.Value, "canary") {
			t.Errorf("config show tells the password: %+v", s)
		}
	}
}

func TestCodesAreMadeUnlessTheFileSaysElse(t *testing.T) {
	c, err := loadText(t, "access_codes: {}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.AccessCodes; !a.Generate || a.Keep != "hash" || a.Weak != "pin" || *a.Group != 4 || c.Cards.Keep != "hash" || c.Mail != nil {
		t.Errorf("defaults: %+v, cards %+v, mail %v", a, c.Cards, c.Mail)
	}
}

func TestMistakesInCodesAndMailAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"access_codes: {keep: plain}":                                      "access_codes.keep: write hash or reveal",
		"access_codes: {length: 6}":                                        "allow_short: yes",
		"access_codes: {lengt: 9}":                                         `did you mean "length"?`,
		"cards: {keep: no}":                                                "cards.keep: write hash or reveal",
		"mail: {host: mail.example.org}":                                   "mail.from",
		"mail: {host: mail.example.org, from: a@example.org, tls: none}":   "everybody on the way can read access codes",
		"mail: {host: mail.example.org, from: \"a@b\\r\\nBcc: c@d\"}":      "is no e-mail address",
		"mail: {host: \"mail.example.org:25\", from: a@example.org}":       "write the name of the mail server",
		"mail: {host: mail.example.org, from: a@example.org, welcome: hi}": "mail.welcome: write yes, no or plain",
	} {
		if _, err := loadText(t, text+"\n", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	if _, err := loadText(t, "mail: {host: localhost, from: a@example.org, tls: none}\naccess_codes: {length: 6, allow_short: yes}\n", nil); err != nil {
		t.Errorf("a mail server on this computer, and short codes that were asked for: %v", err)
	}
}
