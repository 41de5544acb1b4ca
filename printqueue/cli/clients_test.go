//go:build linux || darwin

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/printqueue/residents"
	"github.com/platenprint/platen/printqueue/service"
	"github.com/platenprint/platen/printqueue/statedir"
)

// fakeClients are the programs in people's sessions.
type fakeClients struct {
	did    []string
	report residents.Report
	fail   error
}

func (f *fakeClients) do(what string) (residents.Report, error) {
	f.did = append(f.did, what)
	return f.report, f.fail
}

func (f *fakeClients) Start(context.Context) (residents.Report, error)   { return f.do("start") }
func (f *fakeClients) Restart(context.Context) (residents.Report, error) { return f.do("restart") }
func (f *fakeClients) Stop(context.Context) (residents.Report, error)    { return f.do("stop") }
func (f *fakeClients) Purge(context.Context) (residents.Report, error)   { return f.do("purge") }

func TestClientsSaysWhatWasDone(t *testing.T) {
	c := newComputer(t)
	f := &fakeClients{report: residents.Report{Found: 3, Started: 5, Ended: 2, Killed: 1, Accounts: 4, Skipped: []string{"/home/net: on a network file system (nfs4)"}}}
	c.deps.Clients = func() (Clients, error) { return f, nil }
	for _, verb := range []string{"start", "restart", "stop", "purge"} {
		out, _ := c.run(exitOK, "", "clients", verb)
		if !strings.Contains(out, "3 running") || !strings.Contains(out, "5 started") || !strings.Contains(out, "1 had to be ended") || !strings.Contains(out, "left alone: /home/net") {
			t.Errorf("%s: %s", verb, out)
		}
	}
	if want := []string{"start", "restart", "stop", "purge"}; !slices.Equal(f.did, want) {
		t.Errorf("did %v", f.did)
	}
	out, _ := c.run(exitOK, "", "clients", "purge", "--json")
	var told struct {
		OK bool `json:"ok"`
		residents.Report
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || !told.OK || told.Killed != 1 || told.Accounts != 4 {
		t.Errorf("%v: %s", err, out)
	}
	f.report.Problems = []string{"/home/alex: cannot"}
	if _, err := c.run(exitFailed, "", "clients", "stop"); !strings.Contains(err, "/home/alex: cannot") {
		t.Errorf("said %s", err)
	}
	f.fail = errors.New("no sessions")
	if _, err := c.run(exitFailed, "", "clients", "stop"); !strings.Contains(err, "no sessions") {
		t.Errorf("said %s", err)
	}
	c.run(exitOK, "", "clients")
	c.run(exitUsage, "", "clients", "stop", "all")
	c.deps.Root = false
	f.did = nil
	for _, args := range [][]string{{"clients", "start"}, {"clients", "restart"}, {"clients", "stop"}, {"clients", "purge"}, {"purge"}} {
		c.run(exitNotAllowed, "", args...)
	}
	if len(f.did) > 0 {
		t.Errorf("did %v for anybody", f.did)
	}
}

func TestPurgeRemovesWhatTheServiceKeeps(t *testing.T) {
	c := newComputer(t)
	c.run(exitOK, "", "purge") // nothing is there
	stop := c.serve()
	if _, err := c.run(exitFailed, "", "purge"); !strings.Contains(err, "stop it first") {
		t.Errorf("said %s", err)
	}
	if _, err := os.Stat(filepath.Join(c.places.Log, statedir.LogFile)); err != nil {
		t.Errorf("its log was removed under it: %v", err)
	}
	stop()
	c.services.state = service.Running // in another way
	c.run(exitFailed, "", "purge")
	c.services.state = service.Stopped
	if err := os.MkdirAll(filepath.Join(c.places.State, "sub/folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.run(exitOK, "", "purge")
	for _, dir := range []string{c.places.State, c.places.Log} {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", dir, err)
		}
	}
}

// Somebody put something else in the place of our folders, or into them.
func TestR_LINK_1_PurgeFollowsNothing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	c := newComputer(t)
	victim := filepath.Join(c.root, "victim")
	for _, err := range []error{
		os.Mkdir(victim, 0o700), os.WriteFile(filepath.Join(victim, "file"), nil, 0o600), os.Symlink(victim, c.places.Log),
		os.Mkdir(c.places.State, 0o700), os.Symlink(victim, filepath.Join(c.places.State, "inside")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c.run(exitFailed, "", "purge")
	if err := os.Remove(c.places.Log); err != nil {
		t.Errorf("the link itself: %v", err)
	}
	if err := os.MkdirAll(c.places.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(c.places.State, "again")); err != nil {
		t.Fatal(err)
	}
	c.run(exitOK, "", "purge")
	if _, err := os.Stat(filepath.Join(victim, "file")); err != nil {
		t.Errorf("what a link led to: %v", err)
	}
	if err := os.Mkdir(c.places.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(c.places.State, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	c.run(exitFailed, "", "purge")
	if _, err := os.Stat(c.places.State); err != nil {
		t.Errorf("somebody else's folder: %v", err)
	}
}
