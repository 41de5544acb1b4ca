package macos_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/internal/testenv"
)

// shells stand in for macOS' sh, which is bash 3.2, dash or zsh as the Mac is set.
var shells = []struct{ name, debianPackage string }{{"dash", "dash"}, {"bash", "bash"}}

// A mac is a folder that scripts take for the root of one: their absolute paths are moved there. The tools of macOS that
// are not here are scripts that write down what they were asked.
type mac struct {
	t     *testing.T
	root  string
	shell string
	pkg   string // what is installed on it
}

const (
	support = "/Library/Application Support/Platen"
	someone = "501 /System/Library/CoreServices/loginwindow.app/Contents/MacOS/loginwindow\n"
)

func newMac(t *testing.T, pkg, shell string) *mac {
	t.Helper()
	m := &mac{t: t, root: t.TempDir(), shell: shell, pkg: pkg}
	for _, dir := range []string{
		"Applications", "Library/Application Support", "Library/LaunchAgents", "Library/LaunchDaemons", "private/etc/paths.d", "private/var/run",
		"Users/alex/Library/Application Support/Platen", "stubs",
	} {
		if err := os.MkdirAll(m.at("/"+dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write("/Users/alex/Library/Application Support/Platen/session", "kept")
	m.stub("launchctl", `[ "$1" != print ]`) // nothing is loaded
	m.stub("pkgutil", `[ "$1" = --forget ] || exit 1`)
	m.stub("ps", "printf '"+strings.ReplaceAll(someone, "\n", `\n`)+"'")
	m.stub("id", "echo 0")
	m.stub("pause", "exit 0")
	return m
}

func (m *mac) at(path string) string { return m.root + path }

func (m *mac) write(path, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.at(path)), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.at(path), []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mac) read(path string) string {
	m.t.Helper()
	data, err := os.ReadFile(m.at(path))
	if err != nil {
		m.t.Error(err)
	}
	return string(data)
}

// stub makes a tool that notes its arguments and then does something.
func (m *mac) stub(name, does string) { m.program("/stubs/"+name, name, does) }

func (m *mac) program(path, name, does string) {
	m.t.Helper()
	text := "#!/bin/sh\necho \"" + name + " $*\" >>'" + m.at("/calls") + "'\n" + does + "\n"
	m.write(path, text)
	if err := os.Chmod(m.at(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// calls are what the tools were asked since the last time, without questions.
func (m *mac) calls() []string {
	m.t.Helper()
	data, err := os.ReadFile(m.at("/calls"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
	_ = os.Remove(m.at("/calls"))
	var list []string
	for line := range strings.Lines(strings.ReplaceAll(string(data), m.root, "")) {
		line = strings.TrimSpace(line)
		if tool, _, _ := strings.Cut(line, " "); tool != "ps" && tool != "id" && tool != "pause" {
			list = append(list, line)
		}
	}
	return list
}

// moved is a script with its absolute paths below the root.
func (m *mac) moved(script string) string {
	m.t.Helper()
	for _, dir := range []string{"/Applications", "/Library/", "/private/etc", "/private/var"} {
		script = strings.ReplaceAll(script, "'"+dir, "'"+m.root+dir)
	}
	for path, stub := range map[string]string{
		"'/bin/launchctl'": "launchctl", "'/usr/sbin/pkgutil'": "pkgutil", "'/bin/ps'": "ps", "'/bin/sleep 1'": "pause",
	} {
		script = strings.ReplaceAll(script, path, "'"+m.at("/stubs/"+stub)+"'")
	}
	return strings.ReplaceAll(script, "/usr/bin/id -u", m.at("/stubs/id"))
}

// result is how a script ended.
type result struct {
	code int
	text string
}

func (m *mac) run(script string, env []string, args ...string) result {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), m.shell, append([]string{"-c", m.moved(script), "script"}, args...)...)
	cmd.Env = append([]string{"PATH=" + m.at("/nowhere"), "HOME=/nowhere"}, env...)
	cmd.Dir = "/"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		m.t.Fatal(err)
	} else if ok {
		return result{exit.ExitCode(), out.String()}
	}
	return result{0, out.String()}
}

func (m *mac) preinstall() result {
	return m.run(scriptOf(m.t, m.pkg, "preinstall"), nil, m.at("/tmp/platen.pkg"), "/", "/", "/")
}

func (m *mac) postinstall(pkg string) result {
	return m.run(scriptOf(m.t, m.pkg, "postinstall"), nil, pkg, "/", "/", "/")
}

func (m *mac) uninstall(env ...string) result { return m.run(m.read(support+"/uninstall.sh"), env) }

// install puts the payload where the installer would, and runs postinstall.
func (m *mac) install() {
	m.t.Helper()
	for path, data := range contents(m.t, m.pkg) {
		m.write(path, string(data))
	}
	m.program(support+"/bin/platen-deploy", "platen-deploy", "exit 0")
	if r := m.postinstall("/tmp/platen-1.2.3.pkg"); r.code != 0 || r.text != "" {
		m.t.Fatalf("postinstall: %+v", r)
	}
	m.calls()
}

// everything is what is below the root, with what files hold.
func (m *mac) everything() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(m.root, func(name string, d fs.DirEntry, err error) error {
		path := strings.TrimPrefix(name, m.root)
		if err != nil || strings.HasPrefix(path, "/stubs") || path == "/calls" || path == "" {
			return err
		}
		text := d.Type().String()
		if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += " " + string(data)
		}
		all[path] = text
		return nil
	}); err != nil {
		m.t.Fatal(err)
	}
	return all
}

// scriptOf takes a script out of a package: what is tested is what is shipped.
func scriptOf(t *testing.T, pkg, name string) string {
	t.Helper()
	r, err := flatpkg.Open(pkg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text := ""
	if err := r.Walk(identity.Package+".pkg/Scripts", func(e flatpkg.Entry, content io.Reader) error {
		data, err := io.ReadAll(content)
		if e.Path == name {
			text = string(data)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if text == "" {
		t.Fatalf("%s is not in the package", name)
	}
	return text
}

// inEachShell makes the package once, and returns what runs a test once for every shell.
func inEachShell(t *testing.T) func(name string, test func(t *testing.T, m *mac)) {
	t.Helper()
	pkg := build(t, input(t), macos.Options{})
	return func(name string, test func(t *testing.T, m *mac)) {
		for _, s := range shells {
			t.Run(s.name+"/"+name, func(t *testing.T) { test(t, newMac(t, pkg, testenv.Program(t, s.name, s.debianPackage))) })
		}
	}
}

func TestScriptsAreReadByEveryShell(t *testing.T) {
	pkg := build(t, input(t), macos.Options{})
	texts := map[string]string{"preinstall": scriptOf(t, pkg, "preinstall"), "postinstall": scriptOf(t, pkg, "postinstall")}
	texts["uninstall.sh"] = string(contents(t, pkg)[identity.Uninstaller])
	for name, text := range texts {
		for _, s := range shells {
			cmd := exec.CommandContext(t.Context(), testenv.Program(t, s.name, s.debianPackage), "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s -n %s: %v %s", s.name, name, err, out)
			}
		}
		if strings.Contains(text, "@VERSION@") || !strings.HasPrefix(text, "#!/bin/sh\n") {
			t.Errorf("%s is not finished", name)
		}
		// R-EXEC-1: programs are named by their absolute path (as command, in a condition, or behind a pipe).
		for i, line := range strings.Split(text, "\n") {
			words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t;|&()$`\"'", r) })
			for _, w := range words {
				if !strings.HasPrefix(strings.TrimSpace(line), "#") && slices.Contains([]string{"rm", "cp", "mv", "cat", "ls", "awk", "chmod", "chown", "launchctl", "ps", "id", "sort", "sleep", "find"}, w) {
					if !strings.Contains(line, "$"+w) && !strings.Contains(line, `"$`+w) {
						t.Errorf("%s:%d starts %s from the PATH: %s", name, i+1, w, line)
					}
				}
			}
		}
	}
}

func TestPreinstall(t *testing.T) {
	each := inEachShell(t)
	each("lets a first installation and upgrades pass, and changes nothing", func(t *testing.T, m *mac) {
		before := m.everything()
		if r := m.preinstall(); r.code != 0 || r.text != "" {
			t.Fatalf("first: %+v", r)
		}
		if diff := cmp.Diff(before, m.everything()); diff != "" {
			t.Errorf("it changed something:\n%s", diff)
		}
		m.install()
		before = m.everything()
		if r := m.preinstall(); r.code != 0 || r.text != "" {
			t.Fatalf("upgrade: %+v", r)
		}
		if diff := cmp.Diff(before, m.everything()); diff != "" {
			t.Errorf("it changed something:\n%s", diff)
		}
	})
	each("refuses a newer version only", func(t *testing.T, m *mac) {
		for installed, refused := range map[string]bool{ // this is 1.2.3-rc.1
			"0.9.9": false, "1.2.2": false, "1.2.3-dev": false, "1.2.3": false, "1.2.4": true, "1.3.0-rc.1": true, "1.10.0": true,
			"2.0.0": true, "": false,
		} {
			m.stub("pkgutil", "echo 'package-id: org.platenprint.platen'; echo 'version: "+installed+"'; echo 'volume: /'")
			r := m.preinstall()
			if (r.code != 0) != refused || refused && !strings.Contains(r.text, "version "+installed+" is installed, and this is 1.2.3-rc.1") {
				t.Errorf("over %s: %+v", installed, r)
			}
		}
	})
	each("refuses another disk", func(t *testing.T, m *mac) {
		if r := m.run(scriptOf(t, m.pkg, "preinstall"), nil, "/tmp/platen.pkg", "/Volumes/Other", "/Volumes/Other", "/"); r.code == 0 {
			t.Errorf("%+v", r)
		}
	})
	each("R_LINK_1 refuses links wherever the package writes", func(t *testing.T, m *mac) {
		m.install()
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("untouched"), 0o600); err != nil {
			t.Fatal(err)
		}
		for path := range contents(t, m.pkg) {
			for ; path != "/"; path = filepath.Dir(path) {
				if path == "/private" || path == "/private/etc" || path == "/Library" || strings.HasPrefix(path, identity.App+"/Contents/") && path != identity.Programs {
					continue // macOS' own, or inside of what is replaced as a whole
				}
				away := m.at("/away")
				if err := os.Rename(m.at(path), away); err != nil {
					t.Fatal(err)
				}
				for _, to := range []string{away, victim, "/nowhere/at/all"} {
					if err := os.Symlink(to, m.at(path)); err != nil {
						t.Fatal(err)
					}
					if r := m.preinstall(); r.code == 0 || !strings.Contains(r.text, path) {
						t.Errorf("%s as a link to %s: %+v", path, to, r)
					}
					if err := os.Remove(m.at(path)); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Rename(away, m.at(path)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if data, err := os.ReadFile(victim); err != nil || string(data) != "untouched" {
			t.Errorf("the file a link leads to: %q, %v", data, err)
		}
	})
	each("refuses what others can change", func(t *testing.T, m *mac) {
		m.install()
		for _, path := range []string{identity.App, support, support + "/bin"} {
			for _, mode := range []fs.FileMode{0o775, 0o757} {
				if err := os.Chmod(m.at(path), mode); err != nil {
					t.Fatal(err)
				}
				if r := m.preinstall(); r.code == 0 || !strings.Contains(r.text, path) {
					t.Errorf("%s with %o: %+v", path, mode, r)
				}
			}
			if err := os.Chmod(m.at(path), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if r := m.preinstall(); r.code != 0 {
			t.Errorf("as it should be: %+v", r)
		}
	})
	each("refuses what belongs to somebody else", func(t *testing.T, m *mac) {
		if os.Geteuid() != 0 {
			t.Skip("giving a file to somebody else needs root")
		}
		m.install()
		for _, path := range []string{identity.App, support, support + "/bin/platen-deploy", identity.AgentPlist} {
			if err := os.Chown(m.at(path), 65534, -1); err != nil {
				t.Fatal(err)
			}
			if r := m.preinstall(); r.code == 0 || !strings.Contains(r.text, path+" does not belong to root") {
				t.Errorf("%s: %+v", path, r)
			}
			if err := os.Chown(m.at(path), 0, -1); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestPostinstall(t *testing.T) {
	each := inEachShell(t)
	prepared := func(m *mac) {
		m.write(support+"/platen.conf.default", "# default\n")
		m.program(support+"/bin/platen-deploy", "platen-deploy", "exit 0")
	}
	const name = "/Library/Caches/platen-1.2.3.pkg"
	starts := []string{
		"launchctl bootout gui/501/org.platenprint.platen",
		"platen-deploy clients stop",
		"launchctl bootout system/org.platenprint.deploy",
		"launchctl bootstrap system /Library/LaunchDaemons/org.platenprint.deploy.plist",
		"launchctl bootstrap gui/501 /Library/LaunchAgents/org.platenprint.platen.plist",
	}
	each("pain8_starts the service and the programs of those who are logged on", func(t *testing.T, m *mac) {
		prepared(m)
		if r := m.postinstall(name); r.code != 0 || r.text != "" {
			t.Fatalf("%+v", r)
		}
		if diff := cmp.Diff(starts, m.calls()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := m.read(support + "/platen.conf"); got != "# default\n" {
			t.Errorf("platen.conf: %q", got)
		}
		if info, err := os.Stat(m.at(support + "/platen.conf")); err != nil || info.Mode() != 0o644 {
			t.Errorf("platen.conf: %v %v", info, err)
		}
	})
	each("pain8_keeps settings over an upgrade", func(t *testing.T, m *mac) {
		prepared(m)
		m.write(support+"/platen.conf", "ServerURL=https://print.example.org\n")
		m.write(support+"/installer-file", "platen--print.example.org.pkg\n")
		if r := m.postinstall(name); r.code != 0 || r.text != "" {
			t.Fatalf("%+v", r)
		}
		if got := m.read(support + "/platen.conf"); got != "ServerURL=https://print.example.org\n" {
			t.Errorf("platen.conf: %q", got)
		}
		if got := m.read(support + "/installer-file"); got != "platen--print.example.org.pkg\n" {
			t.Errorf("a package that names no server replaced the name of one that did: %q", got)
		}
	})
	each("E9_remembers the package's name if it names a server", func(t *testing.T, m *mac) {
		prepared(m)
		for name, want := range map[string]string{
			"/Users/x/Downloads/platen--print.example.org.pkg":                                           "platen--print.example.org.pkg",
			"platen--print.example.org--8443 (1).pkg":                                                    "platen--print.example.org--8443 (1).pkg",
			"/tmp/Platen-1.2.3--print.example.org--443--47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.pkg": "Platen-1.2.3--print.example.org--443--47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.pkg",
			"/tmp/platen--print%2Eexample.org.pkg.pkg":                                                   "platen--print%2Eexample.org.pkg.pkg",
			"":                                                  "",
			"/tmp/platen-1.2.3.pkg":                             "",
			"/tmp/other--print.example.org.pkg":                 "",
			"/tmp/platen--print.example.org":                    "",
			"/tmp/platen--a\nServerURL=b.pkg":                   "",
			"/tmp/platen--$(id).pkg":                            "",
			"/tmp/platen--`id`.pkg":                             "",
			"/tmp/platen--a;b.pkg":                              "",
			"/tmp/platen--a'b.pkg":                              "",
			`/tmp/platen--a\b.pkg`:                              "",
			"/tmp/platen--é.pkg":                                "",
			"/tmp/platen--\x1b[31m.pkg":                         "",
			"/tmp/platen--" + strings.Repeat("a", 200) + ".pkg": "",
		} {
			_ = os.Remove(m.at(support + "/installer-file"))
			if r := m.postinstall(name); r.code != 0 || r.text != "" {
				t.Errorf("%q: %+v", name, r)
			}
			data, err := os.ReadFile(m.at(support + "/installer-file"))
			if got := strings.TrimSuffix(string(data), "\n"); got != want || want == "" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: remembered %q, want %q (%v)", name, got, want, err)
			}
		}
	})
	each("R_LINK_1 writes through no link", func(t *testing.T, m *mac) {
		victim := m.at("/victim")
		for _, path := range []string{"/platen.conf", "/installer-file", "/platen.conf.new", "/installer-file.new"} {
			if err := os.RemoveAll(m.at(support)); err != nil {
				t.Fatal(err)
			}
			prepared(m)
			if err := os.Symlink(victim, m.at(support+path)); err != nil {
				t.Fatal(err)
			}
			r := m.postinstall("/tmp/platen--print.example.org.pkg")
			if temporary := strings.HasSuffix(path, ".new"); (r.code == 0) != temporary {
				t.Errorf("%s: %+v", path, r)
			}
			if _, err := os.Lstat(victim); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: the link was followed", path)
			}
		}
		// The folder itself.
		if err := os.RemoveAll(m.at(support)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(victim, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, m.at(support)); err != nil {
			t.Fatal(err)
		}
		m.write("/victim/platen.conf.default", "# default\n")
		if r := m.postinstall("/tmp/platen--print.example.org.pkg"); r.code == 0 || !strings.Contains(r.text, "is a link") {
			t.Errorf("%+v", r)
		}
		if left, err := os.ReadDir(victim); err != nil || len(left) != 1 {
			t.Errorf("below the link: %v %v", left, err)
		}
	})
	each("takes no other program for a session", func(t *testing.T, m *mac) {
		prepared(m)
		m.stub("ps", "printf '"+strings.ReplaceAll(strings.Join([]string{
			"0 /System/Library/CoreServices/loginwindow.app/Contents/MacOS/loginwindow",   // nobody is logged on there
			"248 /System/Library/CoreServices/loginwindow.app/Contents/MacOS/loginwindow", // set-up
			someone + someone + "502 /bin/zsh",
			"503 loginwindow", "504 /tmp/x /loginwindow", "-505 /loginwindow", "506;id /x", "507 /System/Library/CoreServices/loginwindow.app/Contents/MacOS/loginwindow",
		}, "\n"), "\n", `\n`)+"'")
		if r := m.postinstall(name); r.code != 0 {
			t.Fatalf("%+v", r)
		}
		var started []string
		for _, call := range m.calls() {
			if rest, ok := strings.CutPrefix(call, "launchctl bootstrap "); ok {
				started = append(started, rest[:strings.IndexByte(rest, ' ')])
			}
		}
		if want := []string{"system", "gui/501", "gui/507"}; !slices.Equal(started, want) {
			t.Errorf("started in %v, want %v", started, want)
		}
	})
	each("tries again while launchd is still ending the old one", func(t *testing.T, m *mac) {
		prepared(m)
		m.stub("launchctl", `if [ "$1" = bootstrap ]; then echo x >>"$0.tries"; [ "$(wc -l <"$0.tries")" -gt 3 ]; fi`)
		if r := m.postinstall(name); r.code != 0 || r.text != "" {
			t.Errorf("%+v", r)
		}
	})
	each("leaves nothing half written on a full disk", func(t *testing.T, m *mac) {
		prepared(m)
		m.write(support+"/platen.conf.default", strings.Repeat("# default\n", 1000))
		// Files of more than 512 bytes cannot be written, as if the disk were full.
		script := "trap '' XFSZ; ulimit -f 1\n" + scriptOf(t, m.pkg, "postinstall")
		if r := m.run(script, nil, name, "/", "/", "/"); r.code == 0 || !strings.Contains(r.text, "Is the disk full?") {
			t.Errorf("%+v", r)
		}
		left, err := os.ReadDir(m.at(support))
		if err != nil || len(left) != 2 {
			t.Errorf("left: %v %v", left, err)
		}
		if r := m.postinstall(name); r.code != 0 || len(m.read(support+"/platen.conf")) != 10_000 {
			t.Errorf("with room on the disk: %+v", r)
		}
	})
	each("ends well, and says so, where nothing can be started", func(t *testing.T, m *mac) {
		prepared(m)
		m.stub("launchctl", "exit 5")
		m.program(support+"/bin/platen-deploy", "platen-deploy", "exit 1")
		r := m.postinstall(name)
		if r.code != 0 || !strings.Contains(r.text, "it starts with the Mac") || !strings.Contains(r.text, "the program of user 501 could not be started now") {
			t.Errorf("%+v", r)
		}
	})
}

func TestUninstall(t *testing.T) {
	each := inEachShell(t)
	// used is a Mac on which Platen was used for a while.
	used := func(m *mac) map[string]string {
		before := m.everything()
		m.install()
		m.write(support+"/platen.conf", "ServerURL=https://print.example.org\n")
		m.write(support+"/installer-file", "platen--print.example.org.pkg\n")
		m.write(support+"/sys/device.json", "key")
		m.write(support+"/sys/log/deploy.log", "line")
		m.write("/private/var/run/platen/deploy.lock", "")
		return before
	}
	each("pain8_leaves nothing", func(t *testing.T, m *mac) {
		before := used(m)
		if r := m.uninstall(); r.code != 0 || !strings.Contains(r.text, "Platen is removed.") {
			t.Fatalf("%+v", r)
		}
		if diff := cmp.Diff(before, m.everything()); diff != "" {
			t.Errorf("before the installation, and after the removal:\n%s", diff)
		}
		want := []string{
			"platen-deploy clients purge", "launchctl bootout gui/501/org.platenprint.platen", "launchctl bootout system/org.platenprint.deploy",
			"launchctl print system/org.platenprint.deploy", "platen-deploy purge", "pkgutil --forget org.platenprint.platen",
		}
		if diff := cmp.Diff(want, m.calls()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	each("pain8_KEEPDATA=1 keeps settings and enrolment", func(t *testing.T, m *mac) {
		want := used(m)
		if r := m.uninstall("KEEPDATA=1"); r.code != 0 || !strings.Contains(r.text, "Settings and enrolment stay") {
			t.Fatalf("%+v", r)
		}
		for path, text := range map[string]string{
			"": "d---------", "/platen.conf": "---------- ServerURL=https://print.example.org\n", "/installer-file": "---------- platen--print.example.org.pkg\n",
			"/sys": "d---------", "/sys/device.json": "---------- key", "/sys/log": "d---------", "/sys/log/deploy.log": "---------- line",
		} {
			want[support+path] = text
		}
		if diff := cmp.Diff(want, m.everything()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, call := range m.calls() {
			if strings.Contains(call, "purge") {
				t.Errorf("%s was asked", call)
			}
		}
		// What was kept is there for the next installation.
		m.install()
		if got := m.read(support + "/platen.conf"); got != "ServerURL=https://print.example.org\n" {
			t.Errorf("installed again: %q", got)
		}
	})
	each("wrong calls change nothing", func(t *testing.T, m *mac) {
		used(m)
		before := m.everything()
		script := m.read(support + "/uninstall.sh")
		for _, c := range []struct {
			env, args []string
			id        string
			code      int
		}{
			{env: []string{"KEEPDATA=yes"}, id: "0", code: 2},
			{args: []string{"--help"}, id: "0", code: 2},
			{id: "501", code: 3},
		} {
			m.stub("id", "echo "+c.id)
			if r := m.run(script, c.env, c.args...); r.code != c.code || r.text == "" {
				t.Errorf("%+v: %+v", c, r)
			}
		}
		if diff := cmp.Diff(before, m.everything()); diff != "" {
			t.Errorf("something changed:\n%s", diff)
		}
	})
	each("R_LINK_1 removes links, not what they lead to", func(t *testing.T, m *mac) {
		for _, path := range []string{identity.App, support, identity.AgentPlist, support + "/sys", support + "/bin", "/private/var/run/platen"} {
			used(m)
			if err := os.RemoveAll(m.at(path)); err != nil {
				t.Fatal(err)
			}
			m.write("/victim/bin/precious", "untouched")
			m.program("/victim/bin/platen-deploy", "planted", "exit 0")
			m.program("/victim/platen-deploy", "planted", "exit 0")
			if err := os.Symlink(m.at("/victim"), m.at(path)); err != nil {
				t.Fatal(err)
			}
			script := string(contents(t, m.pkg)[identity.Uninstaller])
			m.run(script, nil)
			if got := m.read("/victim/bin/precious"); got != "untouched" {
				t.Errorf("%s: %q", path, got)
			}
			if calls := m.calls(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "planted") }) {
				t.Errorf("%s: what somebody else has put there was run as root: %v", path, calls)
			}
			if _, err := os.Lstat(m.at(path)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is still there: %v", path, err)
			}
		}
	})
	each("R_EXEC_1 runs nothing that is not root's", func(t *testing.T, m *mac) {
		if os.Getuid() != 0 {
			t.Skip("needs root, to give files away")
		}
		for _, path := range []string{support, support + "/bin", support + "/bin/platen-deploy"} {
			used(m)
			m.calls()
			if err := os.Lchown(m.at(path), 501, 20); err != nil {
				t.Fatal(err)
			}
			m.uninstall()
			if calls := m.calls(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "platen-deploy") }) {
				t.Errorf("%s is somebody's, and yet: %v", path, calls)
			}
			if _, err := os.Lstat(m.at(support)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
		}
	})
	each("waits until the service has ended", func(t *testing.T, m *mac) {
		used(m)
		m.stub("launchctl", `if [ "$1" = print ]; then echo x >>"$0.tries"; [ "$(wc -l <"$0.tries")" -lt 3 ]; fi`)
		if r := m.uninstall(); r.code != 0 {
			t.Errorf("%+v", r)
		}
		calls := m.calls()
		asked := 0
		for _, call := range calls[:slices.Index(calls, "platen-deploy purge")] {
			if call == "launchctl print system/org.platenprint.deploy" {
				asked++
			}
		}
		if asked != 3 {
			t.Errorf("it was asked %d times whether it has ended: %v", asked, calls)
		}
	})
	each("says what it could not do, and removes the rest", func(t *testing.T, m *mac) {
		before := used(m)
		m.program(support+"/bin/platen-deploy", "platen-deploy", "exit 1")
		m.stub("launchctl", "exit 5")
		m.stub("pkgutil", "exit 1")
		r := m.uninstall()
		if r.code != 1 || !strings.Contains(r.text, "not everything that is kept of people could be removed") || !strings.Contains(r.text, "but not wholly") {
			t.Errorf("%+v", r)
		}
		if diff := cmp.Diff(before, m.everything()); diff != "" {
			t.Errorf("left:\n%s", diff)
		}
	})
	each("works on what is half there", func(t *testing.T, m *mac) {
		used(m)
		script := m.read(support + "/uninstall.sh")
		for _, path := range []string{identity.App, support + "/bin", identity.AgentPlist} {
			if err := os.RemoveAll(m.at(path)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 { // and a second time
			if r := m.run(script, nil); r.code != 0 {
				t.Errorf("run %d: %+v", i, r)
			}
		}
		if _, err := os.Lstat(m.at(support)); !errors.Is(err, fs.ErrNotExist) {
			t.Error(fmt.Sprint(err))
		}
	})
}
