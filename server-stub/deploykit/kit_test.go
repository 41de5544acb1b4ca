package deploykit

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/server-stub/core"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the program says (-file +program); if it is meant, run with -update and review it:\n%s", file, diff)
	}
}

const pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

var made = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

func site() Options {
	return Options{
		Site: Site{
			ServerURL: "https://print.example.org:8443", CAPin: pin, DeviceAddress: "print.example.org:8445",
			Organisation: "Example *University* & <Sons>", UPNSuffix: "example.org", Version: "1.2.3",
		},
		Enforced:    []policy.Value{{Name: "UPNSuffix", Text: "CORP=example.org; lab.example.org"}, {Name: "DeviceRole", Text: "shared"}, {Name: "SharedOSUsers", Text: "kiosk,O'Neill"}},
		Recommended: []policy.Value{{Name: "HideBalance", Text: "yes"}},
		Time:        made,
	}
}

// release makes a folder with stand-ins of a release's packages.
func release(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for _, name := range []string{
		"platen-1.2.3-x64.msi", "platen-1.2.3.pkg", "platen_1.2.3_amd64.deb", "platen_1.2.3_arm64.deb", "platen-1.2.3-1.x86_64.rpm",
		"platen-server_1.2.3_amd64.deb", "platen-server-1.2.3-1.x86_64.rpm", "platen-server-1.2.3-linux-amd64.tar.gz", "platen-1.2.3-x64.msi.cdx.json",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("stand-in of "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	if _, err := sums.Write(files); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, o Options, token *Token) string {
	t.Helper()
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if token != nil {
		if err := k.AddToken(*token); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "kit")
	if _, err := k.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tree lists files with their modes and all of their content.
func tree(t *testing.T, dir string) (listing string, content map[string]string) {
	t.Helper()
	var b strings.Builder
	content = map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %s\n", info.Mode(), name)
		if !e.IsDir() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content[name] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), content
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestE9_KitIsAsReviewed(t *testing.T) {
	o := site()
	o.Packages = release(t)
	dir := write(t, o, &Token{Text: secret.New("print.example.org:8445~" + pin + "~plt_e_secret"), ID: "abcd", Until: made.Add(72 * time.Hour), For: "any number of computers in 10.20.0.0/16"})
	listing, content := tree(t, dir)
	golden(t, "listing.golden", []byte(listing))
	golden(t, "README.golden.md", []byte(content["README.md"]))
	golden(t, "gpo.golden.ps1", []byte(content["windows/gpo.ps1"]))
	golden(t, "pkginfo.golden.plist", []byte(content["macos/platen.pkginfo.plist"]))
	golden(t, "site.golden.conf", []byte(content["linux/site.conf"]))
	golden(t, "detect.golden.ps1", []byte(content["windows/detect.ps1"]))

	plain := site()
	plain.CAPin, plain.DeviceAddress, plain.Organisation, plain.Enforced, plain.Recommended = "", "", "", nil, nil
	plain.ServerURL = "https://print.example.org"
	dir = write(t, plain, nil)
	listing, content = tree(t, dir)
	golden(t, "plain-listing.golden", []byte(listing))
	golden(t, "plain-README.golden.md", []byte(content["README.md"]))
}

func TestTheSameKitTwiceIsTheSame(t *testing.T) {
	o := site()
	o.Packages = release(t)
	_, one := tree(t, write(t, o, nil))
	_, two := tree(t, write(t, o, nil))
	if diff := cmp.Diff(one, two); diff != "" {
		t.Error(diff)
	}
}

func TestSumsAreRight(t *testing.T) {
	o := site()
	o.Packages = release(t)
	dir := write(t, o, nil)
	cmd := exec.CommandContext(t.Context(), "sha256sum", "--strict", "-c", sums.Name)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, content := tree(t, dir)
	if got := strings.Count(string(out), ": OK"); got != len(content)-1 {
		t.Errorf("%d sums for %d files", got, len(content)-1)
	}
}

// E9: the copies' names tell the computer this server and its pin, the copies are the packages.
func TestE9_PackagesAreNamedAfterTheServer(t *testing.T) {
	for url, want := range map[string]settings.PackageName{
		"https://print.example.org:8443": {Host: "print.example.org", Port: 8443, Pin: pin},
		"https://print.example.org":      {Host: "print.example.org", Port: 443, Pin: pin},
		"https://PRINT":                  {Host: "print", Port: 443, Pin: pin},
		"https://xn--drucker-d1a.test":   {Host: "xn--drucker-d1a.test", Port: 443, Pin: pin},
	} {
		o := site()
		o.ServerURL, o.Packages = url, release(t)
		dir := write(t, o, nil)
		for system, ending := range map[string]string{"windows": ".msi", "macos": ".pkg"} {
			names, err := filepath.Glob(filepath.Join(dir, system, "platen--*"+ending))
			if err != nil || len(names) != 1 {
				t.Fatalf("%s: %v %v", url, names, err)
			}
			got, told, err := settings.ParsePackageName(names[0])
			if diff := cmp.Diff(want, got); diff != "" || !told || err != nil {
				t.Errorf("%s: %s: %v %v\n%s", url, names[0], told, err, diff)
			}
			if text, err := os.ReadFile(names[0]); err != nil || !strings.HasPrefix(string(text), "stand-in of platen-1.2.3") {
				t.Errorf("%s: %q %v", names[0], text, err)
			}
		}
	}
	o := site()
	o.CAPin, o.Packages = "", release(t)
	if k, err := New(o); err != nil || k.msiName() != "platen--print.example.org--8443.msi" {
		t.Errorf("without a pin: %v", err)
	}
	for _, url := range []string{"https://[2001:db8::1]:8443", "https://print_server.example.org"} { // no file name can hold these
		o := site()
		o.ServerURL, o.Packages = url, release(t)
		dir := write(t, o, nil)
		if text := read(t, dir, "README.md"); !strings.Contains(text, `msiexec /i "platen-1.2.3-x64.msi" /qn /norestart /l*v "C:\Windows\Logs\platen-install.log" SERVERURL="`+url+`"`) {
			t.Errorf("%s:\n%s", url, text)
		}
		if text := read(t, dir, "windows/platen-1.2.3-x64.msi"); !strings.HasPrefix(text, "stand-in") {
			t.Errorf("%s: %s", url, text)
		}
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	mixed := release(t)
	if err := os.WriteFile(filepath.Join(mixed, "platen-1.2.4-x64.msi"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	damaged := release(t)
	if err := os.WriteFile(filepath.Join(damaged, "platen-1.2.3.pkg"), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"put public_url: https://HOST:PORT into":   func(o *Options) { o.ServerURL = "" },
		"plain http is never used":                 func(o *Options) { o.ServerURL = "http://print.example.org" },
		"must be host and port only":               func(o *Options) { o.ServerURL = "https://print.example.org/platen" },
		"DeviceRole=kiosk is none of":              func(o *Options) { o.Enforced = []policy.Value{{Name: "DeviceRole", Text: "kiosk"}} },
		`there is no setting "HideMoney"`:          func(o *Options) { o.Recommended = []policy.Value{{Name: "HideMoney", Text: "yes"}} },
		"ServerURL is given twice":                 func(o *Options) { o.Enforced = []policy.Value{{Name: "ServerURL", Text: "https://evil.example.org"}} },
		"both enforced and recommended":            func(o *Options) { o.Recommended = []policy.Value{{Name: "DeviceRole", Text: "personal"}} },
		"keep the version that is to be installed": func(o *Options) { o.Packages = mixed },
		"damaged or changed":                       func(o *Options) { o.Packages = damaged },
		"has no package such as":                   func(o *Options) { o.Packages = t.TempDir() },
		"look for packages":                        func(o *Options) { o.Packages = "/nowhere" },
		"ten capital letters":                      func(o *Options) { o.TeamID = "x" },
	} {
		o := site()
		change(&o)
		_, err := New(o)
		if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not: %s", err, want)
		}
	}
}

// Values that somebody chose with bad intentions stay values: in the script, in the instructions, and on no command line.
func TestE9_HostileValuesBreakOutOfNothing(t *testing.T) {
	const evil = `x'; Remove-Item C:\ -Recurse; ’$(id)” & calc | "` + "`id`" + ` %COMSPEC% <b>`
	o := site()
	o.Packages = release(t)
	o.Organisation = "A `b` [c](https://evil.example.org) <script>\n# Fake\x1b[0m\u202e"
	o.Enforced = []policy.Value{{Name: "SharedOSUsers", Text: evil}, {Name: "UPNSuffix", Text: "R&D'$(id)`=example.org"}, {Name: "CAFile", Text: `/tmp/"; rm -rf "$HOME|x`}}
	dir := write(t, o, nil)

	if got := setLines(t, read(t, dir, "windows/gpo.ps1")); got["SharedOSUsers"] != evil || got["UPNSuffix"] != o.Enforced[1].Text || got["CAFile"] != o.Enforced[2].Text {
		t.Errorf("the script sets %q", got)
	}
	readme := read(t, dir, "README.md")
	for line := range strings.SplitSeq(readme, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "msiexec") && strings.Contains(strings.ToLower(line), "temp") {
			t.Errorf("SYSTEM is to write where everybody may: %s", line)
		}
		if strings.HasPrefix(line, "msiexec") && strings.ContainsAny(line, "'`$&|<>") {
			t.Errorf("a command line has %s", line)
		}
		if strings.HasPrefix(line, "# ") && line != "# Platen for A \\`b\\` \\[c\\]\\(https://evil.example.org\\) \\<script\\> \\# Fake?\\[0m?" {
			t.Errorf("a heading: %q", line)
		}
	}
	if !strings.Contains(readme, "The command line does not have UPNSuffix") && !strings.Contains(readme, "UPNSuffix, ") {
		t.Error("nobody is told that the command line lacks UPNSuffix")
	}
	// And they are still there for the client.
	text := []byte(read(t, dir, "linux/site.conf"))
	computer := sources.Computer{GOOS: "linux", ReadFile: func(path string) ([]byte, error) {
		if path == settings.SiteFile {
			return text, nil
		}
		return nil, fs.ErrNotExist
	}}
	values, warnings := sources.Find(t.Context(), sources.Set{Ordered: sources.Person(computer)})
	for _, v := range o.Enforced {
		if got := values.Get(v.Name); got.Text != v.Text || got.Origin.Kind != sources.KindSiteFile {
			t.Errorf("%s is %q (%s)", v.Name, got.Text, got.Origin)
		}
	}
	if len(warnings) > 0 {
		t.Error(warnings)
	}
}

var setLine = regexp.MustCompile(`^Set-GPRegistryValue -Name \$Name -Key ('HKLM\\Software\\Policies\\Platen(?:\\Recommended)?') -ValueName '([A-Za-z]+)' -Type (String|DWord|MultiString) -Value (.*) \| Out-Null$`)

// setLines are the values that the script sets, read as PowerShell reads its literals; anything else in such a line fails.
func setLines(t *testing.T, script string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimPrefix(script, "\ufeff"), "\r\n") {
		if !strings.HasPrefix(line, "Set-") {
			continue
		}
		m := setLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("the line %s", line)
		}
		literal := m[4]
		switch m[3] {
		case "DWord":
			got[m[2]] = literal
			continue
		case "MultiString":
			inner, ok := strings.CutPrefix(literal, "([string[]]@(")
			if !ok {
				t.Fatalf("the list %s", literal)
			}
			literal = strings.TrimSuffix(inner, "))")
		}
		var items []string
		for literal != "" {
			text, rest := unquote(t, literal)
			items = append(items, text)
			literal = strings.TrimPrefix(rest, ", ")
		}
		got[m[2]] = strings.Join(items, ",")
	}
	return got
}

// unquote reads a literal in single quotes: any of PowerShell's quotes ends it, unless it stands there twice.
func unquote(t *testing.T, text string) (value, rest string) {
	t.Helper()
	runes := []rune(text)
	if len(runes) == 0 || runes[0] != '\'' {
		t.Fatalf("no literal: %s", text)
	}
	var b strings.Builder
	for i := 1; i < len(runes); i++ {
		if strings.ContainsRune("'‘’‚‛", runes[i]) {
			if i+1 < len(runes) && strings.ContainsRune("'‘’‚‛", runes[i+1]) {
				b.WriteRune(runes[i])
				i++
				continue
			}
			return b.String(), string(runes[i+1:])
		}
		b.WriteRune(runes[i])
	}
	t.Fatalf("the literal does not end: %s", text)
	return "", ""
}

// R-SECRET: the token is in its own files, which their owner alone can read, and nowhere else; without one there is no secret.
func TestE9_TheTokenIsInItsOwnFilesOnly(t *testing.T) {
	_, content := tree(t, write(t, site(), nil))
	for name := range content {
		if strings.HasPrefix(name, "secret") {
			t.Errorf("there is %s", name)
		}
	}
	dir := write(t, site(), &Token{Text: secret.New("print.example.org:8445~plt_e_verysecret"), ID: "abcd", Until: made, For: "one computer"})
	listing, content := tree(t, dir)
	var with []string
	for name, text := range content {
		if strings.Contains(text, "plt_e_verysecret") {
			with = append(with, name)
		}
	}
	slices.Sort(with)
	if diff := cmp.Diff([]string{"secret/enrolment.token", "secret/platen-enrolment.mobileconfig"}, with); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"drwx------ secret\n", "-rw------- secret/enrolment.token\n", "-rw------- secret/platen-enrolment.mobileconfig\n"} {
		if !strings.Contains(listing, line) {
			t.Errorf("no %q in\n%s", line, listing)
		}
	}
	if !strings.Contains(content["secret/platen-enrolment.mobileconfig"], "org.platenprint.deploy") || strings.Contains(content["secret/platen-enrolment.mobileconfig"], "ServerURL") {
		t.Error("the profile of the token is not for the service alone")
	}
	if !strings.Contains(content["README.md"], "enrolment revoke abcd") {
		t.Error("the instructions do not say how to end the token")
	}
}

func TestAFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	k, err := New(site())
	if err != nil {
		t.Fatal(err)
	}
	for name, prepare := range map[string]func(dir string) error{
		"a file":            func(dir string) error { return os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644) },
		"a hidden file":     func(dir string) error { return os.WriteFile(filepath.Join(dir, ".bashrc"), nil, 0o644) },
		"a file deep below": func(dir string) error { return os.WriteFile(filepath.Join(dir, "windows", "notes.txt"), nil, 0o644) },
		"a changed file":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "README.md"), []byte("mine"), 0o644) },
		"a link":            func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, "link")) },
		"a link for a file": func(dir string) error {
			path := filepath.Join(dir, "linux", "site.conf")
			return errors.Join(os.Rename(path, path+".kept"), os.Symlink(path+".kept", path))
		},
		"other sums": func(dir string) error { return os.WriteFile(filepath.Join(dir, sums.Name), []byte("my list"), 0o644) },
	} {
		dir := write(t, site(), nil)
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before, _ := tree(t, dir)
		if _, err := k.Write(dir); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "choose an empty folder") {
			t.Errorf("%s: %v", name, err)
		}
		if err := Free(dir); err == nil {
			t.Errorf("%s: free", name)
		}
		if after, _ := tree(t, dir); before != after {
			t.Errorf("%s: %s", name, cmp.Diff(before, after))
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Write(file); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a file: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Write(link); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a link: %v", err)
	}
}

