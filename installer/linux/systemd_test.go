//go:build linux

package linux

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/testenv"
)

// boot is a machine with its own systemd, in namespaces of its own for processes, mounts, control groups and network. The script
// works with both versions of control groups.
const boot = `set -e
d=$(mktemp -d /tmp/platen-machine-XXXXXX)
mount -t tmpfs -o size=512m,mode=0755 none "$d"; mkdir "$d/up" "$d/work" "$d/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$d/up",workdir="$d/work" "$d/root"
r="$d/root"
mount -t proc proc "$r/proc"
mount -t sysfs sysfs "$r/sys"
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
	mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
else
	mount -t tmpfs none "$r/sys/fs/cgroup"; mkdir "$r/sys/fs/cgroup/systemd" "$r/sys/fs/cgroup/unified"
	mount -t cgroup -o none,name=systemd cgroup "$r/sys/fs/cgroup/systemd"
	mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup/unified"
fi
for dir in run tmp dev etc/systemd/system var/lib/dpkg; do mount -t tmpfs none "$r/$dir"; done
mkdir "$r/var/lib/dpkg/info" "$r/var/lib/dpkg/updates" "$r/dev/shm" "$r/dev/pts" "$r/dev/mqueue"
: >"$r/var/lib/dpkg/status"; : >"$r/var/lib/dpkg/available"
for dev in null zero full random urandom tty; do : >"$r/dev/$dev"; mount --bind "/dev/$dev" "$r/dev/$dev"; done
: >"$r/dev/console"; mount --bind /dev/null "$r/dev/console"; ln -s /proc/self/fd "$r/dev/fd"
mount -t devpts -o newinstance,ptmxmode=0666 none "$r/dev/pts"; ln -s pts/ptmx "$r/dev/ptmx"; mount -t tmpfs none "$r/dev/shm"
rm -rf "$r/usr/sbin/policy-rc.d" "$r/etc/dpkg/dpkg.cfg.d"
ip link set lo up
echo "$d"
exec chroot "$r" env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --log-target=journal >/dev/null 2>&1
`

// newBooted makes one, or says why it cannot be made here.
func newBooted(t *testing.T) *machine {
	t.Helper()
	unshare := testenv.Program(t, "unshare", "util-linux")
	testenv.Program(t, "ip", "iproute2")
	testenv.Program(t, "systemctl", "systemd")
	cannot := func(why any) {
		t.Helper()
		t.Skipf("a systemd of its own cannot be booted here (it needs root with CAP_SYS_ADMIN, and control groups it may write): %v", why)
	}
	var groups []string
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"} {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			groups = append(groups, fmt.Sprintf("%s/platen-test-%d", dir, os.Getpid()))
		}
	}
	if len(groups) == 0 {
		groups = []string{fmt.Sprintf("/sys/fs/cgroup/platen-test-%d", os.Getpid())}
	}
	enter := ""
	for _, g := range groups {
		if err := os.Mkdir(g, 0o755); err != nil {
			cannot(err)
		}
		t.Cleanup(func() { removeGroups(t, g) })
		enter += "echo $$ >" + g + "/cgroup.procs; "
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", "set -e; "+enter+`exec "$0" --mount --propagation private --pid --fork --kill-child --cgroup --net --uts --ipc sh -c "$1"`, unshare, boot)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with it, by --kill-child, everything in it
		_ = cmd.Wait()
	})
	dir, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cannot(said.String())
	}
	dir = strings.TrimSpace(dir)
	t.Cleanup(func() { _ = os.Remove(dir) })
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
	if err != nil {
		cannot(err)
	}
	m := &machine{t: t, env: []string{"DEBIAN_FRONTEND=noninteractive"}, namespaces: []string{"--pid", "--cgroup", "--net", "--uts", "--ipc"}}
	if _, err := fmt.Sscan(string(children), &m.pid); err != nil {
		cannot(err)
	}
	m.inside = dir + "/root"
	// Its root is the folder of the machine, so files are below /proc/PID/root already.
	m.outside = fmt.Sprintf("/proc/%d/root", m.pid)
	ctx, cancel := context.WithTimeout(t.Context(), testenv.Deadline)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		state, _ := m.try("systemctl", "is-system-running")
		if state = strings.TrimSpace(state); state == "running" || state == "degraded" {
			tick.Stop()
			return m
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			cannot("it is " + state)
		case <-tick.C:
		}
	}
}

