package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestFind(t *testing.T) {
	const server = "https://print.example.org:8443"
	for _, tc := range []struct {
		name    string
		opts    Options
		target  string
		want    string
		wantErr string
	}{
		{"nothing set", Options{}, server, "direct (default)", ""},
		{"environment", Options{Env: map[string]string{"HTTPS_PROXY": "http://p:3128"}}, server, "http://p:3128 (environment HTTPS_PROXY)", ""},
		{"lower case", Options{Env: map[string]string{"https_proxy": "p:3128"}}, server, "http://p:3128 (environment HTTPS_PROXY)", ""},
		{"name and password are not shown", Options{Env: map[string]string{"HTTPS_PROXY": "http://alex:hunter2@p:3128"}}, server, "http://p:3128 (environment HTTPS_PROXY)", ""},
		{"HTTP_PROXY is not for https", Options{Env: map[string]string{"HTTP_PROXY": "http://p:3128"}}, server, "direct (default)", ""},
		{"NO_PROXY", Options{Env: map[string]string{"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".example.org"}}, server, "direct (environment NO_PROXY, or this computer itself)", ""},
		{"NO_PROXY of others", Options{Env: map[string]string{"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "example.net"}}, server, "http://p:3128 (environment HTTPS_PROXY)", ""},
		{"this computer itself", Options{Env: map[string]string{"HTTPS_PROXY": "http://p:3128"}}, "https://127.0.0.1", "direct (environment NO_PROXY, or this computer itself)", ""},
		{"bad environment", Options{Env: map[string]string{"HTTPS_PROXY": "http://alex:hunter2@%zz"}}, server, "", "environment HTTPS_PROXY: not an address of a proxy"},
		{"environment of another kind", Options{Env: map[string]string{"HTTPS_PROXY": "ftp://p:21"}}, server, "", "environment HTTPS_PROXY: not an address of a proxy"},
		{"the setting goes first", Options{Setting: "http://s:1", Origin: "policy", Env: map[string]string{"HTTPS_PROXY": "http://p:3128"}}, server, "http://s:1 (setting Proxy, policy)", ""},
		{"direct by setting", Options{Setting: "direct", Origin: "policy", Env: map[string]string{"HTTPS_PROXY": "http://p:3128"}}, server, "direct (setting Proxy, policy)", ""},
		{"the environment goes before the system", Options{Env: map[string]string{"HTTPS_PROXY": "http://p:3128"}, System: &fakeSystem{}}, server, "http://p:3128 (environment HTTPS_PROXY)", ""},
		{"the system", Options{System: &fakeSystem{proxy: "http://w:8080"}}, server, "http://w:8080 (fake)", ""},
		{"a system that fails", Options{System: &fakeSystem{err: errors.New("no")}}, server, "direct (default, because the system's settings could not be read: no)", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.Clock = clock.System
			choice, err := New(tc.opts).Find(t.Context(), address(t, tc.target))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %q without the password", err, tc.wantErr)
				}
				return
			}
			if err != nil || choice.String() != tc.want {
				t.Errorf("got %s, %v; want %s", choice, err, tc.want)
			}
		})
	}
}

// fakeSystem is a system with one proxy; it counts the questions.
type fakeSystem struct {
	proxy string
	err   error
	asked int
}

func (s *fakeSystem) Find(context.Context, *url.URL) (Choice, error) {
	s.asked++
	u, _ := url.Parse(s.proxy)
	return Choice{URL: u, Origin: "fake"}, s.err
}

func TestTheSystemIsAskedOnceInAWhile(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	system := &fakeSystem{proxy: "http://w:8080"}
	find := New(Options{System: system, Clock: func() time.Time { return now }}).Func()
	ask := func(target string) {
		t.Helper()
		u, err := find((&http.Request{URL: address(t, target)}).WithContext(t.Context()))
		if err != nil || u.Host != "w:8080" {
			t.Fatalf("got %v, %v", u, err)
		}
	}
	ask("https://a/1")
	ask("https://a/2")
	if system.asked != 1 {
		t.Errorf("asked %d times for one host, want 1", system.asked)
	}
	ask("https://b/")
	now = now.Add(keepFor + time.Second)
	ask("https://a/3")
	if system.asked != 3 {
		t.Errorf("asked %d times, want 3: another host, and again after a while", system.asked)
	}
}

// fakeWinHTTP is a Windows with these settings; resolve answers for WPAD ("") and PAC files.
type fakeWinHTTP struct {
	settings userSettings
	resolve  map[string]string
	block    chan struct{}
}

func (f fakeWinHTTP) Settings() (userSettings, error) {
	if f.block != nil {
		<-f.block
	}
	return f.settings, nil
}

func (f fakeWinHTTP) Resolve(_ string, _ bool, pac string) (string, error) {
	list, ok := f.resolve[pac]
	if !ok {
		return "", errors.New("12180")
	}
	return list, nil
}

func TestWindowsSettings(t *testing.T) {
	const pac = "http://wpad.example.org/proxy.pac"
	for _, tc := range []struct {
		name string
		win  fakeWinHTTP
		want string
	}{
		{"nothing set", fakeWinHTTP{}, "direct (Windows settings)"},
		{"fixed proxy", fakeWinHTTP{settings: userSettings{Proxy: "p:8080"}}, "http://p:8080 (Windows settings)"},
		{"one per scheme", fakeWinHTTP{settings: userSettings{Proxy: "http=a:80;https=b:443;ftp=c:21"}}, "http://b:443 (Windows settings)"},
		{"only for http", fakeWinHTTP{settings: userSettings{Proxy: "http=a:80"}}, "direct (Windows settings)"},
		{"bypass by pattern", fakeWinHTTP{settings: userSettings{Proxy: "p:8080", Bypass: "10.*;*.Example.org"}}, "direct (Windows settings)"},
		{"bypass of others", fakeWinHTTP{settings: userSettings{Proxy: "p:8080", Bypass: "<local>; *.example.net [bad"}}, "http://p:8080 (Windows settings)"},
		{"PAC file", fakeWinHTTP{settings: userSettings{PAC: pac}, resolve: map[string]string{pac: "p1:8080;p2:8080"}}, "http://p1:8080 (Windows settings, PAC file)"},
		{"PAC file says direct", fakeWinHTTP{settings: userSettings{PAC: pac, Proxy: "p:1"}, resolve: map[string]string{pac: ""}}, "direct (Windows settings, PAC file)"},
		{"WPAD goes first", fakeWinHTTP{settings: userSettings{Detect: true, PAC: pac}, resolve: map[string]string{"": "w:1", pac: "p:1"}}, "http://w:1 (Windows settings, WPAD)"},
		{"no WPAD, then PAC", fakeWinHTTP{settings: userSettings{Detect: true, PAC: pac}, resolve: map[string]string{pac: "p:1"}}, "http://p:1 (Windows settings, PAC file)"},
		{"away from the network", fakeWinHTTP{settings: userSettings{Detect: true, PAC: pac}}, "direct (Windows settings; Windows settings, PAC file did not answer)"},
		{"without port", fakeWinHTTP{settings: userSettings{Proxy: "http://p"}}, "http://p:80 (Windows settings)"},
		{"nonsense", fakeWinHTTP{settings: userSettings{Proxy: "socks=s:1; = ;%zz;ftp://x"}}, "direct (Windows settings)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			choice, err := windowsSystem{tc.win}.Find(t.Context(), address(t, "https://print.example.org:8443/x"))
			if err != nil || choice.String() != tc.want {
				t.Errorf("got %s, %v; want %s", choice, err, tc.want)
			}
		})
	}
}

func TestBypassed(t *testing.T) {
	for host, want := range map[string]bool{
		"print": true, "print.example.org": false, "127.0.0.1": true, "::1": true, "localhost": true, "10.1.2.3": true, "11.1.2.3": false, "fd00::1": false,
	} {
		if got := bypassed("<local>;10.*", host); got != want {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
}

func TestASlowWindowsDoesNotHoldUsUp(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := (windowsSystem{fakeWinHTTP{block: block}}).Find(ctx, address(t, "https://x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func FuzzPick(f *testing.F) {
	f.Add("http=a:80;https=b:443", "*.x;<local>", "print.example.org")
	f.Fuzz(func(t *testing.T, list, bypass, host string) {
		_ = bypassed(bypass, host)
		if u := pick(list, "https"); u != nil && (u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https")) {
			t.Errorf("picked %v from %q", u, list)
		}
	})
}
