package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
)

// named is the settings of a computer where the network names a server, if it names one.
func named(t *testing.T, address string) config.Config {
	t.Helper()
	c, _, err := config.Load(t.Context(), config.Sources{Discovery: network(address)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start is a start of the resident in a state folder.
func start(t *testing.T, dir, address string) *site {
	t.Helper()
	a := &agent{settings: named(t, address), dir: dir, logger: testLogger(t)}
	a.site = &site{agent: a, remembered: servers.Open(dir), used: a.settings}
	return a.site
}

func TestE9_AServerThatTheNetworkNamesIsUsedOnlyAfterThePersonsWord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	const theirs, others = "https://print.example.org:8443", "https://print.evil.example"
	s := start(t, dir, theirs)
	way, ask := s.begin(nil)
	if ask == nil || way.Server != nil || way.Problem == nil || way.Problem.Code != status.ProblemNotConfigured {
		t.Fatalf("way %+v, asks %+v", way, ask)
	}
	if s.config().ServerURL != nil || !strings.Contains(way.Problem.Details, theirs) {
		t.Errorf("used %v: %s", s.config().ServerURL, way.Problem.Details)
	}
	if ask.Host != "print.example.org:8443" || ask.Where != status.WhereNetwork || ask.Source != "_platen._tcp.evil.example" {
		t.Errorf("asks %+v", ask)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written before the answer")
	}
	way, err := s.Confirm(t.Context(), *ask)
	if err != nil || way.Server == nil || way.Problem != nil || way.ServerHost != "print.example.org" || s.config().ServerURL.String() != theirs {
		t.Fatalf("confirmed: %+v, %v", way, err)
	}
	if d := s.details(); d.ServerURL != theirs || d.Settings[0].Origin != originConfirmed {
		t.Errorf("details %q, %+v", d.ServerURL, d.Settings[0])
	}
	if info, err := os.Stat(filepath.Join(dir, statedir.ServersFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}

	t.Run("it is remembered", func(t *testing.T) {
		if way, ask := start(t, dir, theirs).begin(nil); ask != nil || way.Server == nil {
			t.Errorf("way %+v, asks %+v", way, ask)
		}
	})
	t.Run("also where no network names it", func(t *testing.T) {
		s := start(t, dir, "")
		if way, ask := s.begin(nil); ask != nil || way.Server == nil || s.config().ServerURL.String() != theirs {
			t.Errorf("way %+v, asks %+v", way, ask)
		}
	})
	t.Run("another one is asked about, and refused for good", func(t *testing.T) {
		s := start(t, dir, others)
		way, ask := s.begin(nil)
		if ask == nil || way.Server != nil || s.config().ServerURL != nil {
			t.Fatalf("way %+v, asks %+v", way, ask)
		}
		way, err := s.Reject(t.Context(), *ask)
		if err != nil || way.Server == nil || way.ServerHost != "print.example.org" {
			t.Errorf("refused: %+v, %v", way, err)
		}
		if way, ask := start(t, dir, others).begin(nil); ask != nil || way.ServerHost != "print.example.org" {
			t.Errorf("the next start: %+v, asks %+v", way, ask)
		}
	})
	t.Run("a setting is stronger", func(t *testing.T) {
		s := start(t, dir, theirs)
		var err error
		s.settings, _, err = config.Load(t.Context(), config.Sources{Ordered: config.System(config.Machine{
			GOOS: "linux", Env: map[string]string{"PLATEN_SERVER_URL": "https://set.example.org"},
			ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist },
		})})
		if err != nil {
			t.Fatal(err)
		}
		if way, ask := s.begin(nil); ask != nil || way.ServerHost != "set.example.org" {
			t.Errorf("way %+v, asks %+v", way, ask)
		}
	})
}

// A server that somebody was talked into must not be told by the computer who they are: it could sign in as them where the computer
// is a device.
func TestTheComputerVouchesAtItsOwnServerOnly(t *testing.T) {
	const theirs = "https://print.example.org:8443"
	for name, test := range map[string]struct {
		used   string
		set    bool // by a setting
		device ipc.Status
		vouch  bool
	}{
		"the same host":                            {used: theirs, device: ipc.Status{ServerURL: "https://print.example.org:8445"}, vouch: true},
		"the same, as written":                     {used: theirs, device: ipc.Status{ServerURL: "https://Print.Example.org.:8445"}, vouch: true},
		"another":                                  {used: "https://print.evil.example", device: ipc.Status{ServerURL: "https://print.example.org:8445", Wanted: theirs}},
		"one that looks the same":                  {used: theirs + "0", device: ipc.Status{ServerURL: "https://print.example.org.evil.example:8445"}},
		"as the computer's settings say":           {used: theirs, device: ipc.Status{ServerURL: "https://devices.example.org:8445", Wanted: theirs}, vouch: true},
		"another than the computer's settings say": {used: theirs, device: ipc.Status{ServerURL: "https://devices.example.org:8445", Wanted: "https://print.example.org"}},
		"set": {used: theirs, set: true, device: ipc.Status{ServerURL: "https://devices.example.org:8445"}, vouch: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, t.TempDir(), test.used)
			if test.set {
				s.settings = set(t, test.used)
			}
			_, ask := s.begin(nil)
			test.device.Enrolled, test.device.Version = true, "1"
			f := &fakeService{state: test.device}
			d := &deploy{dial: func(context.Context) (service, error) { return f, nil }, clock: clock.System, logger: testLogger(t), ours: s.isOf}
			if ask != nil {
				if p, err := d.Policy(t.Context()); err != nil || p.Enrolled {
					t.Errorf("before the answer: %+v, %v", p, err)
				}
				if _, err := s.Confirm(t.Context(), *ask); err != nil {
					t.Fatal(err)
				}
			}
			if p, err := d.Policy(t.Context()); err != nil || p.Enrolled != test.vouch {
				t.Errorf("policy %+v, %v", p, err)
			}
			if code, err := d.Vouch(t.Context(), "me"); (err == nil) != test.vouch || !test.vouch && code.Reveal() != "" {
				t.Errorf("code %q, %v", code.Reveal(), err)
			}
		})
	}
}