// removeGroups removes a control group and those below it, once their last process is gone.
func removeGroups(t *testing.T, group string) {
	t.Helper()
	testenv.Await(t, "the control groups to be empty", func() bool {
		_ = filepath.WalkDir(group, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				defer func() { _ = os.Remove(path) }()
			}
			return nil
		})
		_, err := os.Stat(group)
		return err != nil
	})
}

// realPrograms are the privileged service and the server as they are shipped.
func realPrograms(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	programs := map[string]string{}
	for name, pkg := range map[string]string{"platen-deploy": "../../printqueue", "platen-server": "../../server-stub"} {
		programs[name] = filepath.Join(dir, name)
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", programs[name], pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	return programs
}

// withReal makes the package of the stand-ins one with a real program.
func (m *machine) withReal(name, debFile, program string) string {
	m.t.Helper()
	work := "/root/" + name
	m.run("dpkg-deb", "-R", debFile, work)
	m.run("rm", work+"/usr/bin/"+name)
	text, err := os.ReadFile(program)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(work+"/usr/bin/"+name, string(text), 0o755)
	m.run("dpkg-deb", "--root-owner-group", "-Znone", "-b", work, work+".deb")
	return work + ".deb"
}

// From two packages and two lines of settings to a computer that waits for its approval: nobody has typed a command.
func TestE9_UnderARealSystemdBothPackagesWorkAtOnce(t *testing.T) {
	m := newBooted(t)
	programs := realPrograms(t)
	server := m.withReal("platen-server", serverOf(t, m, older).deb, programs["platen-server"])
	client := m.withReal("platen-deploy", clientOf(t, m, older).deb, programs["platen-deploy"])
	journal := func() string {
		out, _ := m.try("journalctl", "--no-pager", "-o", "cat", "-u", "platen-*")
		return out
	}

	m.run("dpkg", "-i", "--force-depends", server) // returns when the server is ready
	if out, err := m.try("systemctl", "is-active", "platen-server.service"); err != nil {
		t.Fatalf("the server is %s\n%s", out, journal())
	}
	var pin string
	for word := range strings.FieldsSeq(m.run("platen-server", "status", "--json")) {
		if word = strings.Trim(word, `",`); strings.HasPrefix(word, "sha256/") {
			pin = word
		}
	}
	m.write("/etc/platen/policy.conf", "ServerURL=https://localhost:8443\nCAPin="+pin+"\n", 0o644)
	m.run("dpkg", "-i", "--force-depends", client)
	testenv.Await(t, "the computer to wait for its approval", func() bool {
		out, _ := m.try("platen-server", "device", "list")
		return strings.Contains(out, "pending")
	})
	for file, want := range map[string]string{
		"/var/lib/platen-server": "platen-server:platen-server 700", "/var/lib/platen-deploy": "root:root 700", "/var/log/platen-deploy": "root:root 700",
		"/run/platen": "root:root 755", "/etc/platen-server/platen-server.yaml": "root:platen-server 640",
	} {
		if got := strings.TrimSpace(m.run("stat", "-c", "%U:%G %a", file)); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}

	// An upgrade restarts what runs; removal ends it; purging leaves the server's data alone.
	before := m.run("systemctl", "show", "--property=MainPID", "platen-server", "platen-deploy")
	m.run("dpkg", "-i", "--force-depends", server, client)
	if after := m.run("systemctl", "show", "--property=MainPID", "platen-server", "platen-deploy"); after == before || strings.Contains(after, "MainPID=0\n") {
		t.Errorf("not restarted: %s, before %s\n%s", after, before, journal())
	}
	m.run("dpkg", "-P", "platen", "platen-server")
	if out, err := m.try("systemctl", "is-active", "platen-server", "platen-deploy"); err == nil || strings.Contains(out, "\nactive") || strings.HasPrefix(out, "active") {
		t.Errorf("still there: %s", out)
	}
	for path, want := range map[string]bool{"/var/lib/platen-server/platen.db": true, "/var/lib/platen-deploy": false, "/etc/platen": false, "/etc/platen-server": false} {
		if m.exists(path) != want {
			t.Errorf("after purging, %s is there: %v, want %v", path, !want, want)
		}
	}
}
