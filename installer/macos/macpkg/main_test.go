package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
)

const epoch = "1795000000"

// programs are stand-ins: a header of a program for macOS, and nothing behind it.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for arch, cpu := range map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64} {
		if err := os.Mkdir(filepath.Join(dir, arch), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"platen", "platen-window", "platen-deploy"} {
			data := binary.LittleEndian.AppendUint32(nil, macho.Magic64)
			for _, v := range []uint32{uint32(cpu), 0, uint32(macho.TypeExec), 0, 0, 0, 0} {
				data = binary.LittleEndian.AppendUint32(data, v)
			}
			if err := os.WriteFile(filepath.Join(dir, arch, name), data, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// programOfModules is a folder with a program that says what it is made of: this test.
func programOfModules(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "arm64"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "arm64", "platen")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStagedAndPackedInTheFolderOfTheSources(t *testing.T) {
	from := programs(t)
	t.Chdir("../../..")
	staged, out, licences := filepath.Join(t.TempDir(), "staged"), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "notices")
	var said bytes.Buffer
	for _, args := range [][]string{
		{"notices", "-programs", programOfModules(t), "-to", licences},
		{"stage", "-version", "1.2.3", "-programs", from, "-notices", licences, "-to", staged},
		{"package", "-version", "1.2.3", "-staged", staged, "-notices", licences, "-out", out},
	} {
		if err := run(t.Context(), args, epoch, &said); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	name := strings.TrimSpace(said.String())
	lines, err := macos.List(name)
	if err != nil || name != filepath.Join(out, "platen-1.2.3.pkg") {
		t.Fatalf("%s: %v", name, err)
	}
	for _, want := range []string{
		"-rwxr-xr-x 0/0 payload " + identity.Programs + "/platen-window", "-rw-r--r-- 0/0 payload " + identity.App + "/Contents/Resources/" + product.NoticesFile,
	} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("%q is not in %v", want, lines)
		}
	}
	if text, err := os.ReadFile(licences); err != nil || !strings.Contains(string(text), "\ngithub.com/CycloneDX/cyclonedx-go v") {
		t.Errorf("the licences of others' parts: %v, %.500s", err, text)
	}
	for _, args := range [][]string{
		{"package", "-version", "1.2.4", "-staged", staged, "-out", out}, // of another version
		{"package", "-version", "1.2", "-staged", staged},
		{"package", "-versions"},
		{"package", "-version", "1.2.3", "-staged", staged, "-notices", "LICENSE", "-out", out}, // of other programs
		{"stage", "-version", "1.2.3", "-programs", from},
		{"notices", "-programs", from, "-to", licences}, // stand-ins are of no modules
		{"notices", "-programs", t.TempDir(), "-to", licences},
		{"notices", "-programs", from},
		{"sign"},
		{},
	} {
		if err := run(t.Context(), args, epoch, &said); err == nil {
			t.Errorf("%v was done", args)
		}
	}
	for _, bad := range []string{"", "-5", "yesterday"} {
		if err := run(t.Context(), []string{"stage", "-version", "1.2.3", "-programs", from, "-to", staged}, bad, &said); err == nil {
			t.Errorf("a package was dated %q", bad)
		}
	}
}

// The script for a Mac cannot run here; what it names must exist, and agree with what the package has.
func TestTheScriptForAMacNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../build-on-mac.sh")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../../..")
	for _, dir := range regexp.MustCompile(` \./[a-z/-]+`).FindAllString(string(text), -1) {
		files, err := filepath.Glob(strings.TrimSpace(dir) + "/*.go")
		if err != nil || len(files) == 0 {
			t.Errorf("the script builds%s, which is no program", dir)
		}
	}
	for _, want := range []string{"MACOSX_DEPLOYMENT_TARGET=" + macos.MinOS, identity.Package + ".pkg/Bom", "--identifier " + identity.Bundle + " ", "--identifier " + identity.Deploy + " "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the script does not say %s", want)
		}
	}
	for _, flag := range regexp.MustCompile(`macpkg (notices|stage|package)[^\n)]*`).FindAllString(string(text), -1) {
		for _, f := range regexp.MustCompile(` -[a-z-]+`).FindAllString(flag, -1) {
			err := run(t.Context(), []string{strings.Fields(flag)[1], strings.TrimSpace(f), "x", "-version", "wrong"}, epoch, os.Stderr)
			if err == nil || strings.Contains(err.Error(), "not defined") {
				t.Errorf("macpkg does not know%s: %v", f, err)
			}
		}
	}
}
