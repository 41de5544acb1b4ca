package notices

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// program is built once: a small program of the tree with modules of others in it.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "notices")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gen")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/platenprint/platen/assets/gen")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, _ := program(); path != "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func programs(t *testing.T) []string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

// tree is a folder with files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEveryModuleOfAProgramIsThereWithItsLicence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", Name)
	if err := Write(t.Context(), Options{Go: "go", Source: "../.."}, programs(t), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The Go tool reads the same program, and knows where the modules are.
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", programs(t)[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if f[0] != "dep" {
			continue
		}
		modules++
		if n := bytes.Count(text, []byte("\n"+f[1]+" "+f[2]+": ")); n != 1 {
			t.Errorf("%s %s is there %d times", f[1], f[2], n)
		}
		dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", f[1]).Output()
		if err != nil {
			t.Fatal(err)
		}
		license, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "LICENSE"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), tidy(license)); n != 1 { // many have the same text
			t.Errorf("the licence of %s is there %d times", f[1], n)
		}
	}
	if modules < 3 {
		t.Fatalf("the program has too few modules to tell anything: %s", out)
	}
	if !strings.Contains(string(text), "\nGo's standard library (go1.") {
		t.Error("Go's own licence is not there")
	}
	if strings.Contains(string(text), "MinGW") {
		t.Error("a program for Linux has the runtime of MinGW")
	}
	again, err := Text(t.Context(), Options{Go: "go", Source: "../.."}, programs(t))
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("two differ: %v", err)
	}
}

// goTool is a go command that knows modules where line, with their path, version and folder, says.
func goTool(t *testing.T, version string, dir func(module string) string) Options {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", programs(t)[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); f[0] == "dep" {
			if version != "" {
				f[2] = version
			}
			fmt.Fprintf(&lines, "%s\t%s\t%s\n", f[1], f[2], dir(f[1]))
		}
	}
	fake := tree(t, map[string]string{"LICENSE": "Go's licence", "PATENTS": "Go's patents", "list": lines.String()})
	script := "#!/bin/sh\nif [ \"$1\" = env ]; then echo '" + fake + "'; else cat '" + fake + "/list'; fi\n"
	path := filepath.Join(fake, "go")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return Options{Go: path, Source: fake}
}

func TestAModuleWithoutALicenceStopsTheBuildAndIsNamed(t *testing.T) {
	good := tree(t, map[string]string{"LICENSE": "do what you like"})
	if _, err := Text(t.Context(), goTool(t, "", func(string) string { return good }), programs(t)); err != nil {
		t.Fatalf("all have one: %v", err)
	}
	for what, dir := range map[string]string{
		"nothing": tree(t, map[string]string{"README.md": "read"}), "a notice only": tree(t, map[string]string{"NOTICE": "n", "PATENTS": "p"}),
		"of a part only": tree(t, map[string]string{"sub/LICENSE": "x"}), "a program": tree(t, map[string]string{"license.go": "package x"}), "no folder": "",
	} {
		path := filepath.Join(t.TempDir(), Name)
		o := goTool(t, "", func(module string) string {
			if module == "golang.org/x/image" {
				return dir
			}
			return good
		})
		if err := Write(t.Context(), o, programs(t), path); !errors.Is(err, ErrNoText) || !strings.Contains(err.Error(), "golang.org/x/image v") {
			t.Errorf("%s: got %v", what, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was written", what)
		}
	}
}

func TestLicencesOfOtherVersionsAreNotTaken(t *testing.T) {
	good := tree(t, map[string]string{"LICENSE": "x"})
	o := goTool(t, "v9.9.9", func(string) string { return good })
	if _, err := Text(t.Context(), o, programs(t)); err == nil || !strings.Contains(err.Error(), "v9.9.9 in the sources") {
		t.Errorf("got %v", err)
	}
}

func TestWhatAModuleHasFromElsewhereIsThereToo(t *testing.T) {
	dir := tree(t, map[string]string{
		"COPYING.md":          "The licence \r\nof this\r\n\r\n",
		"NOTICE":              "Made by somebody",
		"deep/LICENSE-OTHERS": "Another",
		"LICENSES/MIT.txt":    "In its own folder",
		"testdata/LICENSE":    "never compiled",
		"cmd/x/LICENSE":       "another program",
		"copying.go":          "package x",
		"a.h":                 "/* What it is for.\n *\n * Copyright (c) 2001 A. Body\n *\n * Permission is hereby granted.\n */\nint x; /* permission to go on */\n",
		"b.c":                 "//=====\n// GL\n// -----\n// Copyright © 2002 B. Body\n// Redistribution is allowed.\n//=====\n\nint y;\n",
		"c.c":                 "/* B's too.\n * Copyright © 2002 B. Body\n * Redistribution is allowed.\n */\n",
	})
	got, err := inFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"The licence\nof this", "In its own folder", "Made by somebody", "Another",
		"Copyright (c) 2001 A. Body\n\nPermission is hereby granted.", "Copyright © 2002 B. Body\nRedistribution is allowed.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The window draws by C libraries whose licences are beside or in their sources only.
func TestTheCOfTheWindowHasItsLicences(t *testing.T) {
	for module, want := range map[string]string{
		"github.com/go-gl/glfw/v3.3/glfw": "Camilla Löwy", "github.com/go-gl/gl": "The Khronos Group Inc.",
	} {
		dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
		if err != nil {
			t.Fatal(err)
		}
		texts, err := inFolder(strings.TrimSpace(string(dir)))
		if err != nil || !strings.Contains(strings.Join(texts, "\n"), want) {
			t.Errorf("%s: nothing of %s, %v", module, want, err)
		}
	}
}

func TestSameTextsAreWrittenOnce(t *testing.T) {
	got := string(write([]part{{"a v1", []string{"one"}}, {"b v2", []string{"two", "one"}}}))
	for _, want := range []string{"\na v1: 1\nb v2: 2, 1\n", "Text 1\n" + ruler + "\none\n", "Text 2\n" + ruler + "\ntwo\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Count(got, ruler) != 4 {
		t.Errorf("more than two texts:\n%s", got)
	}
}

func TestProgramsForWindowsWithCNameTheirRuntime(t *testing.T) {
	for settings, want := range map[[2]string]bool{{"windows", "1"}: true, {"windows", "0"}: false, {"linux", "1"}: false} {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: settings[1]}, {Key: "GOOS", Value: settings[0]}}}
		if got := hasMinGW(info); got != want {
			t.Errorf("%v: got %v", settings, got)
		}
	}
	if !strings.Contains(mingw, "mingw-w64 project") || strings.Contains(mingw, "General Public") {
		t.Error("the text of MinGW's runtime is not that of its runtime")
	}
}
