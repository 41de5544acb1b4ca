package enrol

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

const (
	pin1 = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	pem1 = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
)

// linux is a computer with these files.
func linux(files map[string]string) sources.Computer {
	tree := fstest.MapFS{}
	for path, text := range files {
		tree[strings.TrimPrefix(path, "/")] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
	}
	read := func(path string) ([]byte, error) {
		text, err := tree.ReadFile(strings.TrimPrefix(path, "/"))
		if string(text) == "DENIED" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return text, err
	}
	return sources.Computer{
		GOOS: "linux", ReadShared: read, ReadSecret: read,
		// None of these may count.
		Env: map[string]string{"PLATEN_SERVER_URL": "https://env.example.org"}, Flags: map[string]string{"server-url": "https://flag.example.org"},
		Config: "/home/alex/.config",
		Stat:   func(path string) (fs.FileInfo, error) { return tree.Stat(strings.TrimPrefix(path, "/")) },
	}
}

func TestE9_WhatTheComputersSettingsWant(t *testing.T) {
	for name, tc := range map[string]struct {
		files                map[string]string
		url, origin, ca      string
		pins                 int
		token, proxy         string
		unclear, note, notes string
	}{
		"nothing": {},
		"a user's file is nobody's": {
			files: map[string]string{"/home/alex/.config/platen/platen.conf": "ServerURL=https://user.example.org"},
		},
		"server and pins": {
			files: map[string]string{"/etc/platen/platen.conf": "ServerURL=https://Print.example.org:443/\nCAPin=" + pin1 + "," + pin1},
			url:   "https://print.example.org", origin: "machine file /etc/platen/platen.conf:1", pins: 2,
		},
		"the policy is stronger": {
			files: map[string]string{"/etc/platen/platen.conf": "ServerURL=https://a.example.org\nProxy=direct", "/etc/platen/policy.conf": "ServerURL=https://b.example.org:8443"},
			url:   "https://b.example.org:8443", origin: "policy /etc/platen/policy.conf:1", proxy: "direct",
		},
		"a site's package": {
			files: map[string]string{"/etc/platen/site.conf": "ServerURL=https://a.example.org\nCAFile=/etc/platen/ca.pem", "/etc/platen/ca.pem": pem1},
			url:   "https://a.example.org", origin: "site file /etc/platen/site.conf:1", ca: pem1,
		},
		"not wanted": {
			files: map[string]string{"/etc/platen/policy.conf": "Enrol=no", "/etc/platen/platen.conf": "ServerURL=https://a.example.org\nProxy=http://proxy.example.org:3128", "/etc/platen/enrolment.token": "canary"},
			proxy: "http://proxy.example.org:3128",
		},
		"a token": {
			files: map[string]string{"/etc/platen/enrolment.token": " canary\n"}, token: "canary",
		},
		"a token that others can read": {
			files: map[string]string{"/etc/platen/platen.conf": "ServerURL=https://a.example.org", "/etc/platen/enrolment.token": "DENIED"},
			url:   "https://a.example.org", origin: "machine file /etc/platen/platen.conf:1", note: "enrolment.token", notes: "it is not used",
		},
		"a bad address": {
			files:   map[string]string{"/etc/platen/policy.conf": "ServerURL=http://a.example.org", "/etc/platen/platen.conf": "ServerURL=https://weaker.example.org"},
			unclear: "setting ServerURL=http://a.example.org (policy /etc/platen/policy.conf:1): plain http is never used", notes: "plain http",
		},
		"a bad pin": {files: map[string]string{"/etc/platen/platen.conf": "ServerURL=https://a.example.org\nCAPin=sha256/x"}, unclear: "is not a pin", notes: "is not a pin"},
		"a password in an address": {
			files:   map[string]string{"/etc/platen/platen.conf": "ServerURL=https://alex:canary@a.example.org\nProxy=http://alex:canary@proxy.example.org"},
			unclear: "must not hold a user name or password", notes: "Proxy=http://***@proxy.example.org",
		},
		"an invisible letter": {files: map[string]string{"/etc/platen/platen.conf": "ServerURL=https://a\u200b.example.org"}, unclear: "U+200B", notes: "U+200B"},
		"a CA that is missing": {
			files:   map[string]string{"/etc/platen/platen.conf": "ServerURL=https://a.example.org\nCAFile=/etc/platen/ca.pem"},
			unclear: "setting CAFile=/etc/platen/ca.pem (machine file /etc/platen/platen.conf:2): cannot be used", notes: "CAFile",
		},
		"a policy that cannot be read": {
			files:   map[string]string{"/etc/platen/policy.conf": "DENIED", "/etc/platen/platen.conf": "ServerURL=https://weaker.example.org"},
			unclear: "policy /etc/platen/policy.conf", notes: "cannot be read",
		},
		"bad small things": {
			files: map[string]string{"/etc/platen/platen.conf": "Enrol=perhaps\nProxy=socks5://x\nServerURL=https://a.example.org\nServerUrll=x"},
			url:   "https://a.example.org", origin: "machine file /etc/platen/platen.conf:3", notes: "did you mean ServerURL",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := Read(t.Context(), linux(tc.files))
			if w.Wish.ServerURL != tc.url || w.Wish.Origin != tc.origin || w.Wish.CA != tc.ca || len(w.Wish.Pins) != tc.pins || w.Wish.Token.Reveal() != tc.token || w.Proxy != tc.proxy {
				t.Errorf("got %+v", w)
			}
			if (w.Unclear != nil) != (tc.unclear != "") || w.Unclear != nil && !strings.Contains(w.Unclear.Error(), tc.unclear) {
				t.Errorf("unclear: %v", w.Unclear)
			}
			if notes := strings.Join(w.Notes, "\n"); (notes != "") != (tc.notes != "") || !strings.Contains(notes, tc.notes) || !strings.Contains(w.Wish.Note, tc.note) || strings.Contains(notes, "canary") {
				t.Errorf("notes %q, note %q", notes, w.Wish.Note)
			}
		})
	}
}

