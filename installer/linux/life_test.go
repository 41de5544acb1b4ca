//go:build linux

package linux

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// pair is a deb and an rpm in a machine.
type pair struct{ deb, rpm string }

// The versions of the tests: what is there, and what comes after it.
const (
	older   = "1.0.0"
	younger = "1.1.0-rc.1"
)

func clientOf(t *testing.T, m *machine, version string) pair {
	t.Helper()
	debPath, rpmPath := built(t, "client", version, "amd64")
	return pair{m.copy(debPath), m.copy(rpmPath)}
}

func serverOf(t *testing.T, m *machine, version string) pair {
	t.Helper()
	debPath, rpmPath := built(t, "server", version, "amd64")
	return pair{m.copy(debPath), m.copy(rpmPath)}
}

const (
	wants     = "/etc/systemd/system/multi-user.target.wants/platen-deploy.service"
	autostart = "/etc/xdg/autostart/org.platenprint.platen.desktop"
)

// want compares what was called.
func (m *machine) want(step string, want ...string) {
	m.t.Helper()
	got := m.calls()
	got = slices.DeleteFunc(got, func(c string) bool { return strings.Contains(c, "daemon-reload") })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		m.t.Errorf("%s (-want +got):\n%s", step, diff)
	}
}

// used leaves behind what the service and administrators do.
func (m *machine) used() {
	m.t.Helper()
	m.write("/var/lib/platen-deploy/device.key", "key", 0o600)
	m.write("/var/log/platen-deploy/platen-deploy.log", "log", 0o600)
	m.write("/etc/platen/policy.conf", "HideBalance=yes\n", 0o644)
	m.write("/etc/platen/enrolment.token", "token\n", 0o600)
}

func TestE9_pain8_DpkgInstallsUpgradesRemovesAndPurgesTheClient(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)

	m.run("dpkg", "-i", "--force-depends", old.deb)
	if got := m.run("/usr/bin/platen", "version"); got != older+"\n" {
		t.Errorf("version: %q", got)
	}
	m.want("installation", "systemctl --quiet --system start platen-deploy.service")
	if !m.exists(wants) {
		t.Error("the service does not start with the computer")
	}
	if out := m.run("find", "/etc/platen", "/usr/bin/platen", "/usr/bin/platen-window", "/usr/bin/platen-deploy", autostart, "-not", "-user", "root", "-o", "-not", "-group", "root", "-o", "-perm", "/022", "-print"); out != "" {
		t.Errorf("somebody else than root can change:\n%s", out)
	}

	m.used()
	m.write("/etc/platen/platen.conf", "ServerURL=https://print.example.org:8443\n", 0o644)
	m.run("rm", autostart) // an administrator who wants no autostart
	out := m.run("dpkg", "-i", "--force-depends", young.deb)
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version after the upgrade: %q\n%s", got, out)
	}
	m.want("upgrade", "systemctl --quiet --system restart platen-deploy.service", "/usr/bin/platen-deploy clients restart")
	if got := m.read("/etc/platen/platen.conf"); got != "ServerURL=https://print.example.org:8443\n" {
		t.Errorf("the upgrade changed the settings: %q", got)
	}
	if m.exists(autostart) {
		t.Error("the upgrade brought the autostart back")
	}
	if got := m.read("/var/lib/platen-deploy/device.key"); got != "key" {
		t.Errorf("the key: %q", got)
	}

	m.run("dpkg", "-r", "platen")
	m.want("removal", "systemctl stop platen-deploy.service", "/usr/bin/platen-deploy clients stop")
	for _, path := range []string{"/etc/platen/platen.conf", "/etc/platen/policy.conf", "/var/lib/platen-deploy/device.key"} {
		if !m.exists(path) {
			t.Errorf("removing took %s", path)
		}
	}
	if m.exists("/usr/bin/platen") || m.exists("/usr/lib/systemd/system/platen-deploy.service") {
		t.Error("removing left programs")
	}
	m.run("dpkg", "-i", "--force-depends", young.deb) // and again, as it was
	if !m.exists(wants) || m.read("/etc/platen/platen.conf") != "ServerURL=https://print.example.org:8443\n" {
		t.Error("after a removal and an installation the settings or the service are gone")
	}
	m.calls()

	m.run("dpkg", "-P", "platen")
	m.want("purge", "systemctl stop platen-deploy.service", "/usr/bin/platen-deploy clients stop")
	if left := m.changed(); len(left) > 0 {
		t.Errorf("purging left:\n%s", strings.Join(left, "\n"))
	}
}

