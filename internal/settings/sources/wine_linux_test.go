package sources

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/testenv"
)

// TestUnderWine runs this package's tests that are for Windows, and asks the real client what the registry told it.
func TestUnderWine(t *testing.T) {
	w := testenv.StartWindows(t)
	dir := t.TempDir()
	compile := func(name string, args ...string) string {
		t.Helper()
		program := filepath.Join(dir, name)
		build := exec.CommandContext(t.Context(), "go", append(args[:len(args)-1:len(args)-1], "-o", program, args[len(args)-1])...)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return program
	}
	t.Run("the tests for Windows", func(t *testing.T) { // Wine's files have no access lists of their own
		out, code := w.Run(t, compile("sources.test.exe", "test", "-c", "."), "-test.v", "-test.run", "Registry|KeyOfTheToken|OthersMayChange|ThisWindows")
		if code != 0 || strings.Count(out, "--- PASS: ") != 4 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	client := compile("platen.exe", "build", "../../../client")
	told := func(t *testing.T) map[string]string {
		t.Helper()
		out, code := w.Run(t, client, "config", "--json")
		var said struct {
			Settings []struct{ Name, Value, Origin string }
		}
		if err := json.Unmarshal([]byte(out), &said); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v: %s", code, err, out)
		}
		got := map[string]string{}
		for _, s := range said.Settings {
			if s.Origin != "default" {
				got[s.Name] = s.Value + " | " + s.Origin
			}
		}
		return got
	}
	add := func(t *testing.T, key, name, kind, value string) {
		t.Helper()
		if out, code := w.Run(t, "reg", "add", key, "/v", name, "/t", kind, "/d", value, "/f"); code != 0 {
			t.Fatalf("reg add %s %s: exit code %d: %s", key, name, code, out)
		}
	}
	t.Run("E9_the name of the MSI alone", func(t *testing.T) {
		add(t, settings.RegistryInstaller, "InstallerFile", "REG_SZ", `C:\Users\alex\Downloads\platen-1.2.3-x64--print.example.org--8443 (1).msi`)
		want := map[string]string{"ServerURL": `https://print.example.org:8443 | package name HKLM\Software\Platen\InstallerFile`}
		if diff := cmp.Diff(want, told(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("E9_properties, policies and recommendations", func(t *testing.T) {
		add(t, settings.RegistryInstaller, "ServerURL", "REG_SZ", "https://property.example.org")
		add(t, settings.RegistryInstaller, "AutoStart", "REG_SZ", "0")
		add(t, settings.RegistryPolicyMachine, "HideBalance", "REG_DWORD", "1")
		add(t, settings.RegistryPolicyMachine, "SharedOSUsers", "REG_MULTI_SZ", `lab\0kiosk`)
		add(t, settings.RegistryPolicyUser, "HideBalance", "REG_DWORD", "0")
		add(t, settings.RegistryPolicyUser, "UPNSuffix", "REG_SZ", "example.org")
		add(t, settings.RegistryPolicyMachine+`\Recommended`, "Language", "REG_SZ", "de")
		file := w.File(`C:\ProgramData\Platen\platen.conf`)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("AuthMode=prompt\r\nLanguage=fr\r\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		const policy = `HKLM\Software\Policies\Platen`
		want := map[string]string{
			"ServerURL":     `https://property.example.org | installer HKLM\Software\Platen`,
			"AutoStart":     `0 | installer HKLM\Software\Platen`,
			"HideBalance":   "1 | policy " + policy,
			"SharedOSUsers": "lab,kiosk | policy " + policy,
			"UPNSuffix":     `example.org | policy HKCU\Software\Policies\Platen`,
			"Language":      "de | recommended " + policy + `\Recommended`,
			"AuthMode":      `prompt | machine file C:\ProgramData\Platen\platen.conf:1`,
		}
		if diff := cmp.Diff(want, told(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