// registry is a Windows registry.
type registry map[string]map[string]string

func (r registry) Values(key string) (map[string]string, error) { return r[key], nil }

func TestE9_TheTokenComesByPolicyOfEachSystem(t *testing.T) {
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	closed := false
	windows := sources.Computer{
		GOOS: "windows", ReadShared: none, CloseKey: func(string) string { closed = true; return "every user could read it" },
		Registry: registry{
			settings.RegistryDeploy: {"EnrolmentToken": " canary "}, settings.RegistryPolicyUser: {"ServerURL": "https://hkcu.example.org"},
			settings.RegistryInstaller: {"InstallerFile": "platen--name.example.org.msi"},
		},
	}
	mac := sources.Computer{GOOS: "darwin", ReadShared: none, UserName: "alex", Plist: func(path string) ([]sources.Managed, error) {
		switch path {
		case "/Library/Managed Preferences/org.platenprint.deploy.plist":
			return []sources.Managed{{Name: "PayloadType", Text: "x"}, {Name: "EnrolmentToken", Text: "canary"}}, nil
		case "/Library/Managed Preferences/alex/org.platenprint.platen.plist":
			return []sources.Managed{{Name: "ServerURL", Text: "https://user.example.org"}}, nil
		}
		return nil, fs.ErrNotExist
	}}
	for name, c := range map[string]sources.Computer{"windows": windows, "mac": mac} {
		w := Read(t.Context(), c)
		if w.Wish.Token.Reveal() != "canary" || w.Wish.ServerURL != "" || w.Unclear != nil || len(w.Notes) != 1 || strings.Contains(w.Notes[0], "canary") {
			t.Errorf("%s: got %+v, token %q", name, w, w.Wish.Token.Reveal())
		}
	}
	if !closed {
		t.Error("the key was left open")
	}
}

