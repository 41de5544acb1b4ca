package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/proxy"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/sessionbus"
)

var today = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// settings loads a configuration from the lines of a machine file.
func settings(t *testing.T, lines string) (config.Config, []config.Warning) {
	t.Helper()
	m := config.Machine{GOOS: "linux", Config: "/home/alex/.config", ReadFile: func(path string) ([]byte, error) {
		if path == "/etc/platen/platen.conf" {
			return []byte(lines), nil
		}
		return nil, os.ErrNotExist
	}}
	c, warnings, _ := config.Load(t.Context(), config.Sources{Ordered: config.System(m)})
	return c, warnings
}

// fakeServer is a server whose visits end in one way.
type fakeServer struct {
	visit  apiclient.Visit
	err    error
	skew   time.Duration
	known  bool
	visits int
}

func (s *fakeServer) Host() string { return "print.example.org" }

func (s *fakeServer) Visit(context.Context) (apiclient.Visit, error) {
	s.visits++
	return s.visit, s.err
}

func (s *fakeServer) Skew() (time.Duration, bool) { return s.skew, s.known }

func validFor(d time.Duration) apiclient.Visit {
	cert := &x509.Certificate{NotBefore: today.Add(-time.Hour), NotAfter: today.Add(d)}
	root := &x509.Certificate{NotBefore: today.Add(-time.Hour), NotAfter: today.Add(5000 * time.Hour)}
	return apiclient.Visit{Config: api.ClientConfig{Version: "1.0.0"}, Took: 12 * time.Millisecond, Chain: []*x509.Certificate{cert, root}, TLSVersion: "TLS 1.3"}
}

// levels is check=level of the report, for those named.
func levels(r Report, names ...string) map[string]Level {
	got := map[string]Level{}
	for _, name := range names {
		for _, result := range r.Results {
			if result.Check == name {
				got[name] = result.Level
			}
		}
	}
	return got
}

func result(t *testing.T, r Report, name string) Result {
	t.Helper()
	for _, result := range r.Results {
		if result.Check == name {
			return result
		}
	}
	t.Fatalf("no check %q", name)
	return Result{}
}