// An earlier kit is replaced as a whole: nothing of it stays, and no folder but the kit is left beside it.
func TestAnEarlierKitIsReplaced(t *testing.T) {
	o := site()
	o.Packages = release(t)
	dir := write(t, o, &Token{Text: secret.New("print.example.org:8445~plt_e_x"), ID: "abcd", Until: made})
	o.Packages, o.Time = "", made.Add(time.Hour)
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Write(dir); err != nil {
		t.Fatal(err)
	}
	_, got := tree(t, dir)
	_, want := tree(t, write(t, o, nil))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	beside, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(beside) != 1 {
		t.Errorf("%v %v", beside, err)
	}
	empty := t.TempDir()
	if _, err := k.Write(empty); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}

// A disk that is full, or a package that goes away meanwhile, leaves nothing behind.
func TestAFailedWriteLeavesNothing(t *testing.T) {
	o := site()
	o.Packages = release(t)
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.Packages, "platen-1.2.3.pkg")); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if _, err := k.Write(filepath.Join(parent, "kit")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
}

// A package that changes between the look at it and its copy does not get into the kit.
func TestAPackageThatChangesMeanwhileIsRefused(t *testing.T) {
	o := site()
	o.Packages = release(t)
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Packages, "platen-1.2.3-x64.msi"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kit")
	if _, err := k.Write(dir); !errors.Is(err, core.ErrConflict) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the kit is there: %v", err)
	}
}

// What is written about packages of a version before a release has the names that package managers use.
func TestVersionsBeforeARelease(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"platen-1.3.0-rc.1-x64.msi", "platen_1.3.0~rc.1_amd64.deb", "platen-1.3.0~rc.1-1.x86_64.rpm"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := findPackages(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*pack{found.msi, found.debAMD, found.rpmX} {
		if want := (product.Release{Version: "1.3.0-rc.1"}); p == nil || p.version != want {
			t.Errorf("%+v", p)
		}
	}
}
