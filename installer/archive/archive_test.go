package archive

import (
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/testenv"
)

// input has a stand-in for the server.
func input(t *testing.T) product.Input {
	t.Helper()
	r, err := product.Parse("1.2.3-rc.1")
	if err != nil {
		t.Fatal(err)
	}
	r.Time = time.Date(2026, 11, 22, 8, 30, 2, 0, time.UTC)
	in := product.Input{Release: r, Arch: "amd64", Programs: t.TempDir(), Out: t.TempDir(), License: filepath.Join(t.TempDir(), "LICENSE"), Notices: filepath.Join(t.TempDir(), "notices")}
	for path, text := range map[string]string{
		filepath.Join(in.Programs, "platen-server"):     "#!/bin/sh\necho stand-in\n",
		filepath.Join(in.Programs, "platen-server.exe"): "MZ stand-in",
		in.License: "A licence\nof two lines\n",
		in.Notices: "Licences of others, VERSION 2\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal(err)
		}
		t.Skip("missing: " + name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

var blanks = regexp.MustCompile(`[ \t]+`)

func TestTheTarballAsTarReadsIt(t *testing.T) {
	path, err := Server(t.Context(), input(t), "linux")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := filepath.Base(path), "platen-server-1.2.3-rc.1-linux-amd64.tar.gz"; got != want {
		t.Errorf("called %s, want %s", got, want)
	}
	var got []string
	for line := range strings.Lines(run(t, "tar", "-tvzf", path)) {
		f := blanks.Split(strings.TrimSpace(line), -1)
		got = append(got, strings.Join([]string{f[0], f[1], f[3], f[4], f[5]}, " "))
	}
	folder := "platen-server-1.2.3-rc.1-linux-amd64/"
	want := []string{
		"drwxr-xr-x root/root 2026-11-22 08:30 " + folder,
		"-rw-r--r-- root/root 2026-11-22 08:30 " + folder + "LICENSE.txt",
		"-rw-r--r-- root/root 2026-11-22 08:30 " + folder + "README.txt",
		"-rw-r--r-- root/root 2026-11-22 08:30 " + folder + "THIRD-PARTY-NOTICES.txt",
		"-rwxr-xr-x root/root 2026-11-22 08:30 " + folder + "platen-server",
		"-rw-r--r-- root/root 2026-11-22 08:30 " + folder + "platen-server.yaml",
		"-rw-r--r-- root/root 2026-11-22 08:30 " + folder + "platen-server.service",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tar (-want +got):\n%s", diff)
	}
	if text := run(t, "tar", "-xOzf", path, folder+"README.txt"); !strings.Contains(text, "server, 1.2.3-rc.1\n") {
		t.Errorf("the version is not in the README:\n%s", text)
	}
	if text := run(t, "tar", "-xOzf", path, folder+"platen-server.service"); !strings.Contains(text, "ExecStart=/usr/local/bin/platen-server ") {
		t.Errorf("the unit does not start the program where the README puts it:\n%s", text)
	}
	if text := run(t, "tar", "-xOzf", path, folder+"THIRD-PARTY-NOTICES.txt"); text != "Licences of others, VERSION 2\n" {
		t.Errorf("the licences of others were changed: %q", text)
	}
	dir := t.TempDir()
	run(t, "tar", "-xzf", path, "-C", dir)
	if out := run(t, filepath.Join(dir, folder, "platen-server")); out != "stand-in\n" {
		t.Errorf("the program says %q", out)
	}
}

func TestTheZipAs7zReadsIt(t *testing.T) {
	path, err := Server(t.Context(), input(t), "windows")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := filepath.Base(path), "platen-server-1.2.3-rc.1-windows-amd64.zip"; got != want {
		t.Errorf("called %s, want %s", got, want)
	}
	if out := run(t, "7z", "t", path); !strings.Contains(out, "Everything is Ok") {
		t.Errorf("7z: %s", out)
	}
	dir := t.TempDir()
	run(t, "7z", "x", "-o"+dir, path)
	folder := filepath.Join(dir, "platen-server-1.2.3-rc.1-windows-amd64")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff([]string{"LICENSE.txt", "README.txt", "THIRD-PARTY-NOTICES.txt", "platen-server.exe", "platen-server.yaml"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, name := range []string{"LICENSE.txt", "README.txt", "THIRD-PARTY-NOTICES.txt", "platen-server.yaml"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\n") != strings.Count(string(text), "\r\n") {
			t.Errorf("%s: lines end as on Unix", name)
		}
	}
	if exe, err := os.ReadFile(filepath.Join(folder, "platen-server.exe")); err != nil || string(exe) != "MZ stand-in" {
		t.Errorf("the program: %q, %v", exe, err)
	}
}

func TestTwoBuildsAreTheSameBytes(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		var sums [2][32]byte
		for i := range sums {
			path, err := Server(t.Context(), input(t), goos) // in other folders, and the files are younger
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sums[i] = sha256.Sum256(data)
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: two builds differ", goos)
		}
	}
}

func TestWithoutTheProgramThereIsNoArchive(t *testing.T) {
	in := input(t)
	in.Programs = t.TempDir()
	if _, err := Server(t.Context(), in, "linux"); !errors.Is(err, product.ErrNoPrograms) {
		t.Errorf("got %v, want %v", err, product.ErrNoPrograms)
	}
	if entries, err := os.ReadDir(in.Out); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
