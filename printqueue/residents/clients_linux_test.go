package residents

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two people, by their numbers, and how long anything may take here.
const (
	alex   = 54321
	sascha = 54322
	enough = time.Minute
)

// computer is one with two people and the real program, installed where only root writes.
type computer struct {
	t    *testing.T
	root string
	bin  string
}

func newComputer(t *testing.T) *computer {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be several users")
	}
	root, err := os.MkdirTemp("/tmp", "platen-clients-") //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	c := &computer{t: t, root: root, bin: filepath.Join(root, "bin")}
	c.must(os.Chmod(root, 0o755), os.Mkdir(c.bin, 0o755), os.Mkdir(filepath.Join(root, "home"), 0o755))
	c.build("1.0.0", filepath.Join(c.bin, residentName))
	c.copy("/usr/bin/sleep", filepath.Join(c.bin, windowName))
	for name, uid := range map[string]int{"alex": alex, "sascha": sascha} {
		home := c.home(name)
		c.must(os.Mkdir(home, 0o700), os.Mkdir(filepath.Join(home, "run"), 0o700))
		c.must(os.Chown(home, uid, uid), os.Chown(filepath.Join(home, "run"), uid, uid))
	}
	return c
}

func (c *computer) must(errs ...error) {
	c.t.Helper()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *computer) home(name string) string { return filepath.Join(c.root, "home", name) }

// build puts the resident of a version in the place of what is there.
func (c *computer) build(version, path string) {
	c.t.Helper()
	made := filepath.Join(programsDir, version)
	if _, err := os.Stat(made); err != nil { // each is built once
		cmd := exec.CommandContext(c.t.Context(), "go", "build", "-o", made,
			"-ldflags", "-X github.com/platenprint/platen/internal/buildinfo.Version="+version, "github.com/platenprint/platen/client")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Fatalf("build platen: %v\n%s", err, out)
		}
	}
	c.copy(made, path+".new")
	c.must(os.Rename(path+".new", path))
}

// programsDir has the programs that the tests share.
var programsDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "platen-clients-")
	if err != nil {
		panic(err)
	}
	programsDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func (c *computer) copy(from, to string) {
	c.t.Helper()
	in, err := os.Open(from)
	c.must(err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	c.must(err)
	_, err = io.Copy(out, in)
	c.must(err, out.Close(), os.Chmod(to, 0o755))
}

// started is a program of somebody.
type started struct {
	*exec.Cmd
	ended chan struct{}
}

func (s *started) gone() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// start starts a program as somebody, in their home.
func (c *computer) start(name, program string, args ...string) *started {
	c.t.Helper()
	uid := map[string]uint32{"alex": alex, "sascha": sascha}[name]
	s := &started{Cmd: exec.CommandContext(c.t.Context(), program, args...), ended: make(chan struct{})}
	s.Env = []string{"HOME=" + c.home(name), "XDG_RUNTIME_DIR=" + filepath.Join(c.home(name), "run"), "PLATEN_SERVER_URL=https://127.0.0.1:1"}
	s.Dir, s.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	c.must(s.Start())
	go func() { _ = s.Wait(); close(s.ended) }()
	c.t.Cleanup(func() { _ = s.Process.Kill(); <-s.ended })
	return s
}

// resident starts somebody's resident and waits until it is there.
func (c *computer) resident(name string) *started {
	c.t.Helper()
	s := c.start(name, filepath.Join(c.bin, residentName), "run", "--at-logon")
	c.until("the resident of "+name, func() bool {
		_, err := os.Stat(filepath.Join(c.home(name), "run/platen/agent.sock"))
		return err == nil && strings.Contains(c.log(name), "platen starts")
	})
	return s
}

func (c *computer) log(name string) string {
	text, _ := os.ReadFile(filepath.Join(c.home(name), ".local/state/platen/platen.log"))
	return string(text)
}

func (c *computer) until(what string, done func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(enough); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: never", what)
		}
	}
}

// clients are the programs of this computer, with its own homes.
func (c *computer) clients(patience time.Duration) *Clients {
	c.t.Helper()
	passwd := filepath.Join(c.root, "passwd")
	lines := fmt.Sprintf("alex:x:%d:%[1]d:Alex:%s:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\nlp:x:7:7::/var/spool/lpd:/bin/false\n",
		alex, c.home("alex")) // Sascha is a directory's: only the folder tells
	c.must(os.WriteFile(passwd, []byte(lines), 0o600))
	clients := New(Options{Dir: c.bin, Patience: patience})
	clients.system.homes = func() ([]home, []string, error) {
		return findHomes(passwd, filepath.Join(c.root, "home"), "/proc/self/mountinfo")
	}
	return clients
}