func TestDpkgPutsANewSettingsFileBesideAnEditedOne(t *testing.T) {
	m := newMachine(t, "256m")
	old := clientOf(t, m, older)
	m.run("dpkg", "-i", "--force-depends", old.deb)
	m.write("/etc/platen/platen.conf", "Language=de\n", 0o644)
	changed := repack(t, m, clientOf(t, m, younger).deb, "etc/platen/platen.conf", "# another text\n")
	out := m.run("dpkg", "-i", "--force-depends", "--force-confdef", "--force-confold", changed)
	if m.read("/etc/platen/platen.conf") != "Language=de\n" || m.read("/etc/platen/platen.conf.dpkg-dist") != "# another text\n" {
		t.Errorf("the edited file or the new one is not there:\n%s", out)
	}
	m.run("dpkg", "-P", "platen")
	if left := m.changed(); len(left) > 0 {
		t.Errorf("purging left:\n%s", strings.Join(left, "\n"))
	}
}

// repack makes a package with another text of one file, in the machine.
func repack(t *testing.T, m *machine, debFile, path, text string) string {
	t.Helper()
	m.run("dpkg-deb", "-R", debFile, "/root/unpacked")
	m.write("/root/unpacked/"+path, text, 0o644)
	m.run("dpkg-deb", "--root-owner-group", "-b", "/root/unpacked", "/root/changed.deb")
	return "/root/changed.deb"
}

func TestDpkgBrokenOffHalfWayIsMended(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.run("dpkg", "-i", "--force-depends", old.deb)
	m.calls()
	m.run("dpkg", "--unpack", "--force-depends", young.deb) // and then the power fails
	m.want("unpacked only")
	m.run("dpkg", "--configure", "-a", "--force-depends")
	m.want("configured", "systemctl --quiet --system restart platen-deploy.service", "/usr/bin/platen-deploy clients restart")
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version: %q", got)
	}
	// A first installation that was broken off is a first installation.
	m.run("dpkg", "-P", "platen")
	m.calls()
	m.run("dpkg", "--unpack", "--force-depends", young.deb)
	m.run("dpkg", "--configure", "-a", "--force-depends")
	m.want("first", "systemctl --quiet --system start platen-deploy.service")
}

func TestADiskThatIsFullLeavesTheOldVersionWorking(t *testing.T) {
	m := newMachine(t, "96m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.run("dpkg", "-i", "--force-depends", old.deb)
	m.calls()
	_, _ = m.try("dd", "if=/dev/zero", "of=/root/full", "bs=4096") // until there is no room
	m.run("truncate", "-s", "-1M", "/root/full")                   // dpkg's own notes have room, the programs have not
	out, err := m.try("dpkg", "-i", "--force-depends", young.deb)
	if err == nil || !strings.Contains(out, "No space left on device") {
		t.Fatalf("got %v:\n%s", err, out)
	}
	if got := m.run("/usr/bin/platen", "version"); got != older+"\n" {
		t.Errorf("version: %q", got)
	}
	if left, _ := m.try("find", "/usr/bin", "-name", "*.dpkg-new"); left != "" {
		t.Errorf("half of a program: %s", left)
	}
	m.run("rm", "/root/full")
	m.run("dpkg", "-i", "--force-depends", young.deb)
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version with room again: %q", got)
	}
}

