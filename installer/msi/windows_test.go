package msi

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/winres"
	"github.com/platenprint/platen/internal/testenv"
)

// Where the package puts things.
const (
	folder    = `C:\Program Files\Platen`
	data      = `C:\ProgramData\Platen`
	ours      = `HKLM\Software\Platen`
	runKey    = `HKLM\Software\Microsoft\Windows\CurrentVersion\Run`
	uninstall = `HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall`
	services  = `HKLM\System\CurrentControlSet\Services\PlatenDeploy`
	commands  = `C:\commands.log` // the stand-in of platen-deploy writes it
	deploy    = folder + `\platen-deploy.exe`
)

// desk is a Windows computer, with the packages that are tried on it.
type desk struct {
	*testenv.Windows
	probe    string
	packages map[string]string // path by version
	dir      string
}

// state is how the computer stands.
type state struct {
	Values   map[string]map[string]string // of the registry, by key
	Services map[string]struct {
		Running  bool
		Recovery []string
	}
}

// compile builds a program for Windows and returns its path.
func compile(t testing.TB, dir, name, folder string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, folder)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// in is the input of a version's package: stand-ins, and platen-deploy's is a real service.
func (d *desk) in(t testing.TB, version string, others map[string]string) product.Input {
	t.Helper()
	in := standIns(t, release(t, version))
	for name, path := range others {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(t, in, name, content)
	}
	in.Out = d.dir
	return in
}

// state asks how the computer stands.
func (d *desk) state(t testing.TB) state {
	t.Helper()
	out, code := d.Run(t, d.Path(d.probe), ours, runKey, uninstall, services)
	var s state
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 {
		t.Fatalf("the probe said %q, exit code %d: %v", out, code, err)
	}
	return s
}

var ended = regexp.MustCompile(`Action ended [0-9:]+: (\w+)\. Return value (\d+)\.`)

// msiexec runs Windows Installer silently; it tells how that ended (1 is success), by the log, which it returns as well: Wine keeps
// eight bits of exit codes.
func (d *desk) msiexec(t testing.TB, args ...string) (ok bool, log string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "msi.log")
	var text []byte
	for try := 1; text == nil; try++ {
		output, code := d.Run(t, "msiexec", append(args, "/qn", "/l*v", d.Path(file))...)
		var err error
		if text, err = os.ReadFile(file); err == nil {
			break
		}
		// On a busy machine Wine seldom ends a program before it has begun; the log is the first thing that msiexec makes.
		t.Logf("msiexec %v left no log, said %q, exit code %d: %v", args, output, code, err)
		if try == 3 {
			t.FailNow()
		}
	}
	for _, m := range ended.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "INSTALL" {
			ok = m[2] == "1"
		}
	}
	return ok, string(text)
}

// install installs a package whose service is the stand-in, and waits for that: Windows Installer does not, and what comes next
// would meet a service that is just being started. It fails the test if one of the two fails.
func (d *desk) install(t testing.TB, version string, properties ...string) {
	t.Helper()
	d.put(t, version, properties...)
	d.serves(t)
}

// put installs a package and fails the test if that fails.
func (d *desk) put(t testing.TB, version string, properties ...string) {
	t.Helper()
	if ok, log := d.msiexec(t, append([]string{"/i", d.Path(d.packages[version])}, properties...)...); !ok {
		t.Fatalf("%s was not installed:\n%s", version, log)
	}
}

// serves waits for the service.
func (d *desk) serves(t testing.TB) {
	t.Helper()
	testenv.Await(t, "the service", func() bool { return d.state(t).Services["PlatenDeploy"].Running })
}

// remove uninstalls a package and fails the test if anything is left.
func (d *desk) remove(t testing.TB, version string, properties ...string) {
	t.Helper()
	if ok, log := d.msiexec(t, append([]string{"/x", d.Path(d.packages[version])}, properties...)...); !ok {
		t.Fatalf("%s was not removed:\n%s", version, log)
	}
	d.nothing(t)
}

