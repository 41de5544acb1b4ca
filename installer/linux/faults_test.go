//go:build linux

package linux

import (
	"strconv"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// dpkg and rpm are killed at the very moment at which they put a file into place.
func TestAnUpgradeKilledHalfWayIsFinishedByTheNext(t *testing.T) {
	testenv.Program(t, "strace", "strace")
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	for family, c := range map[string]struct {
		whens                          []int
		install, upgrade, mend, remove []string
	}{
		deb: {
			[]int{1, 8, 30},
			[]string{"dpkg", "-i", "--force-depends", old.deb},
			[]string{"dpkg", "-i", "--force-depends", young.deb},
			[]string{"dpkg", "-i", "--force-depends", young.deb},
			[]string{"dpkg", "-P", "platen"},
		},
		rpm: {
			[]int{1, 12},
			[]string{"rpm", "-U", "--nodeps", old.rpm},
			[]string{"rpm", "-U", "--nodeps", young.rpm},
			// In another second: rpm calls what it has not finished by the time.
			[]string{"sh", "-c", "sleep 1.1; exec rpm -U --nodeps --replacepkgs " + young.rpm},
			[]string{"rpm", "-e", "--nodeps", "platen"},
		},
	} {
		for _, when := range c.whens {
			m.run(c.install...)
			m.write("/etc/platen/platen.conf", "Language=de\n", 0o644)
			out, err := m.try(append([]string{"strace", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat", "-e", "inject=rename,renameat:signal=KILL:when=" + strconv.Itoa(when)}, c.upgrade...)...)
			if err == nil {
				t.Fatalf("%s was not killed at file %d:\n%s", family, when, out)
			}
			if got, err := m.try("/usr/bin/platen", "version"); err != nil || got != older+"\n" && got != younger+"\n" {
				t.Errorf("%s killed at file %d: platen is neither the old nor the new one: %q, %v", family, when, got, err)
			}
			m.run(c.mend...)
			if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
				t.Errorf("%s killed at file %d and run again: version %q", family, when, got)
			}
			if got := m.read("/etc/platen/platen.conf"); got != "Language=de\n" {
				t.Errorf("%s killed at file %d: the settings are %q", family, when, got)
			}
			if !m.exists(wants) {
				t.Errorf("%s killed at file %d: the service does not start with the computer", family, when)
			}
			m.run("find", "/usr", "/etc", "-xdev", "-name", "*;????????", "-delete") // what the killed rpm had not finished
			m.run(c.remove...)
			if left := m.changed(); len(left) > 0 {
				t.Fatalf("%s killed at file %d; removing left:\n%s", family, when, strings.Join(left, "\n"))
			}
		}
	}
}

func TestRpmLooksForRoomFirst(t *testing.T) {
	m := newMachine(t, "64m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.run("rpm", "-i", "--nodeps", old.rpm)
	_, _ = m.try("dd", "if=/dev/zero", "of=/root/full", "bs=4096")
	m.run("truncate", "-s", "-1M", "/root/full")
	if out, err := m.try("rpm", "-U", "--nodeps", young.rpm); err == nil || !strings.Contains(out, "needs") {
		t.Errorf("got %v:\n%s", err, out)
	}
	if got := m.run("/usr/bin/platen", "version"); got != older+"\n" {
		t.Errorf("version: %q", got)
	}
	m.run("rm", "/root/full")
	m.run("rpm", "-U", "--nodeps", young.rpm)
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version with room again: %q", got)
	}
}

// A release comes after its candidates, and an older package does not replace a newer one unasked.
func TestVersionsGoForwardOnly(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.run("dpkg", "--compare-versions", "1.1.0~rc.1", "lt", "1.1.0")
	m.run("dpkg", "--compare-versions", "1.1.0~rc.1", "gt", older)
	if got := m.run("rpm", "--eval", `%{lua: print(rpm.vercmp("1.1.0~rc.1", "1.1.0"), rpm.vercmp("1.1.0~rc.1", "1.0.0"))}`); strings.Join(strings.Fields(got), " ") != "-1 1" {
		t.Errorf("rpm compares: %s", got)
	}
	m.run("rpm", "-i", "--nodeps", young.rpm)
	if out, err := m.try("rpm", "-U", "--nodeps", old.rpm); err == nil || !strings.Contains(out, "newer") {
		t.Errorf("rpm: %v\n%s", err, out)
	}
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version: %q", got)
	}
}

// With apt, dpkg's real lists and the dependencies looked at.
func TestE9_AptInstallsAndPurges(t *testing.T) {
	m := newDebian(t)
	client, server, old := clientOf(t, m, younger), serverOf(t, m, younger), clientOf(t, m, older)
	apt := []string{"apt-get", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"}
	out := m.run(append(apt, "install", client.deb, server.deb)...)
	m.want("installation", "systemctl --quiet --system start platen-server.service", "systemctl --quiet --system start platen-deploy.service")
	for _, word := range []string{"error", "warning", "dpkg:"} {
		if strings.Contains(strings.ToLower(out), word) {
			t.Errorf("apt says:\n%s", out)
		}
	}
	if audit := m.run("dpkg", "--audit"); audit != "" {
		t.Errorf("dpkg says: %s", audit)
	}
	if changed := m.run("dpkg", "--verify", "platen", "platen-server"); changed != "" {
		t.Errorf("dpkg --verify says:\n%s", changed)
	}
	if out, err := m.try(append(apt, "install", old.deb)...); err == nil || !strings.Contains(out, "downgraded") {
		t.Errorf("an older package: %v\n%s", err, out)
	}
	m.used()
	kept := m.person("alex", 1500, "/srv/alex")
	m.run(append(apt, "purge", "platen")...)
	m.want1(false, kept...)
	for _, path := range []string{"/usr/bin/platen", "/etc/platen", "/var/lib/platen-deploy", "/var/log/platen-deploy", autostart} {
		if m.exists(path) {
			t.Errorf("purging left %s", path)
		}
	}
}