func TestAnAdministratorsWillIsKept(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
	m.run("dpkg", "-i", "--force-depends", old.deb)
	m.want("policy-rc.d says no")
	m.run("rm", "/usr/sbin/policy-rc.d")
	m.run("systemctl", "disable", "platen-deploy.service")
	m.calls()
	m.run("dpkg", "-i", "--force-depends", young.deb)
	m.want("disabled", "/usr/bin/platen-deploy clients restart")
	if m.exists(wants) {
		t.Error("the upgrade enabled the service again")
	}
	// What somebody put in place of a folder is theirs.
	m.write("/srv/state/precious", "mine", 0o600)
	m.run("ln", "-s", "/srv/state", "/var/lib/platen-deploy")
	m.write("/etc/platen/site.conf", "Language=fr\n", 0o644)
	out := m.run("dpkg", "-P", "platen")
	if m.read("/srv/state/precious") != "mine" || m.read("/etc/platen/site.conf") != "Language=fr\n" {
		t.Error("purging took what is not the package's")
	}
	if !strings.Contains(out, "/var/lib/platen-deploy is a link") || !strings.Contains(out, "other files in /etc/platen") {
		t.Errorf("purging does not say what stays:\n%s", out)
	}
}

func TestWithoutSystemdThePackagesInstall(t *testing.T) {
	m := newMachine(t, "256m")
	m.run("rmdir", "/run/systemd/system")
	client, server := clientOf(t, m, older), serverOf(t, m, older)
	m.run("dpkg", "-i", "--force-depends", client.deb, server.deb)
	m.run("dpkg", "-P", "platen", "platen-server")
	for _, c := range m.calls() {
		if strings.HasPrefix(c, "systemctl") && !strings.Contains(c, "--root") && !strings.Contains(c, "enable") && !strings.Contains(c, "mask") {
			t.Errorf("called %s", c)
		}
	}
}

func TestRpmInstallsUpgradesAndErasesTheClient(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	m.run("rpm", "-K", "--nosignature", old.rpm)
	m.run("rpm", "-i", "--nodeps", old.rpm)
	m.want("installation", "systemctl start platen-deploy.service")
	if !m.exists(wants) {
		t.Error("the service does not start with the computer")
	}
	if out, _ := m.try("rpm", "-V", "--nodeps", "platen"); out != "" {
		t.Errorf("rpm -V says:\n%s", out)
	}
	m.used()
	m.write("/etc/platen/platen.conf", "Language=de\n", 0o644)
	m.run("rpm", "-U", "--nodeps", young.rpm)
	m.want("upgrade", "systemctl try-restart platen-deploy.service", "/usr/bin/platen-deploy clients restart")
	if got := m.run("/usr/bin/platen", "version"); got != younger+"\n" {
		t.Errorf("version: %q", got)
	}
	if m.read("/etc/platen/platen.conf") != "Language=de\n" || m.read("/var/lib/platen-deploy/device.key") != "key" {
		t.Error("the upgrade took settings or the key")
	}
	m.run("rpm", "-e", "--nodeps", "platen")
	m.want("removal", "systemctl stop platen-deploy.service", "systemctl --no-reload disable platen-deploy.service",
		"/usr/bin/platen-deploy clients purge", "/usr/bin/platen-deploy purge")
	if left := m.changed(); len(left) > 0 {
		t.Errorf("erasing left:\n%s", strings.Join(left, "\n"))
	}
}

