package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/internal/settings/sources"
)

// network names a server and perhaps its pin.
type network struct{ url, pin string }

func (n network) Discover(context.Context) (sources.Found, error) {
	return sources.Found{ServerURL: n.url, CAPin: n.pin, Where: "_platen._tcp.example.org"}, nil
}

// load is the settings of a computer with these variables in a network.
func load(t *testing.T, n network, env map[string]string) config.Config {
	t.Helper()
	c, _, err := config.Load(t.Context(), config.Sources{Discovery: n, Ordered: config.System(config.Machine{
		GOOS: "linux", Env: env, ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist },
	})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	pinA = "sha256/" + strings.Repeat("A", 43) + "="
	pinB = "sha256/" + strings.Repeat("E", 43) + "="
)

const here = "https://print.example.org"

func TestE9_AnswersHoldForTheSameServerOnly(t *testing.T) {
	for name, test := range map[string]struct {
		confirmed, found network
		asks             bool
		pin              string // that is used
	}{
		"the same":                {network{here, ""}, network{here, ""}, false, ""},
		"the same with a pin":     {network{here, pinA}, network{here, pinA}, false, pinA},
		"without the pin, later":  {network{here, pinA}, network{here, ""}, false, pinA},
		"with a pin, later":       {network{here, ""}, network{here, pinA}, true, ""},
		"with another pin":        {network{here, pinA}, network{here, pinB}, true, ""},
		"another port":            {network{here, ""}, network{here + ":8443", ""}, true, ""},
		"another host":            {network{here, ""}, network{"https://print.example.net", ""}, true, ""},
		"one that looks the same": {network{here, ""}, network{"https://print.example.org.evil.example", ""}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Open(t.TempDir())
			if err := s.Confirm(*Of(load(t, test.confirmed, nil))); err != nil {
				t.Fatal(err)
			}
			used, ask := s.Choose(load(t, test.found, nil))
			if (ask != nil) != test.asks {
				t.Fatalf("asks %+v", ask)
			}
			if !test.asks && (used.ServerURL.String() != test.confirmed.url || used.CAPin != test.pin) {
				t.Errorf("used %v with %q", used.ServerURL, used.CAPin)
			}
		})
	}
}

func TestThePinOfARefusedServerIsNotUsedForTheOneOfBefore(t *testing.T) {
	for name, confirmed := range map[string]network{"with a pin": {here, pinA}, "without": {here, ""}} {
		s := Open(t.TempDir())
		if err := s.Confirm(*Of(load(t, confirmed, nil))); err != nil {
			t.Fatal(err)
		}
		for _, found := range []network{{"https://print.evil.example", pinB}, {here, pinB}} { // somebody else, and somebody in its place
			c := load(t, found, nil)
			if err := s.Reject(*Of(c)); err != nil {
				t.Fatal(err)
			}
			if used, ask := s.Choose(c); ask != nil || used.ServerURL.String() != here || used.CAPin != confirmed.pin {
				t.Errorf("%s: uses %v with %q, asks %+v", name, used.ServerURL, used.CAPin, ask)
			}
		}
	}
}

func TestOnASharedComputerNobodysWordCounts(t *testing.T) {
	s := Open(t.TempDir())
	if err := s.Confirm(*Of(load(t, network{here, ""}, nil))); err != nil {
		t.Fatal(err)
	}
	shared := map[string]string{"PLATEN_DEVICE_ROLE": "shared"}
	if used, ask := s.Choose(load(t, network{}, shared)); used.ServerURL != nil || ask != nil {
		t.Errorf("uses %v, asks %+v", used.ServerURL, ask)
	}
	if _, ask := s.Choose(load(t, network{here, ""}, shared)); ask == nil {
		t.Error("an earlier word counts")
	}
	shared["PLATEN_SERVER_URL"] = "https://set.example.org"
	if used, ask := s.Choose(load(t, network{here, ""}, shared)); ask != nil || used.ServerURL.Host != "set.example.org" {
		t.Errorf("uses %v, asks %+v", used.ServerURL, ask)
	}
}

