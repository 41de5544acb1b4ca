package programs

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/testenv"
)

// recorder is a go command that builds nothing but a file with its arguments and environment.
func recorder(t *testing.T) Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "go")
	script := "#!/bin/sh\nargs=\"$*\"\nwhile [ \"$1\" != -o ]; do shift; done\n{ echo \"$args\"; pwd; env; } > \"$2\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	r := product.Release{Version: "1.2.3", Time: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}
	return Options{Go: path, Source: t.TempDir(), Work: t.TempDir(), Release: r}
}

func TestWhatTheMachineHasSetDoesNotReachTheCompiler(t *testing.T) {
	for name, value := range map[string]string{
		"GOFLAGS": "-tags=debug", "GOAMD64": "v3", "GOEXPERIMENT": "none", "CGO_CFLAGS": "-march=native", "CGO_LDFLAGS": "-L/opt", "CC": "clang", "GOWORK": "/tmp/go.work",
	} {
		t.Setenv(name, value)
	}
	o := recorder(t)
	dir, err := Build(t.Context(), o, Target{"linux", "amd64"}, []string{"platen", window})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"platen": {"GOAMD64=v1", "GOEXPERIMENT=", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0"},
		window:   {"GOAMD64=v1", "GOEXPERIMENT=", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=1", "CGO_CFLAGS=-O2", "CGO_LDFLAGS=-O2", "CC=gcc"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		if lines[1] != o.Source {
			t.Errorf("%s is built in %s, not in the source tree", name, lines[1])
		}
		for _, w := range want {
			if !slices.Contains(lines, w) {
				t.Errorf("%s: %s is missing", name, w)
			}
		}
		for _, w := range []string{"-trimpath", "-buildvcs=false", "-buildid=", "buildinfo.Version=1.2.3"} {
			if !strings.Contains(lines[0], w) {
				t.Errorf("%s: %s is missing in %s", name, w, lines[0])
			}
		}
		if pie := strings.Contains(lines[0], "-buildmode=pie"); pie != (name == window) {
			t.Errorf("%s: position-independent: %v", name, pie)
		}
		if tags := strings.Contains(lines[0], "-tags "+Tags); tags != (name == window) {
			t.Errorf("%s: tags of the window: %v", name, tags)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(o.Release.Time) {
			t.Errorf("%s is not dated with the release: %v, %v", name, info.ModTime(), err)
		}
	}
}

func TestTheWindowForMacOSNeedsAMac(t *testing.T) {
	if _, err := Build(t.Context(), recorder(t), Target{"darwin", "arm64"}, []string{window}); !errors.Is(err, ErrNeedsMac) {
		t.Errorf("got %v, want %v", err, ErrNeedsMac)
	}
}

func TestPrebuiltProgramsAreChecked(t *testing.T) {
	dir := t.TempDir()
	target := Target{"windows", "amd64"}
	if err := os.MkdirAll(filepath.Join(dir, "windows-amd64", "platen-deploy.exe"), 0o700); err != nil { // a folder is no program
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "windows-amd64", "platen.exe"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Prebuilt(dir, target, []string{"platen"}); err != nil || got != filepath.Join(dir, "windows-amd64") {
		t.Errorf("got %s, %v", got, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "arm64"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "arm64", "platen"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Prebuilt(dir, Target{"darwin", "arm64"}, []string{"platen"}); err != nil || got != filepath.Join(dir, "arm64") {
		t.Errorf("from a Mac: got %s, %v", got, err)
	}
	if _, err := Prebuilt(dir, Target{"linux", "arm64"}, []string{"platen"}); err == nil {
		t.Error("a program from a Mac is taken for Linux")
	}
	for _, name := range []string{"platen-deploy", window} {
		if _, err := Prebuilt(dir, target, []string{"platen", name}); !errors.Is(err, product.ErrNoPrograms) || !strings.Contains(err.Error(), name+".exe") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The stand-ins are made for the processor of this machine here, so that the test needs no cross compiler.
func TestStandInsHaveTheNamesOfTheirLibraries(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal(err)
		}
		t.Skip("missing: gcc")
	}
	dir, err := stubs(t.Context(), t.TempDir(), "gcc")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range libraries {
		soname, want, err := exported("lib" + name + ".so")
		if err != nil {
			t.Fatal(err)
		}
		lib, err := elf.Open(filepath.Join(dir, "lib"+name+".so"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lib.DynString(elf.DT_SONAME); err != nil || len(got) != 1 || got[0] != soname {
			t.Errorf("%s: called %v, want %s", name, got, soname)
		}
		symbols, err := lib.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range symbols {
			got = append(got, s.Name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-library +stand-in):\n%s", name, diff)
		}
		_ = lib.Close()
	}
	// What is linked with a stand-in asks for the real library.
	source := filepath.Join(t.TempDir(), "a.c")
	if err := os.WriteFile(source, []byte("void *XOpenDisplay(char *); int main() { return XOpenDisplay(0) == 0; }"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "a")
	if out, err := exec.CommandContext(t.Context(), "gcc", "-o", program, source, "-L"+dir, "-lX11").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if needed, err := f.ImportedLibraries(); err != nil || !slices.Contains(needed, "libX11.so.6") {
		t.Errorf("needs %v, %v", needed, err)
	}
}

func TestToolsAreThoseOfTheTarget(t *testing.T) {
	for target, want := range map[Target]string{
		{"linux", "amd64"}: "gcc", {"linux", "arm64"}: "aarch64-linux-gnu-gcc", {"windows", "amd64"}: "x86_64-w64-mingw32-gcc",
	} {
		if got := Tools(target, Client()); !slices.Contains(got, want) {
			t.Errorf("%s: %v, want %s", target.Dir(), got, want)
		}
		if got := Tools(target, Server()); got != nil {
			t.Errorf("%s: the server needs %v", target.Dir(), got)
		}
	}
}

func TestAStoppedBuildSaysWhichProgramItWas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, recorder(t), Target{"linux", "arm64"}, []string{"platen-deploy"}); err == nil || !strings.Contains(err.Error(), "platen-deploy for linux-arm64") {
		t.Errorf("got %v", err)
	}
}
