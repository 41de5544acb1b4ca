package winres

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/testenv"
)

const assets = "../../assets"

// program builds the smallest Go program for Windows, under a name of ours.
func program(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module x\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", path, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func release(t *testing.T, version string) product.Release {
	t.Helper()
	r, err := product.Parse(version)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unpacked takes all resources out of a program with 7z, which knows nothing of the library that wrote them: the content by the
// last two parts of the path, or by the last one (what is before them, the language, is left out where there is one only).
func unpacked(t *testing.T, exe string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, "7z", "p7zip-full"), "x", "-y", "-o"+dir, exe, ".rsrc")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[entry.Name()] = content
		found[filepath.Base(filepath.Dir(path))+"/"+entry.Name()] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func utf16le(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func TestProgramCarriesVersionIconAndManifest(t *testing.T) {
	exe := program(t, "platen-deploy.exe")
	before, err := os.Stat(exe)
	if err != nil {
		t.Fatal(err)
	}
	if err := Brand(exe, assets, release(t, "1.2.3-rc.1")); err != nil {
		t.Fatal(err)
	}
	found := unpacked(t, exe)
	text := utf16le(found["version.txt"])
	for _, want := range []string{
		"FILEVERSION     1,2,3,0", "PRODUCTVERSION  1,2,3,0", "VS_FF_PRERELEASE", `"ProductName", "Platen"`, `"ProductVersion", "1.2.3-rc.1"`,
		`"FileDescription", "Platen Deploy service"`, `"OriginalFilename", "platen-deploy.exe"`, `"CompanyName", "Platen Project"`,
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	manifest := found["MANIFEST/1"]
	for _, want := range []string{`level="asInvoker"`, "PerMonitorV2", "<longPathAware", "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"} {
		if !bytes.Contains(manifest, []byte(want)) {
			t.Errorf("%s is missing in\n%s", want, manifest)
		}
	}
	if len(found["GROUP_ICON/1"]) == 0 {
		t.Error("no icon")
	}
	if bytes.Contains(manifest, []byte("consoleAllocationPolicy")) || bytes.Contains(manifest, []byte("@")) {
		t.Errorf("the service needs no rule about consoles:\n%s", manifest)
	}
	if got, err := FileVersion(exe); err != nil || got != "1.2.3.0" {
		t.Errorf("read the version %q, %v", got, err)
	}
	after, err := os.Stat(exe)
	if err != nil || after.Mode() != before.Mode() {
		t.Errorf("mode %v was %v, %v", after.Mode(), before.Mode(), err)
	}
	left, err := filepath.Glob(exe + ".*")
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestSameInputMakesSameBytes(t *testing.T) {
	plain, err := os.ReadFile(program(t, "platen.exe"))
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for range 2 {
		exe := filepath.Join(t.TempDir(), "platen.exe")
		if err := os.WriteFile(exe, plain, 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		for range 2 { // a second time changes nothing
			if err := Brand(exe, assets, release(t, "1.2.3")); err != nil {
				t.Fatal(err)
			}
		}
		branded, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, branded) {
			t.Error("the second run made other bytes")
		}
		first = branded
	}
}

func TestWhatIsNoProgramOfOursIsRefused(t *testing.T) {
	if err := Brand(program(t, "other.exe"), assets, release(t, "1.2.3")); err == nil || !strings.Contains(err.Error(), "none of Platen's programs") {
		t.Errorf("got %v", err)
	}
	text := filepath.Join(t.TempDir(), "platen.exe")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Brand(text, assets, release(t, "1.2.3")); err == nil {
		t.Error("a text was branded")
	}
	if kept, err := os.ReadFile(text); err != nil || string(kept) != "no program" {
		t.Errorf("the file was changed: %q, %v", kept, err)
	}
}

func TestResidentOpensNoConsole(t *testing.T) {
	exe := program(t, "platen.exe")
	if version, err := FileVersion(exe); err == nil {
		t.Errorf("a program without a version has %s", version)
	}
	if err := Brand(exe, assets, release(t, "1.2.3")); err != nil {
		t.Fatal(err)
	}
	if manifest := unpacked(t, exe)["MANIFEST/1"]; !bytes.Contains(manifest, []byte(">detached</consoleAllocationPolicy>")) {
		t.Errorf("got\n%s", manifest)
	}
}
