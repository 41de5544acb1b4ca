package main

import (
	"debug/elf"
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
)

// dist is the folder that `make dist` has filled: these tests are about the real packages, and `make dist-test` runs them.
func dist(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PLATEN_DIST")
	if dir == "" {
		t.Skip("missing: PLATEN_DIST, a folder that the installer has filled")
	}
	return dir
}

// only is the one file in dir whose name fits.
func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := tool.Run(t.Context(), dir, nil, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestDistHasAPackageForEverySystem(t *testing.T) {
	dir := dist(t)
	for _, pattern := range []string{
		"platen-*-x64.msi", "platen-[0-9]*.pkg", "platen_*_amd64.deb", "platen_*_arm64.deb", "platen-[0-9]*.x86_64.rpm", "platen-[0-9]*.aarch64.rpm",
		"platen-server_*_amd64.deb", "platen-server_*_arm64.deb", "platen-server-*.x86_64.rpm", "platen-server-*.aarch64.rpm",
		"platen-server-*-linux-amd64.tar.gz", "platen-server-*-linux-arm64.tar.gz", "platen-server-*-windows-amd64.zip",
	} {
		path := only(t, dir, pattern)
		if _, err := os.Stat(path + ".cdx.json"); err != nil {
			t.Errorf("nothing says what it is made of: %v", err)
		}
	}
	must(t, dir, "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
}

// A program for Windows brings everything it needs but Windows.
func TestDistNeedsNothingButWindows(t *testing.T) {
	files := t.TempDir()
	must(t, files, "msiextract", only(t, dist(t), "platen-*-x64.msi"))
	must(t, files, "7z", "x", "-y", only(t, dist(t), "platen-server-*-windows-amd64.zip"))
	subsystems := map[string]uint16{}
	err := filepath.WalkDir(files, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".exe" {
			return err
		}
		f, err := pe.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		head, ok := f.OptionalHeader.(*pe.OptionalHeader64)
		if !ok {
			t.Errorf("%s is not for 64 bits", d.Name())
			return nil
		}
		subsystems[d.Name()] = head.Subsystem
		libraries, err := f.ImportedLibraries()
		if err != nil {
			return err
		}
		symbols, err := f.ImportedSymbols()
		if err != nil {
			return err
		}
		for _, s := range symbols {
			_, library, _ := strings.Cut(s, ":")
			libraries = append(libraries, library)
		}
		for _, l := range libraries {
			if !slices.Contains([]string{"gdi32.dll", "kernel32.dll", "msvcrt.dll", "opengl32.dll", "shell32.dll", "user32.dll"}, strings.ToLower(l)) {
				t.Errorf("%s needs %s", d.Name(), l)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint16{
		"platen.exe": pe.IMAGE_SUBSYSTEM_WINDOWS_CUI, "platen-deploy.exe": pe.IMAGE_SUBSYSTEM_WINDOWS_CUI, "platen-server.exe": pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		"platen-window.exe": pe.IMAGE_SUBSYSTEM_WINDOWS_GUI,
	}
	if diff := cmp.Diff(want, subsystems); diff != "" {
		t.Errorf("programs and their subsystems (-want +got):\n%s", diff)
	}
}

// Everything but the window is static; the window needs a glibc no newer than Debian 12's, Ubuntu 22.04's and RHEL 9's.
func TestDistNeedsNothingNewOfLinux(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		for _, pattern := range []string{"platen_*_", "platen-server_*_"} {
			files := t.TempDir()
			must(t, files, "dpkg-deb", "--extract", only(t, dist(t), pattern+arch+".deb"), files)
			programs, err := filepath.Glob(filepath.Join(files, "usr", "bin", "*"))
			if err != nil || len(programs) == 0 {
				t.Fatalf("programs: %v, %v", programs, err)
			}
			for _, path := range programs {
				name := arch + " " + filepath.Base(path)
				f, err := elf.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if f.Machine != machine {
					t.Errorf("%s is for %v", name, f.Machine)
				}
				if filepath.Base(path) == "platen-window" && f.Type != elf.ET_DYN {
					t.Errorf("%s is not position-independent", name)
				}
				needed, err := f.ImportedLibraries()
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(needed)
				var want []string
				if filepath.Base(path) == "platen-window" {
					want = []string{"libGL.so.1", "libX11.so.6", "libc.so.6", "libm.so.6"}
				}
				if diff := cmp.Diff(want, needed); diff != "" {
					t.Errorf("%s needs (-want +got):\n%s", name, diff)
				}
				symbols, err := f.ImportedSymbols()
				if err != nil && want != nil {
					t.Fatal(err)
				}
				for _, s := range symbols {
					if strings.HasPrefix(s.Version, "GLIBC_2.") && len(s.Version) == len("GLIBC_2.34") && s.Version > "GLIBC_2.34" {
						t.Errorf("%s needs %s of %s", name, s.Name, s.Version)
					}
				}
				_ = f.Close()
			}
		}
	}
}

func TestDistSaysItsVersion(t *testing.T) {
	dir := dist(t)
	name := filepath.Base(only(t, dir, "platen-*-x64.msi"))
	version := strings.TrimSuffix(strings.TrimPrefix(name, "platen-"), "-x64.msi")
	files := t.TempDir()
	must(t, files, "dpkg-deb", "--extract", only(t, dir, "platen_*_amd64.deb"), files)
	must(t, files, "dpkg-deb", "--extract", only(t, dir, "platen-server_*_amd64.deb"), files)
	for _, program := range []string{"platen", "platen-deploy", "platen-server"} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(files, "usr", "bin", program), "--version")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), version) {
			t.Errorf("%s --version: %v, %s", program, err, out)
		}
	}
}

func TestDistHasTheLicencesOfOthersParts(t *testing.T) {
	dir, files := dist(t), t.TempDir()
	for i, unpack := range [][]string{
		{"msiextract", only(t, dir, "platen-*-x64.msi")},
		{"dpkg-deb", "--extract", only(t, dir, "platen_*_amd64.deb"), "."},
		{"dpkg-deb", "--extract", only(t, dir, "platen-server_*_arm64.deb"), "."},
		{"tar", "-xzf", only(t, dir, "platen-server-*-linux-amd64.tar.gz")},
		{"7z", "x", "-y", only(t, dir, "platen-server-*-windows-amd64.zip")},
		{"bsdtar", "-xf", only(t, dir, "platen-[0-9]*.x86_64.rpm")},
	} {
		to := filepath.Join(files, strconv.Itoa(i))
		if err := os.Mkdir(to, 0o700); err != nil {
			t.Fatal(err)
		}
		must(t, to, unpack[0], unpack[1:]...)
		found := 0
		err := filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.Name() != product.NoticesFile {
				return err
			}
			found++
			text, err := os.ReadFile(path)
			for _, want := range []string{"Go's standard library (go1.", "github.com/spf13/cobra v", "Apache License"} {
				if !strings.Contains(string(text), want) {
					t.Errorf("%v: %s does not have %q", unpack, d.Name(), want)
				}
			}
			return err
		})
		if err != nil || found != 1 {
			t.Errorf("%v: %d files, %v", unpack, found, err)
		}
	}
}
