//go:build linux

package linux

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/testenv"
)

var update = flag.Bool("update", false, "write the golden files")

// needTools stops a test that cannot make packages here.
func needTools(t *testing.T) {
	t.Helper()
	testenv.Program(t, "dpkg-deb", "dpkg")
	testenv.Program(t, "rpmbuild", "rpm")
}

// release is one version of the tests; it is not today's.
func release(t *testing.T, version string) product.Release {
	t.Helper()
	r, err := product.Parse(version)
	if err != nil {
		t.Fatal(err)
	}
	r.Time = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return r
}

// standIns are folders with stand-ins for the programs, made once: by architecture and what `version` says.
var (
	standInsLock sync.Mutex
	standIns     = map[string]string{}
	standInsRoot string
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if standInsRoot != "" {
		_ = os.RemoveAll(standInsRoot)
	}
	os.Exit(code)
}

// programsOf returns a folder with stand-ins. platen-window's is linked with OpenGL and X11 where C can be compiled for arch.
func programsOf(t *testing.T, arch, version string) string {
	t.Helper()
	standInsLock.Lock()
	defer standInsLock.Unlock()
	key := arch + "-" + version
	if dir, ok := standIns[key]; ok {
		return dir
	}
	if standInsRoot == "" {
		dir, err := os.MkdirTemp("", "platen-standin-") //nolint:usetesting // for all tests
		if err != nil {
			t.Fatal(err)
		}
		standInsRoot = dir
	}
	dir := filepath.Join(standInsRoot, key)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "platen")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", program, "./testdata/standin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the stand-in: %v\n%s", err, out)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"platen-deploy", "platen-server", "platen-window"} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if arch == "amd64" {
		compile(t, filepath.Join(dir, "platen-window"), `#include <stdio.h>
int main(void) { static const char *volatile loaded[] = {"libXcursor.so.1", "libXi.so.6"}; return loaded[0] == 0; }`, "-Wl,--no-as-needed", "-lGL", "-lX11", "-lm")
	}
	standIns[key] = dir
	return dir
}

