package residents

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// TestUnderWine runs this package's tests that are for Windows, and the real programs: what a person and a package do there. Wine
// has no sessions of other people, so nothing is started in one.
func TestUnderWine(t *testing.T) {
	w := testenv.StartWindows(t)
	dir := t.TempDir()
	compile := func(to string, args ...string) {
		t.Helper()
		build := exec.CommandContext(t.Context(), "go", append(args[:len(args)-1:len(args)-1], "-o", to, args[len(args)-1])...)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	t.Run("the tests for Windows", func(t *testing.T) {
		program := filepath.Join(dir, "residents.test.exe")
		compile(program, "test", "-c", ".")
		out, code := w.Run(t, program, "-test.v", "-test.run", "^TestWindows")
		if code != 0 || strings.Count(out, "--- PASS: ") != 3 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	const programs = `C:\Program Files\Platen\`
	if err := os.MkdirAll(w.File(programs), 0o755); err != nil {
		t.Fatal(err)
	}
	compile(w.File(programs+"platen.exe"), "build", "../../client")
	compile(w.File(programs+"platen-deploy.exe"), "build", "..")
	run := func(t *testing.T, code int, program string, args ...string) string {
		t.Helper()
		out, got := w.Run(t, programs+program, args...)
		if got != code {
			t.Fatalf("%s %v: exit code %d, want %d: %s", program, args, got, code, out)
		}
		return out
	}
	resident := func() {
		t.Helper()
		w.Start(t, programs+"platen.exe", "run", "--at-logon")
		testenv.Await(t, "the resident", func() bool { _, code := w.Run(t, programs+"platen.exe", "status"); return code == 0 })
	}
	gone := func(t *testing.T, state string) {
		t.Helper()
		if _, err := os.Stat(w.File(state)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", state, err)
		}
	}
	local, _ := w.Run(t, "cmd", "/c", "echo %LOCALAPPDATA%")
	state := strings.TrimSpace(local) + `\Platen`

	t.Run("E9_the package's name is confirmed, and used", func(t *testing.T) {
		if out, code := w.Run(t, "reg", "add", `HKLM\Software\Platen`, "/v", "InstallerFile", "/d", `C:\Users\alex\Downloads\platen--print.example.org (1).msi`, "/f"); code != 0 {
			t.Fatalf("reg add: %s", out)
		}
		resident()
		var s struct {
			Server struct{ URL, Where string }
		}
		if err := json.Unmarshal([]byte(run(t, 0, "platen.exe", "status", "--json")), &s); err != nil || s.Server.URL != "https://print.example.org" || s.Server.Where != "package" {
			t.Fatalf("%+v, %v", s, err)
		}
		run(t, 2, "platen.exe", "confirm-server")
		run(t, 0, "platen.exe", "confirm-server", "--yes")
		if text, err := os.ReadFile(w.File(state + `\server.json`)); err != nil || !strings.Contains(string(text), "https://print.example.org") {
			t.Errorf("%s, %v", text, err)
		}
		if out := run(t, 0, "platen.exe", "confirm-server"); !strings.Contains(out, "nothing to confirm") {
			t.Error(out)
		}
	})
	t.Run("E9_a person removes what is kept", func(t *testing.T) {
		if out := run(t, 0, "platen.exe", "purge", "--yes", "--json"); !strings.Contains(out, `"ran": true`) {
			t.Error(out)
		}
		gone(t, state)
		if out := run(t, 0, "platen.exe", "stop"); !strings.Contains(out, "was not running") {
			t.Error(out)
		}
	})
	t.Run("E9_the package ends what it replaces", func(t *testing.T) {
		resident()
		var r Report
		if err := json.Unmarshal([]byte(run(t, 0, "platen-deploy.exe", "clients", "stop", "--json")), &r); err != nil || r.Found != 1 || r.Ended+r.Killed != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		run(t, 3, "platen.exe", "balance")
	})
}
