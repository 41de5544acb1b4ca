//go:build linux

package linux

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// machine is a copy of this computer's file system that only the test writes into: an overlay in a mount namespace of its own,
// whose changes are in memory. Programs run in it by chroot. systemctl is a stand-in there that notes its calls and hands what
// concerns files alone (enable, preset, is-enabled ...) to the real one: systemd itself does not run. dpkg and rpm know of no other
// package, so that what they do to their lists takes no time; dependencies are therefore not looked at.
type machine struct {
	t          *testing.T
	pid        int
	namespaces []string // nsenter's, beside that for mounts
	inside     string   // its root, as programs in its mount namespace see it
	outside    string   // its root, as this process sees it
	up         string   // what has changed in it, as this process sees it
	env        []string
}

const systemctl = `#!/bin/sh
echo "systemctl $*" >>/calls
for word; do
	case "$word" in
	-*) ;;
	enable | disable | preset | is-enabled | mask | unmask) exec /usr/bin/systemctl.real --root=/ "$@" ;;
	is-active) [ -e "/active" ] && exit 0; exit 3 ;;
	start) : >/active; exit 0 ;;
	stop) rm -f /active; exit 0 ;;
	*) exit 0 ;;
	esac
done
`

// newMachine makes one with so much memory for what changes.
func newMachine(t *testing.T, memory string) *machine {
	t.Helper()
	return mount(t, memory, `mount -t tmpfs none "$d/root/var/lib/dpkg"; mkdir "$d/root/var/lib/dpkg/info" "$d/root/var/lib/dpkg/updates"
: >"$d/root/var/lib/dpkg/status"; : >"$d/root/var/lib/dpkg/available"`)
}

// newDebian makes one whose dpkg and apt know what this computer has: dependencies count.
func newDebian(t *testing.T) *machine {
	t.Helper()
	testenv.Program(t, "apt-get", "apt")
	return mount(t, "512m", "")
}

func mount(t *testing.T, memory, more string) *machine {
	t.Helper()
	needTools(t)
	unshare := testenv.Program(t, "unshare", "util-linux")
	script := `set -e
d=$(mktemp -d /tmp/platen-machine-XXXXXX); trap 'rmdir "$d" 2>/dev/null' EXIT
mount -t tmpfs -o size=` + memory + `,mode=0755 none "$d"; mkdir "$d/up" "$d/work" "$d/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$d/up",workdir="$d/work" "$d/root"
` + more + `
mount --bind /dev "$d/root/dev"; mount -t proc proc "$d/root/proc"
echo "$d"; cat >/dev/null
cd /; umount -R "$d"`
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), unshare, "--mount", "--propagation", "private", "sh", "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dir, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Skipf("an overlay file system cannot be mounted here (root with CAP_SYS_ADMIN can): %s", said.String())
	}
	m := &machine{t: t, pid: cmd.Process.Pid, env: []string{"DEBIAN_FRONTEND=noninteractive"}}
	dir = strings.TrimSpace(dir)
	m.inside = dir + "/root"
	m.outside = fmt.Sprintf("/proc/%d/root%s", m.pid, m.inside)
	m.up = fmt.Sprintf("/proc/%d/root%s/up", m.pid, dir)
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the machine ended with %v: %s", err, said.String())
		}
	})
	m.run("mv", "/usr/bin/systemctl", "/usr/bin/systemctl.real")
	m.write("/usr/bin/systemctl", systemctl, 0o755)
	m.write("/calls", "", 0o666)
	// This computer may keep services from starting, have ideas of its own about packages, and rebuilds an index of manual pages.
	for _, path := range []string{"/usr/sbin/policy-rc.d", "/var/lib/man-db/auto-update", "/etc/dpkg/dpkg.cfg.d", "/etc/rpm"} {
		m.run("rm", "-rf", path)
	}
	m.run("mkdir", "-p", "/run/systemd/system")
	return m
}

// path is where this process finds a file of the machine.
func (m *machine) path(path string) string { return filepath.Join(m.outside, path) }

// try runs a program in the machine.
func (m *machine) try(args ...string) (string, error) {
	m.t.Helper()
	all := append([]string{fmt.Sprintf("--target=%d", m.pid), "--mount"}, m.namespaces...)
	all = append(all, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root")
	all = append(append(all, m.env...), "chroot", m.inside)
	cmd := exec.CommandContext(m.t.Context(), testenv.Program(m.t, "nsenter", "util-linux"), append(all, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is try that must succeed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

func (m *machine) write(path, text string, mode fs.FileMode) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(path)), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.path(path), []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(m.path(path), mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(path string) string {
	m.t.Helper()
	text, err := os.ReadFile(m.path(path))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

func (m *machine) exists(path string) bool {
	_, err := os.Lstat(m.path(path))
	return err == nil
}

// copy puts a package into the machine and returns its path there.
func (m *machine) copy(file string) string {
	m.t.Helper()
	from, err := os.Open(file)
	if err != nil {
		m.t.Fatal(err)
	}
	defer from.Close()
	inside := "/root/" + filepath.Base(file)
	to, err := os.Create(m.path(inside))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		m.t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		m.t.Fatal(err)
	}
	return inside
}

// calls are what was called since the last time: systemctl and the stand-ins. Questions and presets are left out.
func (m *machine) calls() []string {
	m.t.Helper()
	var list []string
	for line := range strings.Lines(m.read("/calls")) {
		line = strings.TrimSpace(line)
		if !strings.Contains(line, "is-enabled") && !strings.Contains(line, "is-active") && !strings.Contains(line, "--version") && !strings.Contains(line, " preset ") {
			list = append(list, line)
		}
	}
	m.write("/calls", "", 0o666)
	return list
}

// changed are the files and folders that are other than when the machine began, but for the package manager's own and caches.
func (m *machine) changed() []string {
	m.t.Helper()
	var list []string
	err := filepath.WalkDir(m.up, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(path, m.up)
		if inside == "" {
			return nil
		}
		for _, prefix := range []string{
			"/root", "/tmp", "/run", "/calls", "/active", "/usr/bin/systemctl", "/usr/sbin/policy-rc.d", "/etc/dpkg", "/etc/rpm", "/var/lib/man-db", "/var/lib/dpkg", "/var/lib/rpm",
			"/usr/lib/sysimage", "/var/log/dpkg.log", "/var/cache", "/usr/share/applications/mimeinfo.cache", "/usr/share/icons/hicolor/icon-theme.cache", "/var/lib/systemd/deb-systemd-helper",
			"/etc/ld.so.cache", "/var/log/alternatives.log", "/var/log/apt",
			"/usr/share/licenses", // on rpm systems the package filesystem has it
		} {
			if inside == prefix || strings.HasPrefix(inside, prefix+"/") || strings.HasPrefix(inside, prefix+".") {
				return nil
			}
		}
		if entry.IsDir() {
			if _, err := os.Lstat(inside); err == nil {
				return nil // a folder that this computer has too
			}
		}
		if entry.Type()&fs.ModeCharDevice != 0 { // the overlay's way to say: not here
			// rpm knows nothing of dpkg's folders, and takes an empty one with it.
			if info, err := os.Lstat(inside); err != nil || info.IsDir() {
				return nil
			}
		}
		list = append(list, inside)
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	slices.Sort(list)
	return list
}
