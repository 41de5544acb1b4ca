//go:build linux || darwin

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeMac does what dscl and launchctl do.
type fakeMac struct {
	records map[string]map[string]string // by path
	loaded  bool
}

func (f *fakeMac) run(_ context.Context, name string, args ...string) (string, error) {
	missing := errors.New("exit status 56: eDSRecordNotFound")
	switch {
	case name == "launchctl" && args[0] == "bootstrap":
		if _, err := os.Stat(args[2]); err != nil || f.loaded {
			return "", errors.New("Bootstrap failed: 5: Input/output error")
		}
		f.loaded = true
	case name == "launchctl" && args[0] == "bootout":
		f.loaded = false
	case name == "launchctl" && args[0] == "print":
		if !f.loaded {
			return "", errors.New("exit status 113")
		}
		return args[1] + " = {\n\tstate = running\n}", nil
	case name == "dscl" && args[1] == "-list":
		var out strings.Builder
		for path, fields := range f.records {
			if filepath.Dir(path) == args[2] {
				fmt.Fprintf(&out, "%s    %s\n", filepath.Base(path), fields[args[3]])
			}
		}
		return out.String(), nil
	case name == "dscl" && args[1] == "-create":
		if f.records[args[2]] == nil {
			f.records[args[2]] = map[string]string{}
		}
		f.records[args[2]][args[3]] = args[4]
	case name == "dscl" && args[1] == "-read":
		fields, ok := f.records[args[2]]
		if !ok {
			return "", missing
		}
		if len(args) == 4 {
			return args[3] + ": " + fields[args[3]] + "\n", nil
		}
	case name == "dscl" && args[1] == "-delete":
		delete(f.records, args[2])
	default:
		return "", fmt.Errorf("%s %v: unknown", name, args)
	}
	return "", nil
}

func TestLaunchd(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give files to the service's group")
	}
	root := t.TempDir()
	f := &fakeMac{records: map[string]map[string]string{"/Users/_www": {"UniqueID": "400"}, "/Groups/_x": {"PrimaryGroupID": "401"}}}
	owners := map[string]int{}
	places := Places{Data: filepath.Join(root, "base", "data"), Config: filepath.Join(root, "base", "platen-server.yaml"), Log: filepath.Join(root, "log")}
	l := newLaunchd(filepath.Join(root, "server.plist"), places, f.run)
	l.check = func(string) error { return nil }
	l.chown = func(path string, uid, _ int) error { owners[filepath.Base(path)] = uid; return nil }
	wantState := func(want State) {
		t.Helper()
		if got, err := l.State(t.Context()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	wantState(NotInstalled)
	if err := l.Start(t.Context()); err == nil {
		t.Error("started what is not installed")
	}
	for range 2 {
		if err := l.Install(t.Context(), "/usr/local/bin/platen-server"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"data": 402, "log": 402}, owners); diff != "" || len(f.records) != 4 || f.records["/Users/"+macAccount]["UserShell"] != "/usr/bin/false" {
		t.Errorf("owners %s, accounts %v", diff, f.records)
	}
	wantState(Stopped)
	for range 2 {
		if err := l.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantState(Running)
	if err := l.Purge(t.Context()); err == nil {
		t.Error("the files of a running server were removed")
	}
	for range 2 {
		if err := l.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantState(NotInstalled)
	if _, err := os.Stat(l.places.Data); err != nil {
		t.Errorf("uninstalling took the data: %v", err)
	}
	if err := l.Purge(t.Context()); err != nil {
		t.Error(err)
	}
	if left := names(t, root); len(left) != 0 || len(f.records) != 2 {
		t.Errorf("left: %v, accounts %v", left, f.records)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