// The same with the browser: the page of the right server would sign the person in, and its code would go to the wrong one.
func TestTheBrowserIsSentToTheServersOwnPageOnly(t *testing.T) {
	const theirs = "https://print.example.org:8443"
	for name, test := range map[string]struct {
		page  string
		set   bool
		opens bool
	}{
		"its own":                 {page: theirs + "/sign-in/client", opens: true},
		"its own, another port":   {page: "https://Print.example.org./sign-in/client", opens: true},
		"another server's":        {page: "https://print.example.net/sign-in/client"},
		"one that looks the same": {page: "https://print.example.org.evil.example/sign-in/client"},
		"behind a name":           {page: "https://print.example.org@evil.example/sign-in/client"},
		"none":                    {page: "::"},
		"set":                     {page: "https://print.example.net/sign-in/client", set: true, opens: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, t.TempDir(), theirs)
			if test.set {
				s.settings = set(t, theirs)
			}
			if _, ask := s.begin(nil); ask != nil {
				if _, err := s.Confirm(t.Context(), *ask); err != nil {
					t.Fatal(err)
				}
			}
			opened, stop := false, errors.New("stop")
			p := pages{texts: func() loopback.Texts { return loopback.Texts{} }, ours: s.isPage}
			_, _, err := p.SignIn(t.Context(), api.BrowserConfig{SignInURL: test.page}, session.Browse{Open: func(context.Context, string) error { opened = true; return stop }})
			if err == nil || opened != test.opens {
				t.Errorf("opened %v: %v", opened, err)
			}
			if e, ok := errors.AsType[*session.Error](err); !test.opens && (!ok || e.Problem.Code != status.ProblemServer || !strings.Contains(e.Problem.Details, "another server")) {
				t.Errorf("said %v", err)
			}
		})
	}
}

func TestARefusedServerWaitsSilently(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "https://print.evil.example")
	_, ask := s.begin(nil)
	if way, err := s.Reject(t.Context(), *ask); err != nil || way.Server != nil {
		t.Fatalf("%+v, %v", way, err)
	}
	s = start(t, dir, "https://print.evil.example")
	way, ask := s.begin(nil)
	if ask == nil || !ask.Rejected || way.Server != nil || !strings.Contains(way.Problem.Details, "not yours") {
		t.Errorf("way %+v, asks %+v", way, ask)
	}
	if way, err := s.Confirm(t.Context(), *ask); err != nil || way.Server == nil { // they have thought about it
		t.Errorf("%+v, %v", way, err)
	}
}

func TestAFolderThatCannotBeWrittenStopsNobody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, filepath.Join(dir, "state"), "https://print.example.org")
	_, ask := s.begin(nil)
	if way, err := s.Confirm(t.Context(), *ask); err != nil || way.Server == nil {
		t.Errorf("%+v, %v", way, err)
	}
}
