//go:build unix

package osservice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// fakeLaunchctl does what launchctl does with one service.
type fakeLaunchctl struct {
	loaded bool
	fail   string
}

func (f *fakeLaunchctl) run(_ context.Context, name string, args ...string) (string, error) {
	switch {
	case name != "launchctl" || args[0] == f.fail:
		return "", errors.New("exit status 5")
	case args[0] == "bootstrap" && args[1] == "system":
		if _, err := os.Stat(args[2]); err != nil || f.loaded {
			return "", errors.New("Bootstrap failed: 5: Input/output error")
		}
		f.loaded = true
	case args[0] == "bootout" && args[1] == "system/org.example.x":
		f.loaded = false
	case args[0] == "print" && args[1] == "system/org.example.x":
		if !f.loaded {
			return "", errors.New("exit status 113")
		}
		return args[1] + " = {\n\tstate = running\n}", nil
	default:
		return "", fmt.Errorf("%s %v: unknown", name, args)
	}
	return "", nil
}

func TestLaunchd(t *testing.T) {
	dir, f := t.TempDir(), &fakeLaunchctl{}
	l := Launchd{Label: "org.example.x", Path: filepath.Join(dir, "x.plist"), Command: "x install", Why: "in the log", Run: f.run}
	wantState := func(want State) {
		t.Helper()
		if got, err := l.State(t.Context()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	wantError := func(err error, want string) {
		t.Helper()
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	wantState(NotInstalled)
	wantError(l.Start(t.Context()), "start the service: it is not installed; run x install")
	for range 2 {
		if err := l.Write("the list"); err != nil {
			t.Fatal(err)
		}
	}
	wantState(Stopped)
	f.fail = "bootstrap"
	wantError(l.Start(t.Context()), "start the service: exit status 5; see why in the log")
	f.fail = ""
	for range 2 { // a second time is no error
		if err := l.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantState(Running)
	f.fail = "bootout"
	wantError(l.Stop(t.Context()), "stop the service: exit status 5")
	wantError(l.Uninstall(t.Context()), "uninstall the service: stop the service: exit status 5")
	f.fail = ""
	for range 2 {
		if err := l.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantState(NotInstalled)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 || f.loaded {
		t.Errorf("left %v, %v", left, err)
	}
	if got := LaunchDaemon(l.Label); got != "/Library/LaunchDaemons/org.example.x.plist" {
		t.Errorf("got %s", got)
	}
}