func (c *computer) report(want Report) func(Report, error) {
	return func(got Report, err error) {
		c.t.Helper()
		if err != nil || got.Found != want.Found || got.Restarted != want.Restarted || got.Ended != want.Ended || got.Killed != want.Killed ||
			got.Accounts != want.Accounts || len(got.Problems) != len(want.Problems) {
			c.t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestE9_pain8_AnUpgradeReachesEverySession(t *testing.T) {
	c := newComputer(t)
	clients := c.clients(enough)
	one, two := c.resident("alex"), c.resident("sascha")
	own := filepath.Join(c.home("alex"), residentName) // somebody's own program, and its name is all it has of ours
	c.copy("/usr/bin/sleep", own)
	other := c.start("alex", own, "600")
	c.report(Report{Found: 2, Restarted: 2})(clients.Restart(t.Context())) // nothing has changed

	c.build("2.0.0", filepath.Join(c.bin, residentName))
	began := time.Now()
	c.report(Report{Found: 2, Restarted: 2})(clients.Restart(t.Context()))
	t.Logf("two sessions go on as the new program after %v", time.Since(began))
	for _, name := range []string{"alex", "sascha"} {
		c.until("the new program of "+name, func() bool { return strings.Contains(c.log(name), `platen starts" version=2.0.0`) })
	}
	if one.gone() || two.gone() || other.gone() {
		t.Errorf("ended: %v %v %v", one.gone(), two.gone(), other.gone())
	}
	if all, err := find(filepath.Join(c.bin, residentName)); err != nil || len(all) != 2 || !all[0].current() || !all[1].current() {
		t.Errorf("running: %v, %v", all, err)
	} else {
		free(all)
	}

	t.Run("R_EXEC_1 a program that others may change is not taken", func(t *testing.T) {
		before := c.log("alex")
		c.must(os.Chmod(c.bin, 0o777)) // an installation that is broken
		c.build("1.0.0", filepath.Join(c.bin, residentName))
		r, err := c.clients(2 * time.Second).Restart(t.Context())
		c.must(os.Chmod(c.bin, 0o755))
		if err != nil || r.Restarted != 0 || len(r.Problems) != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
		if now := strings.TrimPrefix(c.log("alex"), before); !strings.Contains(now, "not going on as") || one.gone() {
			t.Errorf("gone %v: %s", one.gone(), now)
		}
	})
}

func TestE9_StopEndsEveryProgramAndNoOther(t *testing.T) {
	c := newComputer(t)
	c.report(Report{})(c.clients(enough).Stop(t.Context())) // nobody is there
	one, two := c.resident("alex"), c.resident("sascha")
	window := c.start("alex", filepath.Join(c.bin, windowName), "600")
	own := filepath.Join(c.home("alex"), residentName)
	c.copy("/usr/bin/sleep", own)
	other := c.start("alex", own, "600")
	c.must(one.Process.Signal(syscall.SIGSTOP)) // it hears of nothing any more
	// A resident that is starting a program is there twice for a moment.
	report, err := c.clients(5 * time.Second).Stop(t.Context())
	if err != nil || report.Killed != 1 || report.Ended < 2 || report.Found != report.Ended+report.Killed {
		t.Errorf("got %+v, %v", report, err)
	}
	for what, s := range map[string]*started{"the one that hears nothing": one, "the resident": two, "the window": window} {
		c.until(what, s.gone)
	}
	if other.gone() {
		t.Error("somebody's own program was ended")
	}
	if text := c.log("sascha"); !strings.Contains(text, "platen has ended") {
		t.Errorf("not in good order: %s", text)
	}
}

func TestE9_PurgeLeavesNothingOfAnybody(t *testing.T) {
	c := newComputer(t)
	one := c.resident("alex")
	two := c.resident("sascha")
	c.must(two.Process.Signal(syscall.SIGTERM)) // Sascha has logged off
	c.until("Sascha's end", two.gone)
	for _, name := range []string{"alex", "sascha"} {
		if c.log(name) == "" {
			t.Fatalf("%s: nothing is kept, so there is nothing to remove", name)
		}
	}
	began := time.Now()
	c.report(Report{Found: 1, Ended: 1, Accounts: 1})(c.clients(enough).Purge(t.Context()))
	t.Logf("one session and one home are cleared after %v", time.Since(began))
	c.until("Alex's end", one.gone)
	for _, name := range []string{"alex", "sascha"} {
		if _, err := os.Stat(filepath.Join(c.home(name), ".local/state/platen")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the folder is there: %v", name, err)
		}
	}
	c.report(Report{})(c.clients(enough).Purge(t.Context())) // nothing is left to do
}

// Whatever people prepare in their homes, they can only lose what is theirs.
func TestR_LINK_1_PurgeFollowsNothingAsRoot(t *testing.T) {
	c := newComputer(t)
	victim := filepath.Join(c.root, "victim")
	c.must(os.Mkdir(victim, 0o755))
	for _, name := range []string{"platen.log", "session-0123456789abcdef.sealed", "server.json"} {
		c.must(os.WriteFile(filepath.Join(victim, name), []byte("root's"), 0o644))
	}
	prepare := map[string]func(state string) error{
		"alex": func(state string) error { return os.Symlink(victim, filepath.Join(state, "platen")) },
		"sascha": func(state string) error {
			return errors.Join(os.Mkdir(filepath.Join(state, "platen"), 0o755), os.Symlink(filepath.Join(victim, "platen.log"), filepath.Join(state, "platen/platen.log")),
				os.Chown(filepath.Join(state, "platen"), sascha, sascha))
		},
	}
	for name, uid := range map[string]int{"alex": alex, "sascha": sascha} {
		state := filepath.Join(c.home(name), ".local/state")
		c.must(os.MkdirAll(state, 0o755), prepare[name](state))
		for dir := state; dir != c.home(name); dir = filepath.Dir(dir) {
			c.must(os.Chown(dir, uid, uid))
		}
	}
	// A home that is a link to root's folder, and one that belongs to somebody else.
	c.must(os.Symlink(victim, c.home("kim")), os.Mkdir(c.home("eve"), 0o755))
	r, err := c.clients(enough).Purge(t.Context())
	if err != nil {
		t.Error(err)
	}
	t.Logf("%+v", r)
	entries, err := os.ReadDir(victim)
	if err != nil || len(entries) != 3 {
		t.Errorf("root's folder has %v, %v", entries, err)
	}
	for _, e := range entries {
		if text, err := os.ReadFile(filepath.Join(victim, e.Name())); err != nil || string(text) != "root's" {
			t.Errorf("%s: %q, %v", e.Name(), text, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(c.home("sascha"), ".local/state/platen")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Sascha's own link is still there: %v", err)
	}
}

func TestHomesOnOtherComputersAreLeftAlone(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, whose folders are looked into")
	}
	root := t.TempDir()
	homes := filepath.Join(root, "home")
	made := []string{"local", "net", "EXAMPLE", "EXAMPLE/domain", "service"}
	if err := os.Mkdir(homes, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range made {
		uid := 2000 + i
		switch name {
		case "EXAMPLE":
			uid = 0
		case "service":
			uid = 33
		}
		if err := errors.Join(os.Mkdir(filepath.Join(homes, name), 0o755), os.Chown(filepath.Join(homes, name), uid, uid)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(homes, "net", "linked"), filepath.Join(root, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	passwd, mounts := filepath.Join(root, "passwd"), filepath.Join(root, "mountinfo")
	text := "root:x:0:0::/root:/bin/sh\nlocal:x:2000:2000::" + homes + "/local:/bin/sh\nlinked:x:2100:2100::" + root + "/elsewhere:/bin/sh\n" +
		"gone:x:2200:2200::" + homes + "/gone:/bin/sh\nthief:x:2300:2300::" + homes + "/local/../local:/bin/sh\nbroken line\nx:x:y:z:::\nslash:x:2400:2400::/:/bin/sh\n"
	table := "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:40 / " + homes + "/net rw shared:1 - nfs4 server:/net rw\n3 1 0:41 / /nowhere\\040else rw - autofs x rw\nbroken\n"
	if err := errors.Join(os.WriteFile(passwd, []byte(text), 0o600), os.WriteFile(mounts, []byte(table), 0o600)); err != nil {
		t.Fatal(err)
	}
	list, skipped, err := findHomes(passwd, homes, mounts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range list {
		got = append(got, fmt.Sprintf("%s %d %d", strings.TrimPrefix(h.path, homes), h.uid, h.gid))
	}
	slices.Sort(got)
	if want := []string{"/EXAMPLE/domain 2003 2003", "/local 2000 2000", "/root 0 0"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if want := []string{root + "/elsewhere: on a network file system (nfs4)"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped %q, want %q", skipped, want)
	}
}

func TestNumbersThatAreNoPeople(t *testing.T) {
	for uid, want := range map[uint32]bool{0: true, 1: false, 999: false, 1000: true, 65534: false, 1<<32 - 1: false, 1<<32 - 2: false, 1 << 31: true} {
		if isPerson(uid) != want {
			t.Errorf("%d: %v", uid, !want)
		}
	}
}

func TestKindsOfFileSystems(t *testing.T) {
	for kind, want := range map[string]bool{
		"ext4": false, "xfs": false, "btrfs": false, "zfs": false, "tmpfs": false, "overlay": false, "ecryptfs": false, "fuseblk": false,
		"nfs": true, "nfs4": true, "cifs": true, "autofs": true, "fuse.sshfs": true, "fuse.unknown": true, "9p": true,
	} {
		if remote(kind) != want {
			t.Errorf("%s: %v", kind, !want)
		}
	}
}
