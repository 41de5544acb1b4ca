package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/scan"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/installer/tool"
	"github.com/platenprint/platen/internal/testenv"
)

const archived = "platen-server-1.2.3-windows-amd64.zip"

// standIn compiles a small program of the tree, which stands for platen-server.exe, and returns the folder for --programs.
// What more says is added to its end.
func standIn(t *testing.T, more string) string {
	t.Helper()
	if err := tool.Need(scan.Tools()...); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal(err)
		}
		t.Skip("missing: ", err)
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "windows-amd64", "platen-server.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", exe, "github.com/platenprint/platen/assets/gen")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	f, err := os.OpenFile(exe, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(more); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build runs the program as somebody would, for the server's archive only.
func buildArchive(t *testing.T, programs, out string, flags ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1795336202")
	var o, e bytes.Buffer
	args := append([]string{
		"--source", "..", "--work", t.TempDir(), "--version", "1.2.3", "--only", "server-windows", "--programs", programs, "--out", out,
	}, flags...)
	err = run(t.Context(), args, &o, &e)
	return o.String(), e.String(), err
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAReleaseHasSumsAndWhatItIsMadeOf(t *testing.T) {
	programs, out := standIn(t, ""), t.TempDir()
	for _, name := range []string{"platen-server-1.2.2-windows-amd64.zip", "SHA256SUMS.minisig", "somebody-elses.txt"} { // of an earlier build
		if err := os.WriteFile(filepath.Join(out, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, err := buildArchive(t, programs, out, "--check", "--json")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if diff := cmp.Diff([]string{"SHA256SUMS", archived, archived + ".cdx.json", "somebody-elses.txt"}, list(t, out)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
	if strings.Count(stderr, "pack server-windows-amd64: done") != 2 {
		t.Errorf("it was not built twice to compare:\n%s", stderr)
	}
	var m made
	if err := json.Unmarshal([]byte(stdout), &m); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	if m.Version != "1.2.3" || m.Time != "2026-11-22T08:30:02Z" || len(m.Files) != 3 || len(m.Notes) != 2 {
		t.Errorf("summary: %+v", m)
	}
	text, err := os.ReadFile(filepath.Join(out, sums.Name))
	if err != nil {
		t.Fatal(err)
	}
	listed, err := sums.Read(bytes.NewReader(text))
	if err != nil || len(listed) != 2 {
		t.Fatalf("%v, %v", listed, err)
	}
	for _, f := range m.Files {
		if want, ok := listed[f.File]; ok && (want != f.SHA256 || f.Bytes == 0) {
			t.Errorf("%s: %s in the summary, %s in the list", f.File, f.SHA256, want)
		}
	}
	var b bytes.Buffer
	if err := summary(&b, m, false); err != nil || !strings.Contains(b.String(), archived) || !strings.Contains(b.String(), "is not signed") {
		t.Errorf("%v, %s", err, b.String())
	}
}

func TestR_SECRET_1_APackageWithASecretIsNotKept(t *testing.T) {
	secret := "plt_e_k5m2xq7vj3wz4tb6nrh2ydcgap"
	programs, out := standIn(t, secret), t.TempDir()
	_, stderr, err := buildArchive(t, programs, out)
	if !errors.Is(err, errSecrets) || !strings.Contains(err.Error(), archived) || !strings.Contains(err.Error(), "enrolment token") {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error()+stderr, secret) {
		t.Error("the secret is in the message")
	}
	if got := list(t, out); got != nil {
		t.Errorf("left behind: %v", got)
	}
}

func TestTracesOfTheMachineAreLookedFor(t *testing.T) {
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := buildArchive(t, standIn(t, "\x00"+source+"/client/main.go\x00"), t.TempDir()); !errors.Is(err, errSecrets) {
		t.Errorf("got %v", err)
	}
}

func TestWithKeysWhatIsGivenAwayIsSigned(t *testing.T) {
	if err := tool.Need("openssl", "osslsigncode", "7z"); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal(err)
		}
		t.Skip("missing: ", err)
	}
	keys := t.TempDir()
	key, cert := filepath.Join(keys, "key.pem"), filepath.Join(keys, "cert.pem")
	out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
		"-subj", "/CN=Test Signer", "-addext", "extendedKeyUsage=codeSigning").CombinedOutput()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "minisign.key"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	programs, dist := standIn(t, ""), t.TempDir()
	given := filepath.Join(programs, "windows-amd64", "platen-server.exe")
	before, err := sums.File(given)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLATEN_SIGN_CERT", cert)
	t.Setenv("PLATEN_SIGN_KEY", key)
	t.Setenv("PLATEN_SIGN_MINISIGN_KEY", filepath.Join(keys, "minisign.key"))
	stdout, stderr, err := buildArchive(t, programs, dist, "--check")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if strings.Contains(stdout, "not signed") {
		t.Errorf("it says that it is not signed:\n%s", stdout)
	}
	if after, err := sums.File(given); err != nil || after != before {
		t.Errorf("the program that was given was changed: %v", err)
	}
	list, err := os.ReadFile(filepath.Join(dist, sums.Name))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := os.ReadFile(filepath.Join(dist, sums.Name+".minisig"))
	if err != nil || !minisign.Verify(public, list, signature) {
		t.Errorf("the list's signature: %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), "7z", "x", "-o"+keys, filepath.Join(dist, archived)).CombinedOutput(); err != nil {
		t.Fatalf("7z: %v\n%s", err, out)
	}
	exe := filepath.Join(keys, strings.TrimSuffix(archived, ".zip"), "platen-server.exe")
	if out, err := exec.CommandContext(t.Context(), "osslsigncode", "verify", "-CAfile", cert, "-in", exe).CombinedOutput(); err != nil {
		t.Errorf("osslsigncode: %v\n%s", err, out)
	}
}

func TestWhatIsMissingIsSaidBeforeAnythingIsBuilt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "1795336202")
	work := t.TempDir()
	err := run(t.Context(), []string{"--source", "..", "--work", work, "--out", work}, &bytes.Buffer{}, &bytes.Buffer{})
	var missing *tool.MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	for _, p := range []string{"wixl", "msitools", "gcc-mingw-w64-x86-64", "gcc-aarch64-linux-gnu", "rpm", "dpkg", "faketime"} {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%s is not named: %v", p, err)
		}
	}
	for _, name := range missing.Names {
		if tool.Packages[name] == "" {
			t.Errorf("nobody knows in which Debian package %s is", name)
		}
	}
	if got := list(t, work); got != nil {
		t.Errorf("left behind: %v", got)
	}
}

func TestPackagesAreChosenByName(t *testing.T) {
	all := []string{"msi", "pkg", "linux-amd64", "linux-arm64", "server-linux-amd64", "server-linux-arm64", "server-windows-amd64"}
	for asked, want := range map[string][]string{
		"": all, "msi": {"msi"}, "linux": {"linux-amd64", "linux-arm64"}, "server": all[4:], "server-linux,pkg": {"pkg", "server-linux-amd64", "server-linux-arm64"},
		"linux-arm64": {"linux-arm64"},
	} {
		o, err := parse([]string{"--only", asked}, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := choose(new(build).allKinds(), o.only)
		if err != nil {
			t.Errorf("%q: %v", asked, err)
		}
		var names []string
		for _, k := range got {
			names = append(names, k.name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%q (-want +got):\n%s", asked, diff)
		}
	}
	for _, asked := range []string{"deb", "lin", "msi-x"} {
		if _, err := choose(new(build).allKinds(), []string{asked}); err == nil || !strings.Contains(err.Error(), "server-windows-amd64") {
			t.Errorf("%q: got %v", asked, err)
		}
	}
}

func Test_pain18_EverySystemGetsTheSamePrograms(t *testing.T) {
	b := build{options: options{mac: t.TempDir()}} // with what a Mac has built
	client, server := map[string][]string{}, map[string][]string{}
	for _, k := range b.allKinds() {
		for _, target := range k.targets {
			into := client
			if strings.HasPrefix(k.name, "server-") {
				into = server
			}
			into[target.Dir()] = k.programs
		}
	}
	three, one := []string{"platen", "platen-window", "platen-deploy"}, []string{"platen-server"}
	want := map[string][]string{"windows-amd64": three, "darwin-amd64": three, "darwin-arm64": three, "linux-amd64": three, "linux-arm64": three}
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("client (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"windows-amd64": one, "linux-amd64": one, "linux-arm64": one}, server); diff != "" {
		t.Errorf("server (-want +got):\n%s", diff)
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--no-such-flag"}, {"msi"}, {"--check=perhaps"}} {
		var stderr bytes.Buffer
		if _, err := parse(args, &stderr); !errors.Is(err, errUsage) || stderr.Len() == 0 {
			t.Errorf("%v: got %v and %q", args, err, stderr.String())
		}
	}
	if _, err := parse([]string{"--help"}, &bytes.Buffer{}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: got %v", err)
	}
	for _, args := range [][]string{{"--version", "1.2"}, {"--only", "dmg"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

func TestTheReleaseIsDatedWithItsSources(t *testing.T) {
	r, err := release(t.Context(), "1.2.3", t.TempDir(), "1795336202") // no repository
	if err != nil || !r.Time.Equal(time.Date(2026, 11, 22, 8, 30, 2, 0, time.UTC)) || r.Commit != "" {
		t.Errorf("by SOURCE_DATE_EPOCH: %v, %v", r, err)
	}
	if _, err := release(t.Context(), "1.2.3", t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("by nothing: %v", err)
	}
	for _, epoch := range []string{"yesterday", "0", "-5", "315532799"} {
		if _, err := release(t.Context(), "1.2.3", t.TempDir(), epoch); err == nil {
			t.Errorf("%s was taken", epoch)
		}
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"init", "-q"}, {"-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "--allow-empty", "-m", "x"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=1795336202 +0000")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git: %v\n%s", err, out)
		}
	}
	if r, err := release(t.Context(), "1.2.3", dir, ""); err != nil || r.Epoch() != 1795336202 || len(r.Commit) != 40 {
		t.Errorf("by git: %v, %v", r, err)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	a := []artefact{{"x.msi", 1, "aa"}, {"y.deb", 1, "bb"}}
	if err := compare(a, slices.Clone(a)); err != nil {
		t.Errorf("the same: %v", err)
	}
	err := compare(a, []artefact{{"x.msi", 1, "ab"}, {"z.rpm", 1, "cc"}})
	if !errors.Is(err, errDiffers) || !strings.HasSuffix(err.Error(), ": x.msi, y.deb, z.rpm") {
		t.Errorf("got %v", err)
	}
}

func TestPackagesThatGrowTooLargeAreNoticed(t *testing.T) {
	if err := tooLarge([]artefact{{"a.msi", 20e6, ""}, {"b.deb", 15e6, ""}, {"c.pkg", 90e6, ""}}); err != nil {
		t.Errorf("within: %v", err)
	}
	if err := tooLarge([]artefact{{"a.msi", 20e6 + 1, ""}, {"b.deb", 15e6 + 1, ""}}); err == nil || !strings.Contains(err.Error(), "a.msi") || !strings.Contains(err.Error(), "b.deb") {
		t.Errorf("got %v", err)
	}
}
