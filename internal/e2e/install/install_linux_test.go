package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/linux"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/server"
)

// noMounts is why this computer cannot show another one.
var noMounts error

func TestMain(m *testing.M) {
	flag.Parse()
	noMounts = stage.OwnMounts() // does not return where it is possible, but in a process that has them
	os.Exit(m.Run())
}

// need stops a test that is not possible here.
func need(t *testing.T) {
	t.Helper()
	for program, pkg := range map[string]string{
		"dpkg-deb": "dpkg", "rpmbuild": "rpm", "slapd": "slapd", "sssd": "sssd-common", "Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool",
		"gnome-keyring-daemon": "gnome-keyring", "dbus-daemon": "dbus",
	} {
		testenv.Program(t, program, pkg)
	}
	if noMounts == nil {
		return
	}
	if os.Getenv(testenv.RequireAll) == "1" {
		t.Fatal(noMounts)
	}
	t.Skip(noMounts)
}

// buildPackage makes the deb, of the real programs; the window, which needs a C compiler and is not opened here, has a stand-in.
func buildPackage(t *testing.T) string {
	t.Helper()
	programs, out := t.TempDir(), t.TempDir()
	standIn := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(standIn, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{"platen": "../../../client", "platen-deploy": "../../../printqueue", "platen-window": standIn} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", filepath.Join(programs, name), source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v: %s", name, err, said)
		}
	}
	release, err := product.Parse("1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	release.Time = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	files, err := linux.Client(t.Context(), product.Input{
		Release: release, Arch: runtime.GOARCH, Programs: programs, Assets: "../../../assets", Docs: "../../../docs", License: "../../../LICENSE", Out: out,
	})
	i := slices.IndexFunc(files, func(f string) bool { return strings.HasSuffix(f, ".deb") })
	if err != nil || i < 0 {
		t.Fatalf("build the package: %v, %v", files, err)
	}
	return files[i]
}