func TestE9_SettingsAreReadEveryMinuteAndWhenAFileChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		files := map[string]string{}
		var changed time.Time
		values := map[string]string{"ServerURL": "https://a.example.org"}
		var log bytes.Buffer
		var got []string
		computer := linux(nil)
		computer.GOOS, computer.Registry = "windows", reading(func() map[string]string { mu.Lock(); defer mu.Unlock(); return values })
		computer.ReadShared = func(path string) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}
		computer.Stat = func(path string) (fs.FileInfo, error) {
			mu.Lock()
			defer mu.Unlock()
			if text, ok := files[path]; ok {
				return fstest.MapFS{"f": {Data: []byte(text), ModTime: changed}}.Stat("f")
			}
			return nil, fs.ErrNotExist
		}
		ctx, cancel := context.WithCancel(t.Context())
		run := Watch(ctx, Options{Computer: computer, Logger: slog.New(slog.NewTextHandler(&log, nil)), Apply: func(w Wanted) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, w.Wish.ServerURL)
		}})
		done := make(chan struct{})
		go func() { defer close(done); run() }()
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			got = nil
		}
		expect("at once", "https://a.example.org")
		time.Sleep(59 * time.Second)
		expect("before a minute is over")
		mu.Lock()
		values = map[string]string{"ServerURL": "https://b.example.org", "Enroll": "no"}
		mu.Unlock()
		time.Sleep(2 * time.Second)
		expect("after a minute", "https://b.example.org")
		mu.Lock()
		files[`\Platen\platen.conf`], changed = "ServerURL=https://c.example.org", time.Now()
		mu.Unlock()
		time.Sleep(6 * time.Second)
		expect("a new file", "https://c.example.org")
		mu.Lock()
		files[`\Platen\platen.conf`], changed = "ServerURL=https://d.example.org", time.Now() // as long as the one before
		mu.Unlock()
		time.Sleep(6 * time.Second)
		expect("a changed file", "https://d.example.org")
		time.Sleep(5 * time.Minute)
		expect("nothing new", slices.Repeat([]string{"https://d.example.org"}, 5)...)
		if n := strings.Count(log.String(), "did you mean Enrol"); n != 1 {
			t.Errorf("a mistake was logged %d times:\n%s", n, log.String())
		}
		cancel()
		<-done
	})
}

func TestAFileThatIsBeingWrittenIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		text, changed := "ServerURL=https://a.example.org", time.Now()
		write := func(now string) {
			mu.Lock()
			defer mu.Unlock()
			text, changed = now, time.Now()
		}
		tree := func() fstest.MapFS {
			mu.Lock()
			defer mu.Unlock()
			return fstest.MapFS{"etc/platen/platen.conf": {Data: []byte(text), ModTime: changed}}
		}
		computer := linux(nil)
		computer.ReadShared = func(path string) ([]byte, error) { return tree().ReadFile(strings.TrimPrefix(path, "/")) }
		computer.Stat = func(path string) (fs.FileInfo, error) { return tree().Stat(strings.TrimPrefix(path, "/")) }
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		run := Watch(ctx, Options{Computer: computer, Logger: slog.New(slog.DiscardHandler), Apply: func(w Wanted) { got = append(got, w.Wish.ServerURL) }})
		done := make(chan struct{})
		go func() { defer close(done); run() }()
		time.Sleep(4900 * time.Millisecond) // it is looked at after five seconds
		write("ServerURL=https://b.exam")
		time.Sleep(600 * time.Millisecond)
		write("ServerURL=https://b.example.org")
		time.Sleep(4 * time.Second)
		for range 200 { // somebody who never ends writing is not waited for for ever
			write("ServerURL=https://c.example.org")
			time.Sleep(500 * time.Millisecond)
		}
		cancel()
		<-done
		if diff := cmp.Diff([]string{"https://a.example.org", "https://b.example.org", "https://c.example.org"}, got); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	})
}

// reading is a registry whose installer's key changes. Unknown names there are the installer's own, so they are in the policy's.
type reading func() map[string]string

func (r reading) Values(key string) (map[string]string, error) {
	switch key {
	case settings.RegistryInstaller:
		return r(), nil
	case settings.RegistryPolicyMachine:
		values := map[string]string{}
		if mistake, ok := r()["Enroll"]; ok {
			values["Enroll"] = mistake
		}
		return values, nil
	case settings.RegistryDeploy:
		return nil, nil
	}
	if strings.HasPrefix(key, "HKCU") {
		return nil, errors.New("a person's key was read")
	}
	return nil, nil
}
