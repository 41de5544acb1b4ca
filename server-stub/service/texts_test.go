package service

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/osservice"
	"github.com/platenprint/platen/server-stub/config"
)

func TestR_WIN_1_ImagePathIsQuoted(t *testing.T) {
	for path, want := range map[string]string{
		`C:\Program Files\Platen Server\platen-server.exe`: `"C:\Program Files\Platen Server\platen-server.exe" service run`,
		`C:\Platen\platen-server.exe`:                      `"C:\Platen\platen-server.exe" service run`,
	} {
		if got, err := ImagePath(path); err != nil || got != want {
			t.Errorf("got %s, %v", got, err)
		}
	}
	if got, err := ImagePath(`C:\a" b`); !errors.Is(err, osservice.ErrPath) {
		t.Errorf("got %s", got)
	}
}

func TestStrangePathsStayPaths(t *testing.T) {
	const path = `/opt/a "b" %n $HOME \x & <c>/platen-server`
	unit, err := Unit(path)
	if err != nil || !strings.Contains(unit, `ExecStart="/opt/a \"b\" %%n $$HOME \\x & <c>/platen-server" serve --data /var/lib/platen-server `) {
		t.Errorf("%v:\n%s", err, unit)
	}
	plist, err := Plist(path)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for d := xml.NewDecoder(strings.NewReader(plist)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts = append(texts, string(text))
		}
	}
	if all := strings.Join(texts, "|"); !strings.Contains(all, "|"+path+"|") || !strings.Contains(all, "|"+macAccount+"|") || !strings.Contains(all, "|"+label+"|") {
		t.Errorf("the path, the account or the label is not in\n%s", plist)
	}
	for _, bad := range []string{"/a\nExecStartPre=/bin/sh", "/a\x00", "/a\x7f"} {
		for name, write := range map[string]func(string) (string, error){"unit": Unit, "plist": Plist, "image": ImagePath} {
			if text, err := write(bad); err == nil {
				t.Errorf("%s of %q:\n%s", name, bad, text)
			}
		}
	}
}

func TestPackagesUseThePlainPath(t *testing.T) {
	unit, err := Unit("/usr/bin/platen-server")
	if err != nil || !strings.Contains(unit, "\nExecStart=/usr/bin/platen-server serve --data /var/lib/platen-server --config /etc/platen-server/platen-server.yaml\n") ||
		strings.Contains(unit, placeholder) {
		t.Errorf("%v:\n%s", err, unit)
	}
}

func TestTheFirstConfigurationIsGood(t *testing.T) {
	comments := filepath.Join(t.TempDir(), "platen-server.yaml")
	uncommented := filepath.Join(t.TempDir(), "platen-server.yaml")
	// What the comments offer is right, too.
	text := regexp.MustCompile(`(?m)^# ([a-z_]+: )`).ReplaceAllString(Config(), "$1")
	if err := errors.Join(os.WriteFile(comments, []byte(Config()), 0o600), os.WriteFile(uncommented, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	none := func(string) string { return "" }
	if _, err := config.Load(config.Sources{Getenv: none, File: comments}); err != nil {
		t.Error(err)
	}
	c, err := config.Load(config.Sources{Getenv: none, File: uncommented})
	if err != nil {
		t.Fatal(err)
	}
	if c.Organisation == "" || c.PublicURL == nil || c.DeviceListen != ":8445" || c.Database.Empty() {
		t.Errorf("the comments do not say what is set: %+v", c)
	}
}

func inspect(t *testing.T, args ...string) string {
	t.Helper()
	const program = "systemd-analyze" //nolint:misspell // its name
	tool, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs %s (package systemd)", program)
	}
	out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func TestC11_SystemdTakesTheUnitAndItIsHardened(t *testing.T) {
	program := filepath.Join(t.TempDir(), "a program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil { // systemd looks for it
		t.Fatal(err)
	}
	unit, err := Unit(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), unitFile)
	if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := inspect(t, "verify", "--man=no", "--recursive-errors=no", path); strings.Contains(out, unitFile) {
		t.Errorf("systemd says of it:\n%s", out)
	}
	out := inspect(t, "security", "--offline=true", "--no-pager", path)
	found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no score:\n%s", out)
	}
	if score, err := strconv.ParseFloat(found[1], 64); err != nil || score > 2.0 {
		t.Errorf("exposure %v, want at most 2.0:\n%s", score, out)
	}
	t.Log(found[0])
}

const unitFile = "platen-server.service"