// compile makes a program of C, as the window is.
func compile(t *testing.T, target, source string, args ...string) {
	t.Helper()
	gcc := testenv.Program(t, "gcc", "gcc")
	cmd := exec.CommandContext(t.Context(), gcc, append([]string{"-x", "c", "-O2", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-s", "-Wl,-z,relro,-z,now", "-o", target, "-", "-x", "none"}, args...)...)
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
}

// input is what the packages of the tests are made of.
func input(t *testing.T, version, arch string) product.Input {
	t.Helper()
	return product.Input{
		Release: release(t, version), Arch: arch, Programs: programsOf(t, arch, version),
		Assets: "../../assets", Docs: "../../docs", License: "../../LICENSE", Notices: "../../LICENSE", Out: t.TempDir(),
	}
}

// builders are the two packages.
var builders = map[string]func(context.Context, product.Input) ([]string, error){"client": Client, "server": Server}

// build1 makes one package in both formats.
func build1(t *testing.T, in product.Input, what string) (debPath, rpmPath string) {
	t.Helper()
	needTools(t)
	paths, err := builders[what](t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 2 {
		t.Fatalf("got %v", paths)
	}
	return paths[0], paths[1]
}

// built is build1 once for all tests.
func built(t *testing.T, what, version, arch string) (debPath, rpmPath string) {
	t.Helper()
	in := input(t, version, arch)
	in.Out = in.Programs + "-" + what
	if err := os.Mkdir(in.Out, 0o755); err == nil {
		return build1(t, in, what)
	}
	debs, _ := filepath.Glob(filepath.Join(in.Out, "*.deb"))
	rpms, _ := filepath.Glob(filepath.Join(in.Out, "*.rpm"))
	if len(debs) != 1 || len(rpms) != 1 {
		t.Fatalf("an earlier test could not make the packages")
	}
	return debs[0], rpms[0]
}

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; write it anew with -update):\n%s", file, diff)
	}
}

func TestPackagesHoldExactlyThis(t *testing.T) {
	for arch, names := range map[string]map[string][2]string{
		"amd64": {
			"client": {"platen_1.1.0~rc.1_amd64.deb", "platen-1.1.0~rc.1-1.x86_64.rpm"},
			"server": {"platen-server_1.1.0~rc.1_amd64.deb", "platen-server-1.1.0~rc.1-1.x86_64.rpm"},
		},
		"arm64": {
			"client": {"platen_1.1.0~rc.1_arm64.deb", "platen-1.1.0~rc.1-1.aarch64.rpm"},
			"server": {"platen-server_1.1.0~rc.1_arm64.deb", "platen-server-1.1.0~rc.1-1.aarch64.rpm"},
		},
	} {
		for what, want := range names {
			debPath, rpmPath := built(t, what, younger, arch)
			if got := [2]string{filepath.Base(debPath), filepath.Base(rpmPath)}; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			for _, file := range []string{debPath, rpmPath} {
				lines, err := List(t.Context(), file)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, what+filepath.Ext(file), strings.Join(lines, "\n")+"\n") // the same for both architectures
			}
			if left, err := os.ReadDir(filepath.Dir(debPath)); err != nil || len(left) != 2 {
				t.Errorf("%d files in the folder, want 2: %v", len(left), err)
			}
			if arch == "amd64" {
				golden(t, what+"-control", ask(t, "dpkg-deb", "--field", debPath)+"\n"+
					withoutRPMLib(ask(t, "rpm", "-qp", "--nosignature", "--queryformat", "%{NAME} %{VERSION} %{RELEASE} %{ARCH}\n%{SUMMARY}\n%{LICENSE} %{URL}\n%{VENDOR} %{PACKAGER}\nbuilt %{BUILDTIME} on %{BUILDHOST}\n"+
						"[requires %{REQUIRENAME} %{REQUIREFLAGS:depflags} %{REQUIREVERSION}\n][recommends %{RECOMMENDNAME}\n][suggests %{SUGGESTNAME}\n]%{DESCRIPTION}\n", rpmPath)))
			}
		}
	}
}

// withoutRPMLib leaves out what depends on the rpm that built the package.
func withoutRPMLib(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "requires rpmlib(") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// ask runs a tool that reads packages.
func ask(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), testenv.Program(t, name, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// The same release is the same bytes, whoever builds it, where, and when.
func TestTwoBuildsAreTheSameBytes(t *testing.T) {
	needTools(t)
	sums := func(files ...string) map[string]string {
		list := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(text)
			list[filepath.Base(file)] = hex.EncodeToString(sum[:])
		}
		return list
	}
	clientDeb, clientRPM := built(t, "client", older, "amd64")
	serverDeb, serverRPM := built(t, "server", older, "amd64")
	first := sums(clientDeb, clientRPM, serverDeb, serverRPM)

	in := input(t, older, "amd64")
	copied := filepath.Join(t.TempDir(), "another folder")
	if err := os.CopyFS(copied, os.DirFS(in.Programs)); err != nil {
		t.Fatal(err)
	}
	in.Programs = copied
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".rpmmacros"), []byte("%_buildhost somewhere.example\n%distribution Somewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"HOME": home, "TZ": "Pacific/Auckland", "LANG": "de_DE.UTF-8", "SOURCE_DATE_EPOCH": "1", "TMPDIR": t.TempDir(), "DEB_BUILD_OPTIONS": "parallel=2"} {
		t.Setenv(name, value)
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	clientDeb, clientRPM = build1(t, in, "client")
	serverDeb, serverRPM = build1(t, in, "server")
	if diff := cmp.Diff(first, sums(clientDeb, clientRPM, serverDeb, serverRPM)); diff != "" {
		t.Errorf("the second build differs:\n%s", diff)
	}
}

