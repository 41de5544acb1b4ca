package deploykit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dpkg runs one of dpkg's programs.
func dpkg(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func configDeb(t *testing.T, url string, later time.Duration) (path string, k *Kit) {
	t.Helper()
	o := site()
	o.ServerURL, o.Time = url, made.Add(later)
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kit")
	if _, err := k.Write(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "linux", k.configPackageFile()), k
}

func TestE9_DpkgReadsTheConfigPackage(t *testing.T) {
	path, _ := configDeb(t, "https://print.example.org:8443", 0)
	golden(t, "control.golden", []byte(dpkg(t, "dpkg-deb", "--field", path)))
	golden(t, "contents.golden", []byte(dpkg(t, "dpkg-deb", "--contents", path)))
	dir := t.TempDir()
	dpkg(t, "dpkg-deb", "--raw-extract", path, dir)
	for name, want := range map[string]string{"etc/platen/site.conf": read(t, filepath.Dir(filepath.Dir(path)), "linux/site.conf")} {
		if diff := cmp.Diff(want, read(t, dir, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	dpkg(t, "sh", "-c", `cd "$1" && md5sum --strict -c DEBIAN/md5sums`, "sh", dir)
	if out := dpkg(t, "ar", "tv", path); strings.Count(out, "\n") != 3 {
		t.Errorf("members: %s", out)
	}
}

// The package is installed, upgraded by that of a later kit, replaced by another server's, and removed, on a system of its own.
func TestE9_DpkgInstallsTheConfigPackage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("dpkg installs as root only")
	}
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		return dpkg(t, "dpkg", append([]string{"--root=" + root, "--log=/dev/null", "--force-not-root", "--force-script-chrootless", "--force-bad-path", "--force-confold"}, args...)...)
	}
	conf := func() string { return read(t, root, "etc/platen/site.conf") }

	one, first := configDeb(t, "https://print.example.org:8443", 0)
	run("-i", one)
	if !strings.Contains(conf(), "\nServerURL=https://print.example.org:8443\nCAPin="+pin+"\n") {
		t.Errorf("site.conf is\n%s", conf())
	}
	two, _ := configDeb(t, "https://print.example.org:9443", time.Hour)
	run("-i", two)
	if !strings.Contains(conf(), "\nServerURL=https://print.example.org:9443\n") {
		t.Errorf("after the upgrade site.conf is\n%s", conf())
	}
	three, other := configDeb(t, "https://druck.example.org", 2*time.Hour)
	if out, err := exec.CommandContext(t.Context(), "dpkg", "--root="+root, "--log=/dev/null", "--force-not-root", "--force-bad-path", "-i", three).CombinedOutput(); err == nil {
		t.Errorf("two servers' packages are installed:\n%s", out) // apt takes the other away; dpkg wants to be told
	}
	run("-r", debNameOf(first.Host()))
	if _, err := os.Stat(filepath.Join(root, "etc/platen/site.conf")); !os.IsNotExist(err) {
		t.Errorf("the settings stay without their package: %v", err)
	}
	run("-i", three)
	if !strings.Contains(conf(), "\nServerURL=https://druck.example.org\n") {
		t.Errorf("with another server's package site.conf is\n%s", conf())
	}
	if out := run("-l"); strings.Contains(out, "ii  "+debNameOf(first.Host())) || !strings.Contains(out, "ii  "+debNameOf(other.Host())) {
		t.Errorf("installed are\n%s", out)
	}
	run("-P", debNameOf(other.Host()))
	if _, err := os.Stat(filepath.Join(root, "etc/platen/site.conf")); !os.IsNotExist(err) {
		t.Errorf("after the purge: %v", err)
	}
}

func TestNamesOfTheConfigPackage(t *testing.T) {
	for host, want := range map[string]string{
		"print.example.org": "platen-config-print.example.org", "PRINT": "platen-config-print", "print_1": "platen-config-print-1",
		"2001:db8::1": "platen-config-2001-db8-1", "::1": "platen-config-1", "fe80::1%eth0": "platen-config-fe80-1-eth0",
	} {
		if got := debNameOf(host); got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
}
