package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Sources{File: name})
}

// The keys stand at the top level, by the names that administrators know, with dots or as groups.
func TestA1_50_to_55_TheCompatibleKeysAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "- -",
		"user-source.ad.upn-as-username: Y\n": "Y -",
		"user-source.ad.upn-as-username: N\nuser-source.update-user-details-card-id: Y\n":     "N Y",
		"user-source: {ad: {upn-as-username: Y}, update-user-details-card-id: N}\n":           "Y N",
		"user-source.ad.upn-as-username: yes\nuser-source.update-user-details-card-id: 'n'\n": "Y N",
	} {
		c, err := loadText(t, text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := switchText(c.Compat.UPNAsUsername) + " " + switchText(c.Compat.UpdateCardID); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if _, err := loadText(t, "user-source.ad.upn-as-username: maybe\n"); err == nil || !strings.Contains(err.Error(), "write Y or N") {
		t.Errorf("%v", err)
	}
	c, _ := loadText(t, "user-source.ad.upn-as-username: Y\n")
	shown := false
	for _, s := range c.Settings() {
		shown = shown || s.Key == "user-source.ad.upn-as-username" && s.Value == "Y" && strings.HasSuffix(s.Origin, "server.yaml:1")
	}
	if !shown {
		t.Error("config show does not list it with its line")
	}
}

func switchText(b *bool) string {
	switch {
	case b == nil:
		return "-"
	case *b:
		return "Y"
	}
	return "N"
}

func TestTrustIsAddedOnlyWhereNobodyChose(t *testing.T) {
	for text, want := range map[string]string{
		"": "trust prompt", "sign_in: {modes: [prompt]}\n": "prompt", "device_listen: off\n": "prompt", "sign_in: {modes: auto}\n": "trust prompt",
		"directories: [{id: a, type: csv, path: x}]\n": "trust prompt",
	} {
		c, err := loadText(t, text)
		if err != nil {
			t.Fatal(err)
		}
		c.AddTrust()
		if got := strings.Join(c.SignIn.Modes, " "); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestRetention(t *testing.T) {
	c, err := loadText(t, "")
	if err != nil || c.Retention != (Retention{After: 30 * Day}) {
		t.Errorf("by default %+v, %v", c.Retention, err)
	}
	c, err = loadText(t, "retention: {deleted_people: erase, after: 90d, erase_with_balance: yes}\n")
	if err != nil || c.Retention != (Retention{Erase: true, After: 90 * Day, WithBalance: true}) {
		t.Errorf("%+v, %v", c.Retention, err)
	}
	for text, want := range map[string]string{
		"retention: {deleted_people: maybe}": "keep or erase",
		"retention: {after: 29d}":            "30d or more",
		"retention: {after: 30}":             "number of days",
		"retention: {after: 720h}":           "number of days",
	} {
		if _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