func TestWhatCannotBeAPackageIsRefused(t *testing.T) {
	needTools(t)
	for name, c := range map[string]struct {
		change func(*product.Input)
		want   string
	}{
		"a program is missing":         {func(in *product.Input) { in.Programs = t.TempDir() }, product.ErrNoPrograms.Error()},
		"programs of another computer": {func(in *product.Input) { in.Programs = programsOf(t, "arm64", older) }, "was built for EM_AARCH64, the package is for amd64"},
		"an unknown architecture":      {func(in *product.Input) { in.Arch = "sparc" }, `no packages for the architecture "sparc"`},
		"no time":                      {func(in *product.Input) { in.Release.Time = time.Time{} }, "needs a time"},
		"a broken second":              {func(in *product.Input) { in.Release.Time = in.Release.Time.Add(1) }, "whole seconds"},
		"no folder to write to":        {func(in *product.Input) { in.Out = filepath.Join(in.Out, "missing") }, "no such file"},
		"no license":                   {func(in *product.Input) { in.License = "missing" }, "no such file"},
		"not a program": {func(in *product.Input) {
			in.Programs = t.TempDir()
			if err := os.WriteFile(filepath.Join(in.Programs, "platen"), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "read the program"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, older, "amd64")
			c.change(&in)
			paths, err := Client(t.Context(), in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want %q", paths, err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(in.Out, ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	in := input(t, older, "amd64")
	in.Programs = t.TempDir()
	if _, err := Server(t.Context(), in); !errors.Is(err, product.ErrNoPrograms) {
		t.Errorf("got %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Client(stopped, input(t, older, "amd64")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNeedsComeFromTheProgramItself(t *testing.T) {
	in := input(t, older, "amd64")
	n, err := needsOf(filepath.Join(in.Programs, "platen-window"))
	if err != nil {
		t.Fatal(err)
	}
	var debs, rpms family
	n.add(&debs, &rpms)
	if want := []string{"libgl1", "libx11-6", "libxcursor1", "libxi6"}; cmp.Diff(want, debs.recommends) != "" {
		t.Errorf("got %v, want %v", debs.recommends, want)
	}
	if want := []string{"libGL.so.1()(64bit)", "libX11.so.6()(64bit)", "libXcursor.so.1()(64bit)", "libXi.so.6()(64bit)"}; cmp.Diff(want, rpms.recommends) != "" {
		t.Errorf("got %v, want %v", rpms.recommends, want)
	}
	if len(debs.depends) != 1 || !strings.HasPrefix(debs.depends[0], "libc6 (>= 2.") || len(rpms.depends) != 1 || !strings.HasPrefix(rpms.depends[0], "libc.so.6(GLIBC_2.") {
		t.Errorf("got %v and %v", debs.depends, rpms.depends)
	}
	if n, err := needsOf(filepath.Join(in.Programs, "platen")); err != nil || n.libc != "" || len(n.libraries) > 0 {
		t.Errorf("a static program: got %+v, %v", n, err)
	}
	dir := t.TempDir()
	compile(t, filepath.Join(dir, "libnobody.so.1"), "int nobody(void) { return 1; }", "-shared", "-fPIC", "-Wl,-soname,libnobody.so.1")
	strange := filepath.Join(dir, "strange")
	compile(t, strange, "int nobody(void); int main(void) { return nobody(); }", filepath.Join(dir, "libnobody.so.1"))
	if _, err := needsOf(strange); err == nil || !strings.Contains(err.Error(), "libnobody.so.1") {
		t.Errorf("a library nobody knows: got %v", err)
	}
	for _, pair := range [][2]string{{"2.34", "2.4"}, {"2.10", "2.9"}, {"2.2.5", "2.2"}, {"3.0", "2.40"}} {
		if !newer(pair[0], pair[1]) || newer(pair[1], pair[0]) || newer("PRIVATE", pair[0]) {
			t.Errorf("newer is wrong about %v", pair)
		}
	}
}

func TestLintianHasNothingToSay(t *testing.T) {
	needTools(t)
	lintian := testenv.Program(t, "lintian", "lintian")
	client, _ := built(t, "client", older, "amd64")
	server, _ := built(t, "server", older, "amd64")
	cmd := exec.CommandContext(t.Context(), lintian, "--allow-root", "--fail-on", "error,warning", "--no-cfg", client, server)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "unused-override") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("lintian: %q", out)
}
