package msi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
	"github.com/platenprint/platen/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// build makes a package, or skips the test if what makes it is not there.
func build(t testing.TB, in product.Input) string {
	t.Helper()
	for _, name := range append(Needs(), "msiinfo") {
		testenv.Program(t, name, tool.Packages[name])
	}
	path, err := Build(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// rows are the rows of a table, by its first column.
func rows(t testing.TB, path, table string) map[string][]string {
	t.Helper()
	list, err := export(t.Context(), t.TempDir(), path, table)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, row := range list {
		found[row[0]] = row
	}
	return found
}

func TestEveryRowOfThePackage(t *testing.T) {
	path := build(t, standIns(t, release(t, "1.2.3")))
	lines, err := List(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("Icon"); err == nil {
		t.Error("the package's icon was left beside the sources")
	}
	got := strings.Join(lines, "\n") + "\n"
	golden := filepath.Join("testdata", "tables.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the package is another one; go test -update writes it down (-was +is):\n%s", diff)
	}
	if name := filepath.Base(path); name != "platen-1.2.3-x64.msi" {
		t.Errorf("it is called %s", name)
	}
}

func TestSameInputMakesSameBytes(t *testing.T) {
	in := standIns(t, release(t, "1.2.3-rc.1"))
	first, err := os.ReadFile(build(t, in))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs { // the time at which a program was built does not count
		now := time.Now()
		if err := os.Chtimes(filepath.Join(in.Programs, p.name), now, now); err != nil {
			t.Fatal(err)
		}
	}
	in.Out = t.TempDir()
	second, err := os.ReadFile(build(t, in))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("sha256 %x is not %x", sha256.Sum256(first), sha256.Sum256(second))
	}
	if i := bytes.Index(first, []byte(in.Programs)); i >= 0 {
		t.Error("a path of the building computer is in the package")
	}
}

func TestOtherContentIsAnotherPackageOfTheSameProduct(t *testing.T) {
	one := standIns(t, release(t, "1.2.3"))
	other := standIns(t, release(t, "1.2.3"))
	program := emptyProgram()
	program[len(program)-1] = 1
	put(t, other, "platen.exe", program)
	summary := func(path string) string {
		out, err := tool.Run(t.Context(), "", nil, "msiinfo", "suminfo", path)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	a, b := build(t, one), build(t, other)
	codes := regexp.MustCompile(`Revision number \(UUID\): (\{.*\})`)
	if x, y := codes.FindString(summary(a)), codes.FindString(summary(b)); x == "" || x == y {
		t.Errorf("package codes %q and %q", x, y)
	}
	if !strings.Contains(summary(a), "x64;1033") || strings.Contains(summary(a), "Last author") {
		t.Errorf("summary: %s", summary(a))
	}
	want := detection.Of(one.Release).ProductCode
	for _, path := range []string{a, b} {
		if got := rows(t, path, "Property")["ProductCode"][1]; got != want {
			t.Errorf("product code %s, the detection rule says %s", got, want)
		}
	}
}

// R_WIN_1: only fixed commands of the installed service run as SYSTEM; nothing of the package itself runs, and nothing that
// somebody could set gets into a command.
func TestR_WIN_1_CustomActionsTakeNoInput(t *testing.T) {
	path := build(t, standIns(t, release(t, "1.2.3")))
	for name, row := range rows(t, path, "CustomAction") {
		kind, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		switch kind & 0x3f {
		case setProperty:
		case installedProgram:
			if kind&inScript == 0 || kind&noImpersonate == 0 || kind&ignoreExit == 0 {
				t.Errorf("%s has type %d: it must wait for its turn, be SYSTEM, and not fail the installation", name, kind)
			}
			if row[2] != "platen_deploy.exe" || !slices.Contains([]string{"install", "purge", "clients start", "clients stop", "clients purge", "clients restart"}, row[3]) {
				t.Errorf("%s runs %s %s", name, row[2], row[3])
			}
		default:
			t.Errorf("%s has type %d", name, kind)
		}
	}
	if left := rows(t, path, "Binary"); len(left) != 0 {
		t.Errorf("programs in the package: %v", left)
	}
	// Where the service's program lies cannot be set: the folder's name is no public property.
	for name := range rows(t, path, "Directory") {
		if name == strings.ToUpper(name) && name != "TARGETDIR" {
			t.Errorf("the folder %s can be moved", name)
		}
	}
}

// R_DRV_1: nothing in the package loosens how Windows installs printer drivers.
func TestR_DRV_1_PackageLoosensNothingAboutDrivers(t *testing.T) {
	lines, err := List(t.Context(), build(t, standIns(t, release(t, "1.2.3"))))
	if err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`(?i)point.?and.?print|RestrictDriverInstallation|PackagePoint|Windows NT\\\\?Printers|Control\\\\?Print|AlwaysInstallElevated|EnableLUA|DisableMSI`)
	for _, line := range lines {
		if forbidden.MatchString(line) {
			t.Error(line)
		}
	}
	wanted := regexp.MustCompile(`^Registry: \w+, 2, (Software\\Platen|Software\\Microsoft\\Windows\\CurrentVersion\\Run), `)
	for _, line := range lines {
		if strings.HasPrefix(line, "Registry: ") && !wanted.MatchString(line) {
			t.Errorf("it writes elsewhere: %s", line)
		}
	}
}

func TestFilesAreReplacedByTheirVersion(t *testing.T) {
	path := build(t, standIns(t, release(t, "1.2.3")))
	hashes := rows(t, path, "MsiFileHash")
	for key, row := range rows(t, path, "File") {
		if !strings.HasSuffix(key, ".exe") {
			continue
		}
		if row[4] != "1.2.3.0" || hashes[key] != nil {
			t.Errorf("%s has version %q, hash %v", key, row[4], hashes[key])
		}
		short, _, _ := strings.Cut(row[2], "|")
		if base, ext, _ := strings.Cut(short, "."); len(base) > 8 || len(ext) > 3 {
			t.Errorf("%s has no short name: %s", key, row[2])
		}
	}
}

func TestProgramsThatDoNotBelongAreRefused(t *testing.T) {
	t.Run("missing", func(t *testing.T) {
		in := standIns(t, release(t, "1.2.3"))
		if err := os.Remove(filepath.Join(in.Programs, "platen-window.exe")); err != nil {
			t.Fatal(err)
		}
		refused(t, in, product.ErrNoPrograms, "platen-window.exe")
	})
	t.Run("of another version", func(t *testing.T) {
		in := standIns(t, release(t, "1.2.3"))
		in.Release = release(t, "1.2.4")
		refused(t, in, nil, "carries version 1.2.3.0, the release is 1.2.4.0")
	})
	t.Run("without a version", func(t *testing.T) {
		in := standIns(t, release(t, "1.2.3"))
		if err := os.WriteFile(filepath.Join(in.Programs, "platen.exe"), emptyProgram(), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, in, nil, "brand the program first")
	})
	t.Run("of another processor", func(t *testing.T) {
		in := standIns(t, release(t, "1.2.3"))
		in.Arch = "arm64"
		refused(t, in, nil, "only for amd64")
	})
	t.Run("nothing is left of an interrupted build", func(t *testing.T) {
		in := standIns(t, release(t, "1.2.3"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Build(ctx, in); err == nil {
			t.Fatal("it was built")
		}
		if left, err := filepath.Glob(filepath.Join(in.Out, "*")); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

func refused(t *testing.T, in product.Input, kind error, text string) {
	t.Helper()
	for _, name := range Needs() {
		testenv.Program(t, name, tool.Packages[name])
	}
	path, err := Build(t.Context(), in)
	if err == nil || kind != nil && !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %q, %v", path, err)
	}
}