func TestRpmKeepsDataWhenAsked(t *testing.T) {
	for name, ask := range map[string]func(m *machine){
		"by the environment": func(m *machine) { m.env = append(m.env, "KEEPDATA=1") },
		"by a file":          func(m *machine) { m.write("/etc/platen/keep-data", "", 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "256m")
			m.run("rpm", "-i", "--nodeps", clientOf(t, m, older).rpm)
			m.used()
			m.write("/etc/platen/platen.conf", "Language=de\n", 0o644)
			m.calls()
			ask(m)
			m.run("rpm", "-e", "--nodeps", "platen")
			m.want("removal", "systemctl stop platen-deploy.service", "systemctl --no-reload disable platen-deploy.service", "/usr/bin/platen-deploy clients stop")
			if !m.exists("/var/lib/platen-deploy/device.key") || m.read("/etc/platen/platen.conf.rpmsave") != "Language=de\n" {
				t.Errorf("not kept; there is %v", m.changed())
			}
		})
	}
}

func TestRpmObeysPresets(t *testing.T) {
	m := newMachine(t, "256m")
	m.write("/usr/lib/systemd/system-preset/99-default-disable.preset", "disable *\n", 0o644) // as Fedora and RHEL have it
	client, server := clientOf(t, m, older), serverOf(t, m, older)
	m.run("rpm", "-i", "--nodeps", client.rpm)
	out := m.run("rpm", "-i", "--nodeps", server.rpm)
	m.want("installation", "systemctl start platen-deploy.service")
	if !m.exists(wants) || m.exists("/etc/systemd/system/multi-user.target.wants/platen-server.service") {
		t.Error("want the client's service enabled and the server not")
	}
	if !strings.Contains(out, "systemctl enable --now platen-server") {
		t.Errorf("nobody says how to start it:\n%s", out)
	}
	m.run("rpm", "-e", "--nodeps", "platen")
	m.calls()
	m.write("/etc/systemd/system-preset/10-site.preset", "disable platen-deploy.service\n", 0o644)
	m.run("rpm", "-i", "--nodeps", client.rpm)
	m.want("a site that says no")
	if m.exists(wants) {
		t.Error("the site's preset does not count")
	}
}

func TestTheServerPackageMakesItsAccountAndKeepsPeoplesMoney(t *testing.T) {
	for _, format := range []string{deb, rpm} {
		t.Run(format, func(t *testing.T) {
			m := newMachine(t, "256m")
			old, young := serverOf(t, m, older), serverOf(t, m, younger)
			install := func(p pair) string {
				if format == deb {
					return m.run("dpkg", "-i", "--force-depends", p.deb)
				}
				return m.run("rpm", "-U", "--nodeps", p.rpm)
			}
			out := install(old)
			if !strings.Contains(out, "/etc/platen-server/platen-server.yaml") || !strings.Contains(out, "README") {
				t.Errorf("the first start is not explained:\n%s", out)
			}
			m.want("installation", map[string][]string{
				deb: {"systemctl --quiet --system start platen-server.service"}, rpm: {"systemctl start platen-server.service"}, // Debian's presets enable everything
			}[format]...)
			if got := m.run("stat", "-c", "%U:%G %a", "/etc/platen-server", "/etc/platen-server/platen-server.yaml"); got != "root:platen-server 750\nroot:platen-server 640\n" {
				t.Errorf("got %s", got)
			}
			if got := m.run("getent", "passwd", "platen-server"); !strings.Contains(got, ":/var/lib/platen-server:") || !strings.HasSuffix(got, "/nologin\n") {
				t.Errorf("the account: %s", got)
			}
			m.run("sh", "-c", "mkdir -p -m 0700 /var/lib/platen-server && echo money >/var/lib/platen-server/platen.db && chown -R platen-server: /var/lib/platen-server")
			m.write("/etc/platen-server/platen-server.yaml", "currency: CHF\n", 0o640)
			if format == deb { // an administrator may say whose it is
				m.run("dpkg-statoverride", "--add", "--update", "root", "adm", "0640", "/etc/platen-server/platen-server.yaml")
			}
			if out := install(young); strings.Contains(out, "README") {
				t.Errorf("an upgrade explains the first start:\n%s", out)
			}
			m.want("upgrade", map[string][]string{
				deb: {"systemctl --quiet --system restart platen-server.service"}, rpm: {"systemctl try-restart platen-server.service"},
			}[format]...)
			if m.read("/etc/platen-server/platen-server.yaml") != "currency: CHF\n" {
				t.Error("the upgrade changed the configuration")
			}
			if group := m.run("stat", "-c", "%G", "/etc/platen-server/platen-server.yaml"); format == deb && group != "adm\n" {
				t.Errorf("the upgrade gave the configuration to %s", group)
			}
			if format == deb {
				out = m.run("dpkg", "-P", "platen-server")
			} else {
				out = m.run("rpm", "-e", "--nodeps", "platen-server")
			}
			if m.read("/var/lib/platen-server/platen.db") != "money\n" || !strings.Contains(out, "was kept") {
				t.Errorf("the balances are gone, or nobody says that they are kept:\n%s", out)
			}
			info, err := os.Stat(m.path("/var/lib/platen-server"))
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("got %v, %v", info, err)
			}
			m.run("rm", "-r", "/var/lib/platen-server")
			left := slices.DeleteFunc(m.changed(), func(path string) bool {
				for _, own := range []string{"passwd", "group", "shadow", "gshadow", "subuid", "subgid", ".pwd.lock", "platen-server/platen-server.yaml.rpmsave"} {
					if strings.HasPrefix(path, "/etc/"+own) {
						return true // the account stays, and rpm's copy of an edited configuration
					}
				}
				return format == rpm && path == "/etc/platen-server"
			})
			if len(left) > 0 {
				t.Errorf("left:\n%s", strings.Join(left, "\n"))
			}
		})
	}
}