// site is a running server.
type site struct {
	admin  *admin.Client
	status admin.Status
	log    lockedBuffer
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var (
	alex = stage.Account{Name: "alex.test", Full: "Alex Test", UID: 471100}
	sam  = stage.Account{Name: "sam.okafor", Full: "Sam Okafor", UID: 471101}
)

const (
	balance  = "12.34"
	loopback = "127.0.0.1:0"
)

// startSite starts a server that knows alex and sam, who have some money. Its configuration gets more lines as they stand.
func startSite(t *testing.T, listen string, more string) *site {
	t.Helper()
	root, err := os.MkdirTemp("", "pt") //nolint:usetesting // t.TempDir has the test's name in it, too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	s := &site{admin: admin.NewClient(filepath.Join(root, "data"))}
	people := "id,upn,nickname,display_name\n1,alex.test@example.org,alex.test,Alex Test\n2,sam.okafor@example.org,sam.okafor,Sam Okafor\n"
	settings := "upn_suffix: example.org\nsign_in:\n  modes: [trust, prompt]\ndirectories:\n  - id: sample\n    type: csv\n    path: people.csv\n" + more
	if err := errors.Join(os.WriteFile(filepath.Join(root, "people.csv"), []byte(people), 0o600),
		os.WriteFile(filepath.Join(root, "platen-server.yaml"), []byte(settings), 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		done <- server.Run(ctx, server.Options{
			Data: filepath.Join(root, "data"), Out: &s.log, Log: &s.log, Clock: clock.System, Ready: func() { close(ready) },
			Sources: config.Sources{File: filepath.Join(root, "platen-server.yaml"), Flags: map[string]string{
				"listen": listen, "admin_listen": "off", "device_listen": "127.0.0.1:0",
			}},
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatal("the server does not start")
	}
	call(t, s, admin.VerbStatus, admin.Nothing{}, &s.status)
	if err := stage.Until(ctx, time.Minute, "the people", func() (bool, string) {
		var found admin.Users
		err := s.admin.Call(ctx, admin.VerbUserList, admin.UserList{}, &found, nil)
		return err == nil && len(found.Users) == 2, fmt.Sprint(found, err)
	}); err != nil {
		t.Fatal(err)
	}
	for _, account := range []stage.Account{alex, sam} {
		call(t, s, admin.VerbUserCredit, admin.UserCredit{User: account.Name + "@example.org", Amount: balance, Comment: "test", Key: account.Name}, &admin.Receipt{})
	}
	return s
}

func call(t *testing.T, s *site, verb string, in, out any) {
	t.Helper()
	if err := s.admin.Call(t.Context(), verb, in, out, nil); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
}

// computer is the workstation of all tests: the mounts of a process are made once.
type computer struct {
	here     *stage.Place
	packages *stage.Packages
	deb      string
}

func TestE9_pain8_OnePackage(t *testing.T) {
	need(t)
	c := &computer{deb: buildPackage(t)}
	logs := t.TempDir()
	here, err := stage.NewPlace("", logs)
	if err != nil {
		t.Fatal(err)
	}
	c.here = here
	t.Cleanup(func() {
		var err error
		if c.packages != nil {
			err = c.packages.Close()
		}
		if err := errors.Join(err, here.CleanUp()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, name := range []string{"platen-deploy", "platen-alex.test", "sssd"} {
				text, _ := os.ReadFile(filepath.Join(logs, name+".log"))
				t.Logf("%s:\n%.4000s", name, text)
			}
		}
	})
	if c.packages, err = here.PackagedWorkstation(t.Context(), alex, sam); err != nil {
		t.Fatal(err)
	}
	t.Run("E9 from dpkg -i to a signed-in balance, with a server's name, its pin and an approval", c.fromNothing)
	t.Run("E9 three servers, and not a byte of it is another", c.threeServers)
	t.Run("E9 a server that only the network names, which the person confirms", c.discovered)
}

func (c *computer) rollOut(s *site) stage.RollOut {
	return stage.RollOut{
		Package: c.deb, URL: s.status.Addresses[0], Pin: s.status.CAPin, Suffix: "example.org", Server: s.admin, Account: alex, Balance: balance, Restart: true,
	}
}

func (c *computer) fromNothing(t *testing.T) {
	s := startSite(t, loopback, "")
	ctx := t.Context()
	n, err := c.here.Install(ctx, c.packages, c.rollOut(s), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return n.Ask(ctx) },
		func() error { return n.Approve(ctx, "127.0.0.0/8") },
		func() error { return n.LogOn(ctx) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("dpkg -i %v, in the queue after %v, enrolled %v after the approval, balance %v after the log-on; all of it %v",
		n.Installed.Round(time.Millisecond), n.Asked.Round(time.Millisecond), n.Enrolled.Round(time.Millisecond), n.Balance.Round(time.Millisecond), n.Total().Round(time.Millisecond))
	var d admin.DeviceDetails
	list := admin.Devices{}
	call(t, s, admin.VerbDeviceList, admin.DeviceList{}, &list)
	if len(list.Devices) != 1 || list.Devices[0].Status != "enrolled" || !slices.Equal(list.Devices[0].Users, []string{"alex.test@example.org"}) {
		t.Fatalf("the server has %+v", list)
	}
	call(t, s, admin.VerbDeviceShow, admin.DeviceRef{Device: list.Devices[0].ID}, &d)
	if d.Sessions != 1 || d.TokenID != "" {
		t.Errorf("the device: %+v", d)
	}
	if said, err := n.Login.Command(ctx, n.Env, "", "/usr/bin/platen", "status", "--json"); err != nil || !strings.Contains(said, `"auth_mode":"trust"`) && !strings.Contains(said, `"auth_mode": "trust"`) {
		t.Errorf("not signed in by trust: %s, %v", said, err)
	}

	t.Run("upgraded while the person is logged on", func(t *testing.T) { c.upgrade(t, n) })

	// Removed while the person is logged on.
	if _, err := c.packages.Dpkg(ctx, "-r", "platen"); err != nil {
		t.Fatal(err)
	}
	if err := stage.Until(ctx, 30*time.Second, "the end of the resident", func() (bool, string) { return n.Client.Ended(), "it runs" }); err != nil {
		t.Error(err)
	}
	if err := n.StopService(); err != nil { // as prerm does where systemd runs
		t.Error(err)
	}
	for _, path := range []string{"/etc/platen/platen.conf", "/var/lib/platen-deploy"} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("removing is not purging: %v", err)
		}
	}
	c.purge(t)
	t.Logf("of the person, after removal: %v", below(t, n.Login.Home))
}

// upgrade installs the next version: whoever is logged on goes on with the new program, without signing in again.
func (c *computer) upgrade(t *testing.T, n *stage.Newcomer) {
	ctx := t.Context()
	parts, next := filepath.Join(t.TempDir(), "parts"), filepath.Join(t.TempDir(), "next.deb")
	control := filepath.Join(parts, "DEBIAN", "control")
	if _, err := stage.Command(ctx, nil, "", "/usr/bin/dpkg-deb", "-R", c.deb, parts); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(control)
	if err != nil || !bytes.Contains(text, []byte("Version: 1.0.0\n")) {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := os.WriteFile(control, bytes.Replace(text, []byte("Version: 1.0.0\n"), []byte("Version: 1.0.1\n"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Command(ctx, nil, "", "/usr/bin/dpkg-deb", "-Znone", "-b", parts, next); err != nil {
		t.Fatal(err)
	}
	settings := read(t, "/etc/platen/platen.conf")
	before := program(t, n.Client.PID())
	if said, err := c.packages.Dpkg(ctx, "-i", next); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if read(t, "/etc/platen/platen.conf") != settings {
		t.Error("the upgrade changed the settings")
	}
	if err := stage.Until(ctx, time.Minute, "the resident to be the new program", func() (bool, string) {
		if n.Client.Ended() {
			return false, "it has ended"
		}
		now := program(t, n.Client.PID())
		return now != before && !strings.HasSuffix(now, "(deleted)"), now
	}); err != nil {
		t.Fatal(err)
	}
	if err := n.UntilBalance(ctx); err != nil {
		t.Error(err)
	}
}

// program tells which file a process runs: its path and its number on the disk.
func program(t *testing.T, pid int) string {
	t.Helper()
	link := fmt.Sprintf("/proc/%d/exe", pid)
	path, err := os.Readlink(link)
	if err != nil {
		return err.Error()
	}
	info, err := os.Stat(link)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", info.Sys().(*syscall.Stat_t).Ino, path)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// purge takes everything away and wants nothing to be left.
func (c *computer) purge(t *testing.T) {
	t.Helper()
	if said, err := c.packages.Dpkg(t.Context(), "-P", "platen"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	left, err := c.packages.Left()
	if err != nil {
		t.Fatal(err)
	}
	// /run is memory; systemd removes its folder with the service.
	left = slices.DeleteFunc(left, func(path string) bool { return strings.HasPrefix(path, "/run/") })
	if len(left) > 0 {
		t.Errorf("purging left:\n%s", strings.Join(left, "\n"))
	}
}

func below(t *testing.T, dir string) (found []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, "platen") {
			found = append(found, strings.TrimPrefix(path, dir))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	return found
}

// threeServers rolls the same file out for three organisations, each with its own way to say which server.
func (c *computer) threeServers(t *testing.T) {
	sum := hashOf(t, c.deb)
	var sites []*site
	for range 3 {
		sites = append(sites, startSite(t, loopback, ""))
	}
	for i, file := range []string{"/etc/platen/platen.conf", "/etc/platen/site.conf", "/etc/platen/policy.conf"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			n, err := c.here.Install(t.Context(), c.packages, c.rollOut(sites[i]), file)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Ask(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := n.Approve(t.Context(), "127.0.0.0/8"); err != nil {
				t.Fatal(err)
			}
			var at []string
			for j, s := range sites {
				var list admin.Devices
				call(t, s, admin.VerbDeviceList, admin.DeviceList{}, &list)
				for _, d := range list.Devices {
					at = append(at, fmt.Sprint(j, d.Status))
				}
			}
			var want []string
			for j := range i + 1 {
				want = append(want, fmt.Sprint(j, "enrolled"))
			}
			if diff := cmp.Diff(want, at); diff != "" {
				t.Errorf("the computer is known at (-want +got):\n%s", diff)
			}
			said, err := stage.Command(t.Context(), nil, "", "/usr/bin/platen", "config")
			if err != nil || !lineWith(said, "ServerURL", sites[i].status.Addresses[0], file) {
				t.Errorf("the settings do not come from %s: %v\n%s", file, err, said)
			}
			if err := n.StopService(); err != nil {
				t.Error(err)
			}
			if strings.HasSuffix(file, "site.conf") { // that of a package of the site's own
				if err := os.Remove(file); err != nil {
					t.Error(err)
				}
			}
			c.purge(t)
		})
	}
	if hashOf(t, c.deb) != sum {
		t.Error("the package was changed")
	}
}

func hashOf(t *testing.T, file string) [32]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}

// lineWith tells whether a line has all these words.
func lineWith(text string, words ...string) bool {
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return true
		}
	}
	return false
}