// nothing fails the test if anything of Platen is there, but what the programs themselves have stored.
func (d *desk) nothing(t testing.TB) {
	t.Helper()
	s := d.state(t)
	for key, values := range s.Values {
		switch {
		case key == runKey && values["Platen"] != "", strings.HasPrefix(key, ours), strings.HasPrefix(key, services),
			strings.HasPrefix(key, uninstall+`\`) && values["DisplayName"] == "Platen":
			t.Errorf("left: %s %v", key, values)
		}
	}
	if len(s.Services) != 0 {
		t.Errorf("left: %v", s.Services)
	}
	if d.Running(t, deploy) {
		t.Error("the service runs on")
	}
	if left, err := os.ReadDir(d.File(folder)); err == nil {
		t.Errorf("the folder is left, with %v", left)
	}
	for _, path := range append(d.cached(t), d.shortcuts(t)...) {
		t.Errorf("left: %s", path)
	}
}

// cached are the copies that Windows keeps of packages.
func (d *desk) cached(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(d.File(`C:\windows\Installer\*`))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// shortcuts are the entries of the Start menu, of all users or, as Wine has it, of the one there is.
func (d *desk) shortcuts(t testing.TB) []string {
	t.Helper()
	var found []string
	for _, menu := range []string{
		`C:\users\*\AppData\Roaming\Microsoft\Windows\Start Menu\Programs\Platen*`, `C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Platen*`,
	} {
		paths, err := filepath.Glob(d.File(menu))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	return found
}

// told returns what the stand-in was told since the last time, "run-service" and "stopped" included.
func (d *desk) told(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile(d.File(commands))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err == nil {
		if err := os.Remove(d.File(commands)); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Fields(strings.ReplaceAll(strings.ReplaceAll(string(text), " ", "_"), "\r", ""))
}

func TestOnWindows(t *testing.T) {
	began := time.Now()
	d := &desk{Windows: testenv.StartWindows(t), dir: t.TempDir(), packages: map[string]string{}}
	d.probe = compile(t, d.dir, "probe.exe", "./testdata/probe")
	standIn := map[string]string{"platen-deploy.exe": compile(t, d.dir, "deploy.exe", "./testdata/deploy")}
	for _, version := range []string{"1.0.0", "1.1.0-rc.1", "1.1.0"} {
		d.packages[version] = build(t, d.in(t, version, standIn))
	}
	// Its service cannot be started: the program ends at once.
	d.packages["1.2.0"] = build(t, d.in(t, "1.2.0", nil))
	t.Logf("the computer and its packages were made in %v", time.Since(began).Round(time.Millisecond))

	for _, c := range []struct {
		name string
		try  func(*testing.T, *desk)
	}{
		{"E9_pain8_silent installation and removal", silent},
		{"E9_AUTOSTART=0 starts nobody's client", noAutoStart},
		{"pain8_upgrade remembers properties, and the command line wins", upgrade},
		{"pain8_final version replaces the one before it", sameNumbers},
		{"pain8_older version is refused", downgrade},
		{"E9_wrong values are refused and nothing is changed", wrongValues},
		{"pain8_KEEPDATA=1 keeps what is stored", keepsData},
		{"pain8_repair", repair},
		{"E9_settings are changed in place", changeInPlace},
		{"C11_repair by somebody else changes no setting", othersRepair},
		{"E9_package that is named for a server", named},
		{"E9_double-click", doubleClick},
		{"pain8_installation that fails leaves nothing", rollsBack},
		{"pain8_upgrade that is killed half-way is done by the next one", killed},
		{"E9_pain8_real programs, without their server, upgraded while a client runs", realPrograms},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.told(t)
			c.try(t, d)
			if t.Failed() { // the next one starts with a clean computer
				for version := range d.packages {
					d.msiexec(t, "/x", d.Path(d.packages[version]))
				}
			}
		})
	}
	t.Logf("all in %v", time.Since(began).Round(time.Millisecond))
}

func silent(t *testing.T, d *desk) {
	began := time.Now()
	d.put(t, "1.0.0", "SERVERURL=https://print.example.org:8443", "CAPIN=sha256/jBWtFkGSwSBlxDGUvcdEZjsWQ8VGMGuIgmh8CfgpIuo=",
		"UPNSUFFIX=example.org", "AUTHMODE=trust", "DEVICEROLE=shared")
	t.Logf("silent installation took %v", time.Since(began).Round(time.Millisecond))
	d.serves(t)
	s := d.state(t)
	want := map[string]string{
		"ServerURL": "https://print.example.org:8443", "CAPin": "sha256/jBWtFkGSwSBlxDGUvcdEZjsWQ8VGMGuIgmh8CfgpIuo=", "UPNSuffix": "example.org",
		"AuthMode": "trust", "DeviceRole": "shared", "Version": "1.0.0", "StartMenu": "1", "InstallerFile": d.Path(d.packages["1.0.0"]),
	}
	if diff := cmp.Diff(want, s.Values[ours]); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got := s.Values[runKey]["Platen"]; got != `"`+folder+`\platen.exe" run --at-logon` {
		t.Errorf("at log-on starts %s", got)
	}
	rule := detection.Of(release(t, "1.0.0"))
	entry := s.Values[uninstall+`\`+rule.ProductCode]
	if entry["DisplayName"] != "Platen" || entry["DisplayVersion"] != "1.0.0" || entry["Publisher"] != "Platen Project" || entry["NoModify"] != "1" {
		t.Errorf("in the list of programs: %v", entry)
	}
	if got := s.Values[rule.Key][rule.Value]; got != rule.Version {
		t.Errorf("the detection rule finds %q", got)
	}
	// R_WIN_1: the path of the service's program is quoted; it is Windows' own account, and starts with the computer.
	service := s.Values[services]
	if service["ImagePath"] != `"`+deploy+`" run-service` || service["ObjectName"] != "LocalSystem" || service["Start"] != "2" {
		t.Errorf("the service: %v", service)
	}
	if !s.Services["PlatenDeploy"].Running || !d.Running(t, deploy) {
		t.Errorf("the service does not run: %v", s.Services)
	}
	var files []string
	entries, err := os.ReadDir(d.File(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		files = append(files, e.Name())
	}
	if diff := cmp.Diff([]string{"LICENSE.txt", "THIRD-PARTY-NOTICES.txt", "platen-deploy.exe", "platen-window.exe", "platen.exe"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if menu := d.shortcuts(t); len(menu) != 1 || filepath.Base(menu[0]) != "Platen.lnk" {
		t.Errorf("Start menu: %v", menu)
	}
	told := d.told(t)
	// The service begins when it likes; for whoever is logged on the client is started once it is all there.
	if len(told) == 0 || told[0] != "install" || !slices.Contains(told, "run-service") || !slices.Contains(told, "clients_start") {
		t.Errorf("platen-deploy was told %v", told)
	}
	began = time.Now()
	d.remove(t, "1.0.0")
	t.Logf("removal took %v", time.Since(began).Round(time.Millisecond))
	if diff := cmp.Diff([]string{"clients_purge", "clients_stop", "purge", "stopped"}, sorted(d.told(t))); diff != "" {
		t.Errorf("at the removal platen-deploy was told (-want +got):\n%s", diff)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func noAutoStart(t *testing.T, d *desk) {
	for _, off := range []string{"0", "No"} {
		d.install(t, "1.0.0", "AUTOSTART="+off)
		s := d.state(t)
		if got, there := s.Values[runKey]["Platen"]; there || s.Values[ours]["AutoStart"] != off {
			t.Errorf("AUTOSTART=%s: at log-on starts %q, settings %v", off, got, s.Values[ours])
		}
		if told := d.told(t); slices.Contains(told, "clients_start") {
			t.Errorf("AUTOSTART=%s: platen-deploy was told %v", off, told)
		}
		d.remove(t, "1.0.0")
	}
}

func upgrade(t *testing.T, d *desk) {
	d.install(t, "1.0.0", "SERVERURL=https://old.example.org", "UPNSUFFIX=example.org", "AUTHMODE=prompt", "AUTOSTART=0")
	d.told(t)
	d.install(t, "1.1.0", "SERVERURL=https://new.example.org:8443", "AUTHMODE=-")
	s := d.state(t)
	want := map[string]string{
		"ServerURL": "https://new.example.org:8443", "UPNSuffix": "example.org", "AutoStart": "0", "Version": "1.1.0", "StartMenu": "1",
		"InstallerFile": d.Path(d.packages["1.0.0"]), // where it was first; the new name says nothing of a server
	}
	if diff := cmp.Diff(want, s.Values[ours]); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got, there := s.Values[runKey]["Platen"]; there {
		t.Errorf("at log-on starts %s", got)
	}
	var entries []string
	for key, values := range s.Values {
		if values["DisplayName"] == "Platen" {
			entries = append(entries, values["DisplayVersion"]+key)
		}
	}
	if len(entries) != 1 || !strings.HasPrefix(entries[0], "1.1.0") {
		t.Errorf("in the list of programs: %v", entries)
	}
	if !s.Services["PlatenDeploy"].Running {
		t.Error("the service does not run")
	}
	told := strings.Join(d.told(t), " ")
	for _, order := range []string{`clients_stop.*\binstall\b.*run-service`, `\binstall\b.*clients_restart`} {
		if !regexp.MustCompile(order).MatchString(told) {
			t.Errorf("platen-deploy was told %s, not %s", told, order)
		}
	}
	d.install(t, "1.1.0", "REINSTALL=ALL", "AUTOSTART=1") // and on again
	if got := d.state(t).Values[runKey]["Platen"]; got == "" {
		t.Error("AUTOSTART=1 does not switch it on again")
	}
	d.remove(t, "1.1.0")
}

func sameNumbers(t *testing.T, d *desk) {
	d.install(t, "1.1.0-rc.1", "UPNSUFFIX=example.org")
	d.told(t)
	d.install(t, "1.1.0")
	if told := d.told(t); slices.Contains(told, "clients_start") || !slices.Contains(told, "clients_restart") { // whoever has ended theirs keeps it so
		t.Errorf("platen-deploy was told %v", told)
	}
	s := d.state(t)
	if got := s.Values[ours]; got["Version"] != "1.1.0" || got["UPNSuffix"] != "example.org" {
		t.Errorf("settings %v", got)
	}
	if _, err := os.Stat(d.File(deploy)); err != nil || !s.Services["PlatenDeploy"].Running {
		t.Errorf("the service's program: %v, %v", err, s.Services)
	}
	if old := s.Values[uninstall+`\`+detection.Of(release(t, "1.1.0-rc.1")).ProductCode]; old != nil {
		t.Errorf("both are in the list of programs: %v", old)
	}
	d.remove(t, "1.1.0")
}

func downgrade(t *testing.T, d *desk) {
	d.install(t, "1.1.0", "UPNSUFFIX=example.org")
	before := d.state(t)
	d.told(t)
	ok, log := d.msiexec(t, "/i", d.Path(d.packages["1.0.0"]), "UPNSUFFIX=other.example.org")
	if ok || !stoppedBy(log, "LaunchConditions") {
		t.Errorf("it was not refused:\n%s", log)
	}
	if diff := cmp.Diff(before, d.state(t)); diff != "" || len(d.told(t)) != 0 {
		t.Errorf("something was changed (-before +after):\n%s", diff)
	}
	d.remove(t, "1.1.0")
}

// stoppedBy tells whether an action was the last one but INSTALL, and failed.
func stoppedBy(log, action string) bool {
	all := ended.FindAllStringSubmatch(log, -1)
	all = slices.DeleteFunc(all, func(m []string) bool { return m[1] == "INSTALL" })
	return len(all) > 0 && all[len(all)-1][1] == action && all[len(all)-1][2] != "1"
}

func wrongValues(t *testing.T, d *desk) {
	for _, property := range []string{
		"SERVERURL=http://print.example.org", "SERVERURL=print.example.org", "SERVERURL=https://", "SERVERURL=https://print example.org",
		"AUTHMODE=password", "DEVICEROLE=kiosk", "AUTOSTART=2", "CAPIN=jBWtFkGSwSBlxDGUvcdEZjsWQ8VGMGuIgmh8CfgpIuo=", "KEEPDATA=maybe",
		"UPNSUFFIX=#5", // the registry would have a number
	} {
		ok, log := d.msiexec(t, "/i", d.Path(d.packages["1.0.0"]), property)
		if ok || !stoppedBy(log, "LaunchConditions") {
			t.Errorf("%s was not refused:\n%s", property, log)
		}
	}
	d.nothing(t)
	if told := d.told(t); len(told) != 0 {
		t.Errorf("platen-deploy was told %v", told)
	}
	// What people see is in the table: it names the property and its value, and says that nothing happened.
	for _, row := range rows(t, d.packages["1.0.0"], "LaunchCondition") {
		name, _, found := strings.Cut(row[1], ` is "[`)
		if found && !strings.HasPrefix(row[1], name+` is "[`+name+`]", but it must `) || !found && !strings.HasPrefix(row[1], "Platen ") &&
			!strings.HasPrefix(row[1], "Only administrators may change ") && !strings.Contains(row[1], "newer version") {
			t.Errorf("it says: %s", row[1])
		}
	}
	// They are not too strict either, and case does not matter where it does not to Platen.
	d.install(t, "1.0.0", "SERVERURL=HTTPS://print.example.org", "AUTHMODE=Microsoft", "DEVICEROLE=personal", "AUTOSTART=yes")
	// A value that somebody has spoilt in the registry keeps nobody from removing it.
	if out, code := d.Run(t, "reg", "add", ours, "/v", "AuthMode", "/d", "spoilt", "/f"); code != 0 {
		t.Fatal(out)
	}
	d.remove(t, "1.0.0")
}

func keepsData(t *testing.T, d *desk) {
	d.install(t, "1.0.0")
	d.told(t)
	if ok, log := d.msiexec(t, "/x", d.Path(d.packages["1.0.0"]), "KEEPDATA=true"); ok || !stoppedBy(log, "LaunchConditions") {
		t.Errorf("it was removed, and it is not clear whether the data had to be kept:\n%s", log)
	}
	d.remove(t, "1.0.0", "KEEPDATA=1")
	if told := d.told(t); slices.Contains(told, "purge") || slices.Contains(told, "clients_purge") || !slices.Contains(told, "clients_stop") {
		t.Errorf("platen-deploy was told %v", told)
	}
	// An upgrade removes the old product, and says so like this; Wine leaves it out.
	d.install(t, "1.0.0")
	d.told(t)
	d.remove(t, "1.0.0", "UPGRADINGPRODUCTCODE={00000000-0000-0000-0000-000000000001}")
	if told := d.told(t); slices.Contains(told, "purge") || slices.Contains(told, "clients_purge") {
		t.Errorf("an upgrade clears: %v", told)
	}
}

func repair(t *testing.T, d *desk) {
	d.install(t, "1.0.0", "SERVERURL=https://print.example.org", "AUTOSTART=0")
	before := d.state(t)
	for _, name := range []string{"platen.exe", "platen-window.exe"} {
		if err := os.Remove(d.File(folder + `\` + name)); err != nil {
			t.Fatal(err)
		}
	}
	d.told(t)
	if ok, log := d.msiexec(t, "/i", detection.Of(release(t, "1.0.0")).ProductCode, "REINSTALL=ALL"); !ok {
		t.Fatalf("not repaired:\n%s", log)
	}
	d.serves(t)
	for _, name := range []string{"platen.exe", "platen-window.exe", "platen-deploy.exe"} {
		if _, err := os.Stat(d.File(folder + `\` + name)); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(before, d.state(t)); diff != "" {
		t.Errorf("something is other than before (-before +after):\n%s", diff)
	}
	if told := d.told(t); !slices.Contains(told, "clients_stop") || !slices.Contains(told, "clients_restart") || slices.Contains(told, "purge") {
		t.Errorf("platen-deploy was told %v", told)
	}
	d.remove(t, "1.0.0")
}

func changeInPlace(t *testing.T, d *desk) {
	d.install(t, "1.0.0", "SERVERURL=https://old.example.org", "UPNSUFFIX=example.org")
	d.install(t, "1.0.0", "REINSTALL=ALL", "SERVERURL=https://new.example.org", "DEVICEROLE=shared")
	got := d.state(t).Values[ours]
	if got["ServerURL"] != "https://new.example.org" || got["UPNSuffix"] != "example.org" || got["DeviceRole"] != "shared" {
		t.Errorf("settings %v", got)
	}
	d.remove(t, "1.0.0")
}

// othersRepair: everybody may repair what is installed. Under Wine everybody is an administrator; here nobody is.
func othersRepair(t *testing.T, d *desk) {
	path := filepath.Join(d.dir, "nobody.msi")
	content, err := os.ReadFile(d.packages["1.0.0"])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{path}
	for condition, row := range rows(t, path, "LaunchCondition") {
		if others := strings.Replace(condition, "OR AdminUser OR", "OR Nobody OR", 1); others != condition {
			args = append(args, "-q", "INSERT INTO `LaunchCondition` (`Condition`, `Description`) VALUES ('"+others+"', '"+row[1]+"')",
				"-q", "DELETE FROM `LaunchCondition` WHERE `Condition` = '"+condition+"'")
		}
	}
	if out, err := exec.CommandContext(t.Context(), "msibuild", args...).CombinedOutput(); err != nil || len(args) == 1 {
		t.Fatalf("msibuild: %v %v\n%s", args, err, out)
	}
	d.packages["nobody"] = path
	defer delete(d.packages, "nobody")
	d.install(t, "nobody", "SERVERURL=https://print.example.org", "AUTOSTART=0")
	before := d.state(t).Values
	code := detection.Of(release(t, "1.0.0")).ProductCode
	for _, properties := range [][]string{
		{"SERVERURL=https://evil.example.org"},
		{"SERVERURL=-"},
		{"CAPIN=sha256/evil"},
		{"AUTOSTART=1"},
		{"UPNSUFFIX=evil.example.org"},
		{"AUTHMODE=prompt"},
		{"DEVICEROLE=shared"},
		{"CAPIN=sha256/evil", "REINSTALLMODE=ecmus"},
	} {
		if ok, log := d.msiexec(t, append([]string{"/i", code, "REINSTALL=ALL"}, properties...)...); ok {
			t.Errorf("%v was done:\n%s", properties, log)
		}
	}
	if diff := cmp.Diff(before, d.state(t).Values); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	if ok, log := d.msiexec(t, "/i", code, "REINSTALL=ALL"); !ok {
		t.Errorf("somebody cannot repair it:\n%s", log)
	}
	d.remove(t, "nobody")
}

func named(t *testing.T, d *desk) {
	path := filepath.Join(d.dir, "platen--print.example.org--8443 (1).msi")
	sign(t, d.packages["1.0.0"], path) // renaming it leaves the signature valid, and a signed one installs
	if ok, log := d.msiexec(t, "/i", d.Path(path)); !ok {
		t.Fatalf("not installed:\n%s", log)
	}
	d.serves(t)
	if got := d.state(t).Values[ours]["InstallerFile"]; got != d.Path(path) {
		t.Errorf("it was installed from %q", got)
	}
	// Wherever the next version comes from, the name is not forgotten; nor by a repair, which takes Windows' own copy.
	d.install(t, "1.1.0")
	if ok, log := d.msiexec(t, "/i", detection.Of(release(t, "1.1.0")).ProductCode, "REINSTALL=ALL"); !ok {
		t.Fatalf("not repaired:\n%s", log)
	}
	d.serves(t)
	if got := d.state(t).Values[ours]["InstallerFile"]; got != d.Path(path) {
		t.Errorf("after an upgrade and a repair it was installed from %q", got)
	}
	d.remove(t, "1.1.0")
}

// doubleClick: a small office opens the package. Windows shows its progress, and runs the other sequence of the package first.
func doubleClick(t *testing.T, d *desk) {
	d.install(t, "1.0.0", "UPNSUFFIX=example.org", "AUTOSTART=0")
	if out, code := d.Run(t, "msiexec", "/i", d.Path(d.packages["1.1.0"])); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
	d.serves(t)
	s := d.state(t)
	if got := s.Values[ours]; got["Version"] != "1.1.0" || got["UPNSuffix"] != "example.org" || got["AutoStart"] != "0" || s.Values[runKey]["Platen"] != "" {
		t.Errorf("settings %v", got)
	}
	d.remove(t, "1.1.0")
}

// sign signs a package as whoever gives it away does, with a certificate that is made for it.
func sign(t *testing.T, from, to string) {
	t.Helper()
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key.pem"), filepath.Join(dir, "certificate.pem")
	for _, line := range [][]string{
		{
			testenv.Program(t, "openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Platen test", "-days", "2",
			"-addext", "extendedKeyUsage=codeSigning", "-keyout", key, "-out", certificate,
		},
		{testenv.Program(t, "osslsigncode", "osslsigncode"), "sign", "-h", "sha256", "-certs", certificate, "-key", key, "-in", from, "-out", to},
	} {
		if out, err := exec.CommandContext(t.Context(), line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", line, err, out)
		}
	}
}

func rollsBack(t *testing.T, d *desk) {
	ok, log := d.msiexec(t, "/i", d.Path(d.packages["1.2.0"]), "SERVERURL=https://print.example.org")
	if ok {
		t.Errorf("it was installed with a service that cannot start:\n%s", log)
	}
	d.nothing(t)
	// So does an upgrade. Windows brings the old version back then; Wine rolls back the new product only.
	d.install(t, "1.0.0", "UPNSUFFIX=example.org")
	if ok, log := d.msiexec(t, "/i", d.Path(d.packages["1.2.0"])); ok {
		t.Errorf("it was installed with a service that cannot start:\n%s", log)
	}
	d.nothing(t)
}

// killed: the computer loses its power while the new version is half there. Windows undoes that before the next installation; Wine
// does not, so the next one finds the half.
func killed(t *testing.T, d *desk) {
	d.install(t, "1.0.0", "UPNSUFFIX=example.org")
	d.told(t)
	if err := os.WriteFile(d.File(`C:\wait`), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.Start(t, "msiexec", "/i", d.Path(d.packages["1.1.0"]), "/qn")
	var told []string
	testenv.Await(t, "the middle of the upgrade", func() bool {
		told = append(told, d.told(t)...)
		return slices.Contains(told, "install")
	})
	d.Kill(t, `C:\windows\system32\msiexec.exe`)
	if err := os.Remove(d.File(`C:\wait`)); err != nil {
		t.Fatal(err)
	}
	testenv.Await(t, "its step to end", func() bool { return !d.Running(t, deploy) })
	for _, copied := range d.cached(t) { // Windows would clear its copy of the package, too
		if err := os.Remove(copied); err != nil {
			t.Fatal(err)
		}
	}
	d.install(t, "1.1.0")
	s := d.state(t)
	if got := s.Values[ours]; got["Version"] != "1.1.0" || got["UPNSuffix"] != "example.org" || !s.Services["PlatenDeploy"].Running {
		t.Errorf("settings %v, services %v", got, s.Services)
	}
	d.remove(t, "1.1.0")
}

// realPrograms installs the programs that people get, but for the window, which takes minutes to compile, and upgrades them while
// somebody's client runs.
func realPrograms(t *testing.T, d *desk) {
	programs := map[string]string{
		"platen.exe": compile(t, d.dir, "platen.exe", "../../client"), "platen-deploy.exe": compile(t, d.dir, "platen-deploy.exe", "../../printqueue"),
	}
	for _, version := range []string{"1.3.0", "1.3.1"} {
		d.packages[version] = build(t, d.in(t, version, programs))
	}
	began := time.Now()
	d.put(t, "1.3.0", "SERVERURL=https://127.0.0.1:9")
	took := time.Since(began)
	info, err := os.Stat(d.packages["1.3.0"])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("silent installation took %v; %.1f MB without the window (goals: 10 s, 20 MB)", took.Round(time.Millisecond), float64(info.Size())/1e6)
	for _, name := range []string{"platen", "platen-deploy"} {
		if out, code := d.Run(t, folder+`\`+name+".exe", "version"); code != 0 || !strings.HasPrefix(out, name+" ") {
			t.Errorf("%s said %q, exit code %d", name, out, code)
		}
	}
	const client = folder + `\platen.exe`
	if out, code := d.Run(t, client, "config"); code != 0 || !strings.Contains(out, "https://127.0.0.1:9") {
		t.Errorf("platen does not know the server that the installation was told: %q, exit code %d", out, code)
	}
	d.Start(t, client, "run")
	testenv.Await(t, "the client", func() bool { return d.Running(t, client) })
	began = time.Now()
	d.put(t, "1.3.1")
	t.Logf("upgrade while a client runs took %v", time.Since(began).Round(time.Millisecond))
	if d.Running(t, client) {
		t.Error("the old client runs on")
	}
	if got, err := winres.FileVersion(d.File(client)); err != nil || got != "1.3.1.0" {
		t.Errorf("the client's version is %q, %v", got, err)
	}
	if out, code := d.Run(t, client, "config"); code != 0 || !strings.Contains(out, "https://127.0.0.1:9") {
		t.Errorf("after the upgrade platen does not know its server: %q, exit code %d", out, code)
	}
	d.remove(t, "1.3.1")
}