// dpkg installs into another system's folder without running anything there: nothing of this computer may change.
func TestDPKG_ROOTIsObeyed(t *testing.T) {
	m := newMachine(t, "256m")
	client, server := clientOf(t, m, older), serverOf(t, m, older)
	m.run("mkdir", "-p", "/srv/image/var/lib/dpkg/info", "/srv/image/var/lib/dpkg/updates", "/srv/image/etc")
	for _, file := range []string{"/srv/image/var/lib/dpkg/status", "/srv/image/var/lib/dpkg/available", "/srv/image/etc/passwd", "/srv/image/etc/group"} {
		m.write(file, "", 0o644)
	}
	quiet := func(step string) { // nothing is started, and systemd is not even told to look again
		t.Helper()
		if calls := m.calls(); len(calls) > 0 {
			t.Errorf("%s called:\n%s", step, strings.Join(calls, "\n"))
		}
	}
	into := []string{"dpkg", "--root=/srv/image", "--force-script-chrootless", "--force-depends", "--force-architecture"}
	m.run(append(into, "-i", client.deb, server.deb)...)
	quiet("installation into a folder")
	if !m.exists("/srv/image" + wants) {
		t.Error("the service is not enabled in the folder")
	}
	if !strings.Contains(m.read("/srv/image/etc/passwd"), "platen-server:") {
		t.Error("there is no account in the folder")
	}
	m.write("/srv/image/var/lib/platen-deploy/device.key", "key", 0o600)
	kept := m.keep("/tmp/alex") // this computer's people are not that one's
	m.own(1500, "/tmp/alex")
	m.write("/root/passwd", "alex:x:1500:1500::/tmp/alex:/bin/sh\n", 0o644)
	m.run("mount", "--bind", "/root/passwd", "/etc/passwd")
	m.run(append(into, "-P", "platen", "platen-server")...)
	quiet("purge in a folder")
	m.want1(true, kept...)
	for _, path := range m.changed() {
		if !strings.HasPrefix(path, "/srv/image") && path != "/srv" {
			t.Errorf("outside of the folder: %s", path)
		}
		if strings.Contains(path, "platen") && !strings.Contains(path, "dpkg") && !strings.Contains(path, "deb-systemd-helper") {
			t.Errorf("left: %s", path)
		}
	}
}
