package residents

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const envSleep = "PLATEN_TEST_SLEEP"

func TestMain(m *testing.M) {
	if os.Getenv(envSleep) != "" {
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// asleep is a copy of this program at a path, running.
func asleep(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(os.Environ(), envSleep+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func TestWindowsEndsOurProgramsAndNoOther(t *testing.T) {
	dir := folder(t)
	one, window := asleep(t, filepath.Join(dir, "Platen", "platen.exe")), asleep(t, filepath.Join(dir, "Platen", "platen-window.exe"))
	other := asleep(t, filepath.Join(dir, "elsewhere", "platen.exe"))
	c := New(Options{Dir: filepath.Join(dir, "Platen"), State: filepath.Join(dir, "data", "sys"), Patience: time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := c.Stop(ctx)
	if err != nil || r.Found != 2 || r.Killed != 2 || len(r.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, p := range []*exec.Cmd{one, window} {
		if err := p.Wait(); err == nil {
			t.Error("it ended by itself")
		}
	}
	found, err := find(other.Path)
	if err != nil || len(found) != 1 || found[0].ended() {
		t.Errorf("the other one: %v, %v", found, err)
	}
	for _, p := range found {
		p.free()
	}
}

// A first installation starts the resident for everybody who is logged on, and nobody's twice.
func TestWindowsE9_StartsWhereNoneRuns(t *testing.T) {
	people := []seat{{1, "S-1-5-21-1"}, {2, "S-1-5-21-2"}, {7, "S-1-5-21-1"}}
	got := without(people, []*handle{{session: 2}, {session: 0}})
	if want := []seat{people[0], people[2]}; !slices.Equal(got, want) {
		t.Errorf("in %v, want %v", got, want)
	}
	if got := without(people, nil); !slices.Equal(got, people) {
		t.Errorf("none runs: in %v", got)
	}
	// Wine has nobody's sessions.
	r, err := New(Options{Dir: folder(t), State: folder(t)}).Start(t.Context())
	if err != nil || r.Started != 0 || len(r.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// folder is one that Wine's tests leave: Go 1.26 removes by a call that Wine 8 does not have.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "platen-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWindowsProfiles(t *testing.T) {
	dir := folder(t)
	write := func(path string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	purge := func() (removed []string, something bool, err error) {
		something, err = purgeProfile(dir, func(_ *os.Root, path string) error { removed = append(removed, path); return nil })
		return removed, something, err
	}
	if something, err := purgeProfile(filepath.Join(dir, "none"), nil); err != nil || something {
		t.Errorf("no profile: %v, %v", something, err)
	}
	if removed, something, err := purge(); err != nil || something || len(removed) > 0 {
		t.Errorf("an empty one: %v, %v, %v", removed, something, err)
	}
	write(`AppData\Local\Platen\session-x.sealed`)
	write(`AppData\Local\Other\file`)
	write(`AppData\Roaming\fyne\org.platenprint.platen\preferences.json`)
	write(`AppData\Local\fyne`) // what is no folder is nothing of ours
	removed, something, err := purge()
	if err == nil || !something || !slices.Equal(removed, []string{`AppData\Local\Platen`, `AppData\Roaming\fyne\org.platenprint.platen`}) {
		t.Errorf("removed %q, %v, %v", removed, something, err)
	}
}