func TestServerChecks(t *testing.T) {
	failed := func(kind apiclient.Kind) *fakeServer {
		return &fakeServer{err: &apiclient.Error{Op: "visit", Kind: kind}}
	}
	good := &fakeServer{visit: validFor(1000 * time.Hour), known: true, skew: 2 * time.Second}
	soon := &fakeServer{visit: validFor(24 * time.Hour), known: true, skew: -2 * time.Hour}
	for _, tc := range []struct {
		name   string
		server *fakeServer
		want   map[string]Level // server, certificate, clock, proxy
		say    map[string]string
	}{
		{"all is well", good, map[string]Level{"server": OK, "certificate": OK, "clock": OK, "proxy": OK}, map[string]string{"server": "print.example.org answers (Platen 1.0.0, 12 ms)."}},
		{"certificate ends soon, clock ahead", soon, map[string]Level{"server": OK, "certificate": Warn, "clock": Fail, "proxy": OK}, map[string]string{"clock": "2h0m0s ahead of the server's", "certificate": "2026-11-22"}},
		{"unreachable", failed(apiclient.KindUnreachable), map[string]Level{"server": Fail, "certificate": Unknown, "clock": Unknown, "proxy": OK}, map[string]string{"server": "print.example.org cannot be reached."}},
		{"unknown CA", failed(apiclient.KindUnknownCA), map[string]Level{"server": Fail, "certificate": Fail, "clock": Unknown, "proxy": OK}, map[string]string{"certificate": "authority that this computer does not know"}},
		{"wrong pin", failed(apiclient.KindWrongPin), map[string]Level{"server": Fail, "certificate": Fail, "clock": Unknown, "proxy": OK}, map[string]string{"certificate": "does not have the pin"}},
		{"wrong host", failed(apiclient.KindWrongHost), map[string]Level{"server": Fail, "certificate": Fail, "clock": Unknown, "proxy": OK}, map[string]string{"certificate": "another name"}},
		{"expired", failed(apiclient.KindExpired), map[string]Level{"server": Fail, "certificate": Fail, "clock": Unknown, "proxy": OK}, map[string]string{"certificate": "has expired"}},
		{"clock", failed(apiclient.KindClock), map[string]Level{"server": Fail, "certificate": Fail, "clock": Fail, "proxy": OK}, map[string]string{"clock": "Sat, 21 Nov 2026"}},
		{"proxy", failed(apiclient.KindProxy), map[string]Level{"server": Fail, "certificate": Unknown, "clock": Unknown, "proxy": Fail}, map[string]string{"proxy": "does not let Platen through"}},
		{"another server", failed(apiclient.KindNotPlaten), map[string]Level{"server": Fail, "certificate": Unknown, "clock": Unknown, "proxy": OK}, map[string]string{"server": "not a Platen server"}},
		{"its own fault", failed(apiclient.KindServer), map[string]Level{"server": Fail, "certificate": Unknown, "clock": Unknown, "proxy": OK}, map[string]string{"server": "fault of its own"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := settings(t, "ServerURL=https://print.example.org")
			in := Inputs{GOOS: "linux", Config: c, Server: tc.server, Clock: clock.Fixed(today), Proxies: proxy.New(proxy.Options{Clock: clock.Fixed(today)})}
			report := Run(t.Context(), clock.Fixed(today), All(in))
			if diff := cmp.Diff(tc.want, levels(report, "server", "certificate", "clock", "proxy")); diff != "" {
				t.Errorf("levels (-want +got):\n%s", diff)
			}
			for check, text := range tc.say {
				if r := result(t, report, check); !strings.Contains(r.Sentence, text) || r.Level == Fail && r.Remedy == "" {
					t.Errorf("%s says %q, remedy %q; want %q and a remedy", check, r.Sentence, r.Remedy, text)
				}
			}
			if tc.server.visits != 1 {
				t.Errorf("the server was visited %d times, want once", tc.server.visits)
			}
			if report.Failed() != (tc.name != "all is well") {
				t.Errorf("Failed() is %v", report.Failed())
			}
			tc.server.visits = 0
		})
	}
}

func TestConfigCheck(t *testing.T) {
	for _, tc := range []struct {
		name, lines string
		want        Level
		say         string
	}{
		{"good", "ServerURL=https://print.example.org", OK, "machine file /etc/platen/platen.conf:1"},
		{"nothing set", "", Fail, "No server is set."},
		{"a typo", "ServerURL=https://print.example.org\nLangauge=de\nx=y", Warn, "did you mean Language? (and 1 more)"},
		{"broken", "ServerURL=http://print.example.org", Fail, "plain http is never used"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, warnings := settings(t, tc.lines)
			r := Inputs{Config: c, Warnings: warnings}.config(t.Context())
			if r.Level != tc.want || !strings.Contains(r.Sentence, tc.say) || len(r.Details) < len(config.Table()) {
				t.Errorf("got %+v; want %s with %q and all settings", r, tc.want, tc.say)
			}
		})
	}
}

type keyring tokenstore.Availability

func (k keyring) Probe(context.Context) tokenstore.Availability { return tokenstore.Availability(k) }

// here is what a desktop tells; nothing is an error.
type here presence.Reading

func (h here) Read(context.Context) (presence.Reading, error) {
	if h == (here{}) {
		return presence.Reading{}, presence.ErrUnsupported
	}
	return presence.Reading(h), nil
}

type processes []Process

func (p processes) List(context.Context) ([]Process, error) { return p, nil }