func TestTrustSetByAnAdministratorStays(t *testing.T) {
	s := Open(t.TempDir())
	if err := s.Confirm(*Of(load(t, network{here, pinA}, nil))); err != nil {
		t.Fatal(err)
	}
	used, ask := s.Choose(load(t, network{here, ""}, map[string]string{"PLATEN_CA_PIN": pinB}))
	if ask != nil || used.CAPin != pinB {
		t.Errorf("asks %+v, uses %q", ask, used.CAPin)
	}
	used, _ = s.Choose(load(t, network{}, map[string]string{"PLATEN_CA_FILE": "/etc/ca.pem"}))
	if used.ServerURL == nil || used.CAPin != "" {
		t.Errorf("uses %v with %q beside the file", used.ServerURL, used.CAPin)
	}
}

func TestABrokenSettingIsNotReplaced(t *testing.T) {
	s := Open(t.TempDir())
	if err := s.Confirm(*Of(load(t, network{here, ""}, nil))); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(t.Context(), config.Sources{Ordered: config.System(config.Machine{
		GOOS: "linux", Env: map[string]string{"PLATEN_SERVER_URL": "http://print.example.org"},
		ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist },
	})})
	if err == nil {
		t.Fatal("plain http is a broken setting")
	}
	if used, ask := s.Choose(c); used.ServerURL != nil || ask != nil {
		t.Errorf("uses %v, asks %+v", used.ServerURL, ask)
	}
}

func TestGarbageRemembersNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no JSON": "{", "another version": `{"version":2,"confirmed":[{"url":"https://print.example.org"}]}`,
		"plain http":    `{"version":1,"confirmed":[{"url":"http://print.example.org"}]}`,
		"with a name":   `{"version":1,"confirmed":[{"url":"https://print.example.org@evil.example"}]}`,
		"another type":  `{"version":1,"confirmed":"https://print.example.org"}`,
		"too long":      `{"version":1,"confirmed":[{"url":"https://print.example.org"}],"x":"` + strings.Repeat("x", maxFile) + `"}`,
		"a hostile pin": `{"version":1,"confirmed":[{"url":"https://print.example.org","pin":"a\u0000b"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, statedir.ServersFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := Open(dir)
			if _, ask := s.Choose(load(t, network{here, ""}, nil)); ask == nil {
				t.Error("it was not asked")
			}
			if used, _ := s.Choose(load(t, network{}, nil)); used.ServerURL != nil {
				t.Errorf("uses %v", used.ServerURL)
			}
			if err := s.Confirm(*Of(load(t, network{here, ""}, nil))); err != nil {
				t.Errorf("the next answer: %v", err)
			}
		})
	}
	t.Run("a folder", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, statedir.ServersFile), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, ask := Open(dir).Choose(load(t, network{here, ""}, nil)); ask == nil {
			t.Error("it was not asked")
		}
		if err := Open(dir).Confirm(*Of(load(t, network{here, ""}, nil))); err == nil {
			t.Error("it was written")
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("left behind: %v, %v", names, err)
		}
	})
}

func TestOnlyTheNewestAnswersAreKept(t *testing.T) {
	dir := t.TempDir()
	s := Open(dir)
	for i := range most + 5 {
		server := *Of(load(t, network{fmt.Sprintf("https://print%d.example.org", i), ""}, nil))
		if err := errors.Join(s.Confirm(server), s.Reject(server)); err != nil {
			t.Fatal(err)
		}
	}
	d := s.read()
	if len(d.Confirmed) != most || len(d.Rejected) != most || d.Confirmed[most-1].URL != fmt.Sprintf("https://print%d.example.org", most+4) {
		t.Errorf("kept %d and %d", len(d.Confirmed), len(d.Rejected))
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
