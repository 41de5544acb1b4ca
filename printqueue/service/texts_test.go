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

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/osservice"
)

// golden compares a text with the file of the same name in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestTexts(t *testing.T) {
	const unix = "/usr/bin/platen-deploy"
	unit, err := Unit(unix)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "platen-deploy.service", unit)
	plist, err := Plist(unix)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "org.platenprint.deploy.plist", plist)
}

func TestR_WIN_1_ImagePathIsQuoted(t *testing.T) {
	for path, want := range map[string]string{
		`C:\Program Files\Platen\platen-deploy.exe`: `"C:\Program Files\Platen\platen-deploy.exe" run-service`,
		`C:\Platen\platen-deploy.exe`:               `"C:\Platen\platen-deploy.exe" run-service`,
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
	const path = `/opt/a "b" %n $HOME \x & <c>/platen-deploy`
	unit, err := Unit(path)
	if err != nil || !strings.Contains(unit, `ExecStart="/opt/a \"b\" %%n $$HOME \\x & <c>/platen-deploy" run-service`+"\n") {
		t.Errorf("%v:\n%s", err, unit)
	}
	plist, err := Plist(path)
	if err != nil {
		t.Fatal(err)
	}
	var found bool
	for d := xml.NewDecoder(strings.NewReader(plist)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && string(text) == path {
			found = true
		}
	}
	if !found {
		t.Errorf("the path is not in\n%s", plist)
	}
	for _, bad := range []string{"/a\nExecStartPre=/bin/sh", "/a\x00", "/a\x7f"} {
		for name, make := range map[string]func(string) (string, error){"unit": Unit, "plist": Plist, "image": ImagePath} {
			if text, err := make(bad); err == nil {
				t.Errorf("%s of %q:\n%s", name, bad, text)
			}
		}
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

func TestSystemdTakesTheUnit(t *testing.T) {
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

const unitFile = "platen-deploy.service"
