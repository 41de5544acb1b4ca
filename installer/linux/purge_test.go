//go:build linux

package linux

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/platenprint/platen/client/statedir"
)

// person adds an account and its home, with what the client keeps there. Without a name the account is one that a directory knows.
func (m *machine) person(name string, uid int, home string) []string {
	m.t.Helper()
	if name != "" {
		m.add("/etc/passwd", fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", name, uid, uid, home))
	}
	kept := m.keep(home)
	m.own(uid, home)
	return kept
}

func (m *machine) add(file, text string) {
	m.t.Helper()
	m.write(file, m.read(file)+text, 0o644)
}

func (m *machine) own(uid int, path string) {
	m.t.Helper()
	m.run("chown", "-R", fmt.Sprintf("%d:%d", uid, uid), path)
}

// keep puts into a home what the client keeps there.
func (m *machine) keep(home string) []string {
	m.t.Helper()
	var kept []string
	for _, name := range append([]string{
		"session-a.sealed", "session-a.sealed.unreadable", "note-a.sealed", "microsoft-a.sealed", "session-a.sealed.tmp1",
	}, statedir.Files()...) {
		kept = append(kept, path.Join(home, ".local/state/platen", strings.ReplaceAll(name, "*", "1.new")))
	}
	for _, dir := range statedir.Window("linux", func(name string) string { return map[string]string{"HOME": home}[name] }) {
		kept = append(kept, path.Join(dir, "preferences.json"))
	}
	for _, file := range kept {
		m.write(file, "kept", 0o600)
	}
	return kept
}

func (m *machine) want1(there bool, files ...string) {
	m.t.Helper()
	for _, file := range files {
		if m.exists(file) != there {
			m.t.Errorf("%s: there is %v, want %v", file, !there, there)
		}
	}
}

func TestPain8_PurgeRemovesWhatIsKeptOfPeople(t *testing.T) {
	m := newMachine(t, "256m")
	m.run("dpkg", "-i", "--force-depends", clientOf(t, m, older).deb)
	m.run("sh", "-c", "rm -rf /home && mkdir /home")
	gone := slices.Concat(
		m.person("alex", 1500, "/home/alex"),
		m.person("other shell", 1501, "/srv/people/odd name"),
		m.person("", 70001, "/home/EXAMPLE/dora"), // of a directory
	)
	stays := slices.Concat(
		m.person("service", 999, "/srv/service"),
		m.person("nobody2", 65534, "/srv/nobody"),
		m.keep("/srv/roots"),
	)
	m.add("/etc/passwd", "ada:x:1502:1502::/srv/roots:/bin/sh\nbob:x:1503:1503::/home/alex:/bin/sh\neve:x:1504 -o 0:1504::/srv/roots:/bin/sh\nnone:x:1505:1505:::\nbroken\n")
	stays = append(stays, m.keep("/srv/shared")...) // everybody writes there, and it is nobody's home
	m.run("chmod", "-R", "a+rwX", "/srv/shared")
	m.add("/etc/passwd", "carl:x:1506:1506::/srv/shared:/bin/sh\n")
	m.write("/home/alex/.local/state/platen/mine", "mine", 0o600)
	m.write("/home/alex/.config/platen/platen.conf", "Language=de\n", 0o600)
	m.write("/home/alex/.config/fyne/another/preferences.json", "mine", 0o600)
	m.run("mkdir", "/home/alex/.local/state/platen/session-folder.sealed")
	m.own(1500, "/home/alex")
	stays = append(stays, "/home/alex/.local/state/platen/mine", "/home/alex/.config/platen/platen.conf", "/home/alex/.config/fyne/another/preferences.json",
		"/home/alex/.local/state/platen/session-folder.sealed")

	m.run("dpkg", "-r", "platen")
	m.want1(true, gone...)
	out := m.run("dpkg", "-P", "platen")
	m.want1(false, gone...)
	m.want1(false, "/home/EXAMPLE/dora/.local/state/platen", "/home/EXAMPLE/dora/.config/fyne", "/home/EXAMPLE/dora/.cache/fyne")
	m.want1(true, stays...)
	if !strings.Contains(out, "kept there: 3\n") {
		t.Errorf("it is not told of how many:\n%s", out)
	}
}

// R-LINK-1: root itself goes into no folder of theirs, and they get nothing of root's.
func TestPurgeIsDoneAsThePersonAndWithNothingOfRoots(t *testing.T) {
	m := newMachine(t, "256m")
	m.run("dpkg", "-i", "--force-depends", clientOf(t, m, older).deb)
	m.run("sh", "-c", "rm -rf /home && mkdir /home")
	precious := m.keep("/srv/precious")
	state := "/srv/precious/.local/state/platen"
	alex := m.person("alex", 1500, "/home/alex")
	uid := 1600
	for name, script := range map[string]string{
		"linkstate":  "mkdir -p .local/state && ln -s " + state + " .local/state/platen",
		"linklocal":  "ln -s /srv/precious/.local .local",
		"linkwindow": "mkdir -p .config/fyne .cache && ln -s /srv/precious/.config/fyne/org.platenprint.platen .config/fyne/org.platenprint.platen && ln -s /srv/precious/.cache/fyne .cache/fyne",
		"linkothers": "ln -s /home/alex/.local .local; ln -s /home/alex/.config .config",
		"linkhome":   "rmdir $PWD; ln -s /srv/precious $PWD",
		"fifo":       "mkdir -p .local/state/platen; mkfifo .local/state/platen/session-x.sealed; mkdir .cache; mkfifo .cache/fyne",
	} {
		m.run("mkdir", "-p", "/home/"+name)
		m.run("sh", "-c", "cd /home/"+name+" && "+script)
		uid++
		m.add("/etc/passwd", fmt.Sprintf("%s:x:%d:%d::/home/%s:/bin/sh\n", name, uid, uid, name))
		m.run("chown", "-Rh", fmt.Sprintf("%d:%d", uid, uid), "/home/"+name)
	}
	m.run("chmod", "-R", "a+rX", "/srv/precious", "/home/alex")
	m.run("mv", "/usr/bin/find", "/usr/bin/find.real")
	m.write("/usr/bin/find", `#!/bin/sh
case "$*" in
*/home/alex/*) { echo "session $(cut -d' ' -f6 /proc/$$/stat)"; echo "id $(id -u) $(id -g) $(id -G)"; grep -E '^(NoNewPrivs|CapInh|CapEff)' /proc/self/status; env; tty; cd /proc/self/fd && for i in *; do [ -e "$i" ] && echo "fd $i"; done; } >/seen 2>&1 ;;
esac
exec /usr/bin/find.real "$@"
`, 0o755)
	m.write("/seen", "", 0o666)
	m.env = append(m.env, "SECRET=of-root", "HOME=/root")

	out := m.run("sh", "-c", "exec dpkg -P platen 5</etc/shadow")
	m.want1(true, precious...)
	m.want1(false, alex...)
	m.want1(false, "/home/fifo/.local/state/platen")
	seen := m.read("/seen")
	for _, want := range []string{"id 1500 1500 1500\n", "NoNewPrivs:\t1\n", "CapEff:\t0000000000000000\n", "not a tty\n"} {
		if !strings.Contains(seen, want) {
			t.Errorf("want %q in\n%s", want, seen)
		}
	}
	session, err := unix.Getsid(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{fmt.Sprintf("session %d\n", session), "session \n", "of-root", "HOME=/root", "DPKG", "fd 4", "fd 5", "fd 6"} {
		if strings.Contains(seen, bad) {
			t.Errorf("%s of root's:\n%s", bad, seen)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestPurgeLeavesNetworkHomesAlone(t *testing.T) {
	m := newMachine(t, "256m")
	m.run("dpkg", "-i", "--force-depends", clientOf(t, m, older).deb)
	m.run("sh", "-c", "rm -rf /home && mkdir /home")
	gone := m.person("alex", 1500, "/home/alex")
	stays := slices.Concat(m.person("netta", 1501, "/net/people/netta"), m.person("fuse", 1502, "/home/fuse"), m.person("", 1503, "/home/NET/nick"))
	m.run("mount", "-t", "tmpfs", "none", "/proc") // what the kernel would tell
	m.write("/proc/self/mountinfo", `21 1 8:1 / / rw - ext4 /dev/sda1 rw
22 21 0:40 / /net/people rw,relatime shared:1 master:2 - nfs4 files:/people rw
24 23 0:42 / /home/fuse rw - fuse.sshfs x rw
23 21 0:41 / /home rw - ext4 /dev/sda2 rw
25 23 0:43 / /home/NET rw - autofs x rw
`, 0o644)
	out := m.run("dpkg", "-P", "platen")
	m.want1(true, stays...)
	m.want1(false, gone...)
	for _, want := range []string{"kept there: 1\n", "/net/people/netta", "/home/fuse"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	m.run("umount", "/proc")
}

func TestPurgeKeepsDataWhenAsked(t *testing.T) {
	for name, ask := range map[string]func(m *machine){
		"by the environment": func(m *machine) { m.env = append(m.env, "KEEPDATA=1") },
		"by a file":          func(m *machine) { m.write("/etc/platen/keep-data", "", 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "256m")
			m.run("dpkg", "-i", "--force-depends", clientOf(t, m, older).deb)
			m.used()
			kept := m.person("alex", 1500, "/srv/alex")
			ask(m)
			m.run("dpkg", "-P", "platen")
			m.want1(true, kept...)
			m.want1(true, "/var/lib/platen-deploy/device.key", "/etc/platen/policy.conf", "/etc/platen/enrolment.token")
			if _, err := os.Stat(m.path("/usr/bin/platen")); err == nil {
				t.Error("the program is still there")
			}
		})
	}
}