func TestDesktopChecks(t *testing.T) {
	desk := func(d Desk, err error) TrayProbe { return func(context.Context) (Desk, error) { return d, err } }
	is := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	shared, lab := config.Config{DeviceRole: config.RoleShared}, config.Config{SharedOSUsers: []string{"lab"}}
	for _, tc := range []struct {
		name  string
		in    Inputs
		check string
		want  Level
		say   string
	}{
		{"tray", Inputs{Tray: desk(Desk{true, true}, nil)}, "tray", OK, "can be shown"},
		{"no tray", Inputs{Tray: desk(Desk{false, true}, nil)}, "tray", Warn, "no tray icons"},
		{"no notifications", Inputs{Tray: desk(Desk{true, false}, nil)}, "tray", Warn, "no notifications"},
		{"no bus", Inputs{Tray: desk(Desk{}, sessionbus.ErrNone)}, "tray", Warn, "no session bus"},
		{"bus does not answer", Inputs{Tray: desk(Desk{}, errors.New("x"))}, "tray", Warn, "does not answer"},
		{"Windows has a tray", Inputs{}, "tray", OK, "always"},
		{"not shared", Inputs{}, "presence", OK, "not a shared"},
		{"shared, it is told who is there", Inputs{Config: shared, Presence: here{IdleKnown: true, LockedKnown: true}}, "presence", OK, "are signed out"},
		{"shared, only locks are told", Inputs{Config: shared, Presence: here{LockedKnown: true}}, "presence", Warn, "but not how long"},
		{"shared, only moves are told", Inputs{Config: lab, Presence: here{IdleKnown: true}}, "presence", Warn, "but not that"},
		{"shared, nothing is told", Inputs{Config: lab, Presence: here{}}, "presence", Warn, "sign out themselves"},
		{"shared, nobody looked", Inputs{Config: shared}, "presence", Unknown, "Nobody"},
		{"X11", Inputs{GOOS: "linux", Env: map[string]string{"DISPLAY": ":0"}}, "display", OK, "X11"},
		{"Wayland with Xwayland", Inputs{GOOS: "linux", Env: map[string]string{"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}}, "display", OK, "Wayland"},
		{"Wayland alone", Inputs{GOOS: "linux", Env: map[string]string{"WAYLAND_DISPLAY": "w"}}, "display", Warn, "X11"},
		{"no display", Inputs{GOOS: "linux"}, "display", Warn, "no display"},
		{"Windows display", Inputs{GOOS: "windows"}, "display", OK, "can be opened"},
		{"keyring", Inputs{Keyring: keyring{State: tokenstore.Available}}, "keyring", OK, "can keep"},
		{"locked", Inputs{Keyring: keyring{State: tokenstore.Locked}}, "keyring", Warn, "locked"},
		{"missing", Inputs{Keyring: keyring{State: tokenstore.Missing, Reason: "why"}}, "keyring", Warn, "no keyring"},
		{"unresponsive", Inputs{Keyring: keyring{State: tokenstore.Unresponsive}}, "keyring", Warn, "does not answer"},
		{"failing", Inputs{Keyring: keyring{State: tokenstore.Failing}}, "keyring", Warn, "errors"},
		{"resident runs", Inputs{Resident: is(nil)}, "resident", OK, "is running"},
		{"resident does not run", Inputs{Resident: is(os.ErrNotExist)}, "resident", Warn, "not running"},
		{"no other client", Inputs{Processes: processes{{1, "init", nil}, {2, "java", []string{"-jar", "x.jar"}}}}, "other clients", OK, "No other"},
		{"PaperCut in Java", Inputs{Processes: processes{{7, "java", []string{"-cp", "lib", "biz.papercut.pcng.client.uit.UserClient"}}}}, "other clients", Warn, "PaperCut user client"},
		{"two of them", Inputs{Processes: processes{{7, "pc-client-linux", nil}, {8, "PrintixClient.exe", nil}, {9, "pc-client", nil}}}, "other clients", Warn, "PaperCut user client, Printix."},
		{"nobody asked", Inputs{}, "other clients", Unknown, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := result(t, Run(t.Context(), clock.Fixed(today), All(tc.in)), tc.check)
			if r.Level != tc.want || !strings.Contains(r.Sentence, tc.say) || r.Level == Warn && r.Remedy == "" {
				t.Errorf("got %+v; want %s with %q", r, tc.want, tc.say)
			}
		})
	}
}

// TestARealServer visits a TLS server whose certificate is believed by file.
func TestARealServer(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(api.ClientConfig{Version: "1.2.3", ServerTime: time.Now()})
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, warnings := settings(t, "ServerURL="+server.URL+"\nCAFile="+ca)
	client, err := apiclient.New(apiclient.Options{ServerURL: c.ServerURL, CAFile: c.CAFile, Logger: slog.New(slog.DiscardHandler), Clock: clock.System})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	in := Inputs{GOOS: "linux", Config: c, Warnings: warnings, Server: client, Proxies: proxy.New(proxy.Options{Clock: clock.System}), Clock: clock.System}
	report := Run(t.Context(), clock.System, All(in))
	want := map[string]Level{"config": OK, "proxy": OK, "server": OK, "certificate": OK, "clock": OK}
	if diff := cmp.Diff(want, levels(report, "config", "proxy", "server", "certificate", "clock")); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	if d := strings.Join(result(t, report, "certificate").Details, "\n"); !strings.Contains(d, "believed: certificates of "+ca+" (machine file") || !strings.Contains(d, "pin sha256/") {
		t.Errorf("the certificate's details are %s", d)
	}
}

func TestReportForPeopleAndPrograms(t *testing.T) {
	report := Report{Version: "1.0", Commit: "abc", System: "linux/amd64", At: today, Results: []Result{
		{"server", OK, "print answers.", "", []string{"TLS 1.3"}},
		{"tray", Warn, "No tray.", "Do <this>.", nil},
	}}
	var text, details, js strings.Builder
	for _, err := range []error{report.Write(&text, false), report.Write(&details, true), report.WriteJSON(&js)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `Platen 1.0 (abc) on linux/amd64, 2026-11-21T09:00:00Z

[ok]      server         print answers.
[warn]    tray           No tray.
                         Do <this>.
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if !strings.Contains(details.String(), "- TLS 1.3\n") {
		t.Errorf("details are missing: %s", &details)
	}
	var back Report
	if err := json.Unmarshal([]byte(js.String()), &back); err != nil || cmp.Diff(report, back) != "" {
		t.Errorf("JSON does not read back: %v\n%s", err, cmp.Diff(report, back))
	}
}

func TestWithoutServerTheOtherChecksStillAnswer(t *testing.T) {
	c, _ := settings(t, "ServerURL=https://print.example.org\nCAFile=/no/such/file")
	_, err := apiclient.New(apiclient.Options{ServerURL: c.ServerURL, CAFile: c.CAFile, Logger: slog.New(slog.DiscardHandler), Clock: clock.System})
	in := Inputs{GOOS: "linux", Config: c, ServerErr: err, Proxies: badProxy{}, Clock: clock.System}
	report := Run(t.Context(), clock.System, All(in))
	want := map[string]Level{"server": Fail, "certificate": Unknown, "clock": Unknown, "proxy": Fail, "display": Warn}
	if diff := cmp.Diff(want, levels(report, "server", "certificate", "clock", "proxy", "display")); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	in = Inputs{GOOS: "linux", Clock: clock.System}
	if got := levels(Run(t.Context(), clock.System, All(in)), "server", "config"); got["server"] != Unknown || got["config"] != Fail {
		t.Errorf("with no server set: %v", got)
	}
}

type badProxy struct{}

func (badProxy) Find(context.Context, *url.URL) (proxy.Choice, error) {
	return proxy.Choice{}, errors.New("environment HTTPS_PROXY: not an address of a proxy")
}
