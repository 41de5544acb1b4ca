//go:build linux || darwin

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/agent"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/machine/machinetest"
	"github.com/platenprint/platen/printqueue/service"
	"github.com/platenprint/platen/printqueue/statedir"
)

// fakeServices is a service system.
type fakeServices struct {
	state service.State
	path  string
	fail  error
}

func (f *fakeServices) Install(_ context.Context, path string) error {
	f.path, f.state = path, service.Stopped
	return f.fail
}

func (f *fakeServices) Uninstall(context.Context) error {
	f.state = service.NotInstalled
	return f.fail
}

func (f *fakeServices) Start(context.Context) error { f.state = service.Running; return f.fail }

func (f *fakeServices) Stop(context.Context) error                   { f.state = service.Stopped; return f.fail }
func (f *fakeServices) State(context.Context) (service.State, error) { return f.state, f.fail }

// computer is one on which commands are run.
type computer struct {
	t        *testing.T
	root     string
	places   statedir.Places
	services *fakeServices
	deps     Deps
}

func newComputer(t *testing.T) *computer {
	t.Helper()
	root, err := os.MkdirTemp("/tmp", "platen-cli-") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	c := &computer{
		t: t, root: root, services: &fakeServices{state: service.NotInstalled},
		places: statedir.Places{State: filepath.Join(root, "state"), Log: filepath.Join(root, "log")},
	}
	c.deps = Deps{
		Root: true, Program: func() (string, error) { return "/usr/bin/platen-deploy", nil },
		Services: func() (service.Manager, error) { return c.services, nil },
		Places:   func() (statedir.Places, error) { return c.places, nil },
		Place:    ipc.At(filepath.Join(root, "run"), ""), Clock: clock.System, Poll: 2 * time.Second,
		Agent: func(o *agent.Options) {
			o.Identity = func(context.Context) (machine.Identity, error) { return machine.Identity{Install: "pc7"}, nil }
			o.Machine = func(m *machine.Options) { m.Look, m.Every = 10*time.Millisecond, time.Second }
		},
	}
	return c
}

// run runs a command line and wants an exit code; it returns what was written.
func (c *computer) run(code int, stdin string, args ...string) (stdout, stderr string) {
	c.t.Helper()
	var out, err bytes.Buffer
	d := c.deps
	d.Stdin, d.Stdout, d.Stderr = strings.NewReader(stdin), &out, &err
	if got := Run(c.t.Context(), d, args); got != code {
		c.t.Errorf("%v: exit code %d, want %d\n%s%s", args, got, code, out.String(), err.String())
	}
	if strings.Contains(out.String()+err.String(), "canary") {
		c.t.Errorf("%v: a secret was written:\n%s%s", args, out.String(), err.String())
	}
	return out.String(), err.String()
}

// serve runs the service in the background.
func (c *computer) serve() (stop func()) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	d := c.deps
	d.Stdin, d.Stdout, d.Stderr = strings.NewReader(""), c.t.Output(), c.t.Output()
	done := make(chan int, 1)
	go func() { done <- Run(ctx, d, []string{"run-service"}) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if code := <-done; code != exitOK {
			c.t.Errorf("run-service: exit code %d", code)
		}
	}
	c.t.Cleanup(stop)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := ipc.DialAt(ctx, d.Place); err == nil {
			return stop
		}
		if time.Now().After(deadline) {
			c.t.Fatal("the service does not answer")
		}
	}
}

func TestServiceCommands(t *testing.T) {
	c := newComputer(t)
	for _, step := range []struct {
		command string
		state   service.State
	}{{"install", service.Stopped}, {"start", service.Running}, {"stop", service.Stopped}, {"uninstall", service.NotInstalled}} {
		out, _ := c.run(exitOK, "", step.command, "--json")
		var said struct {
			OK   bool
			Text string
		}
		if err := json.Unmarshal([]byte(out), &said); err != nil || !said.OK || said.Text == "" || c.services.state != step.state {
			t.Errorf("%s: %s (%v), now %s", step.command, out, err, c.services.state)
		}
	}
	if c.services.path != "/usr/bin/platen-deploy" {
		t.Errorf("installed %s", c.services.path)
	}
	c.services.fail = errors.New("start the service: no")
	if _, err := c.run(exitFailed, "", "start"); err != "platen-deploy: start the service: no\n" {
		t.Errorf("got %s", err)
	}
	c.deps.Services = func() (service.Manager, error) { return nil, service.ErrNoServiceSystem }
	if out, _ := c.run(exitFailed, "", "install", "--json"); !strings.Contains(out, `"code": "failed"`) || !strings.Contains(out, "run-service") {
		t.Errorf("got %s", out)
	}
}

func TestPeopleWithoutRootAreToldSo(t *testing.T) {
	c := newComputer(t)
	c.deps.Root = false
	for _, command := range []string{"run-service", "install", "uninstall", "start", "stop", "enrol", "forget"} {
		if _, err := c.run(exitNotAllowed, "", command); !strings.Contains(err, command+": this needs root") {
			t.Errorf("%s: %s", command, err)
		}
	}
	c.run(exitNotRunning, "", "status")
	c.run(exitOK, "", "version")
	if entries, err := os.ReadDir(c.root); err != nil || len(entries) != 0 {
		t.Errorf("something was written: %v, %v", entries, err)
	}
}

func TestStatus(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	c.services.state = service.Stopped
	if _, err := c.run(exitNotRunning, "", "status"); !strings.Contains(err, "is not running") || !strings.Contains(err, "platen-deploy start") {
		t.Errorf("got %s", err)
	}
	if out, _ := c.run(exitNotRunning, "", "status", "--json"); !strings.Contains(out, `"code": "not_running"`) || !strings.Contains(out, `"running": false`) {
		t.Errorf("got %s", out)
	}
	c.serve()
	if out, _ := c.run(exitNotEnrolled, "", "status"); !strings.HasPrefix(out, "This computer is not enrolled.") {
		t.Errorf("got %s", out)
	}
	c.run(exitOK, s.Token(machinetest.Secret), "enrol", "--token-file", "-")
	out, _ := c.run(exitOK, "", "status")
	for _, want := range []string{"This computer is enrolled", "server:          https://" + s.Address(), "device:          dev1", "group:           default", "valid until"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	out, _ = c.run(exitOK, "", "status", "--json")
	var got shown
	if err := json.Unmarshal([]byte(out), &got); err != nil || !got.Running || !got.Enrolled || got.DeviceID != "dev1" || got.Service != service.Stopped {
		t.Errorf("%v: %s", err, out)
	}
}

func TestEnrolWithTheServiceRunning(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	c.serve()
	wrong := s.Token(api.EnrolmentSecretPrefix + "canarycanarycanarycanaryxx")
	if _, err := c.run(exitNotEnrolled, wrong, "enrol", "--token-file", "-"); !strings.Contains(err, "the token is of no use") {
		t.Errorf("got %s", err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(s.Token(machinetest.Secret)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := c.run(exitOK, "", "enrol", "--token-file", file); out != "This computer is enrolled and vouches for its users.\n" {
		t.Errorf("got %s", out)
	}
	if _, err := c.run(exitFailed, "", "forget"); !strings.Contains(err, "stop it first") {
		t.Errorf("got %s", err)
	}
}

func TestEnrolWithoutTheService(t *testing.T) {
	s, c := machinetest.New(t), newComputer(t)
	if _, err := c.run(exitFailed, "", "enrol"); !strings.Contains(err, "--token-file") {
		t.Errorf("no token: %s", err)
	}
	for _, args := range [][]string{{"enrol", "--server", "a:1", "--token-file", "x"}, {"enrol", "--pin", "x"}, {"enrol", "canary"}} {
		c.run(exitUsage, "", args...)
	}
	if _, err := c.run(exitFailed, "canary", "enrol", "--token-file", "-"); !strings.Contains(err, "HOST:PORT~sha256/PIN~SECRET") {
		t.Errorf("no token: %s", err)
	}
	c.run(exitFailed, "", "enrol", "--token-file", "/dev/null")
	// By approval.
	args := []string{"enrol", "--server", s.Address(), "--pin", s.Pin().String()}
	out, _ := c.run(exitOK, "", args...)
	if !strings.Contains(out, "waits for an administrator's approval") || !strings.Contains(out, "fingerprint: ") {
		t.Errorf("got %s", out)
	}
	s.Change(func(s *machinetest.Server) { s.Approve = true })
	if out, _ := c.run(exitOK, "", args...); !strings.Contains(out, "is enrolled") || !strings.Contains(out, "platen-deploy start") {
		t.Errorf("got %s", out)
	}
	c.run(exitOK, "", "forget")
	if _, err := os.Stat(filepath.Join(c.places.State, statedir.DeviceFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key is still there: %v", err)
	}
	// By a token that is typed.
	c.deps.ReadPassword = func() (string, error) { return s.Token(machinetest.Secret), nil }
	out, _ = c.run(exitOK, "", "enrol", "--json")
	var status ipc.Status
	if err := json.Unmarshal([]byte(out), &status); err != nil || !status.Enrolled || status.Group != "default" {
		t.Errorf("%v: %s", err, out)
	}
	// By the installer's file, at a server that is away.
	s.Change(func(s *machinetest.Server) { s.Down = true })
	if err := os.WriteFile(filepath.Join(c.places.State, statedir.TokenFile), []byte(s.Token(machinetest.Secret)), 0o644); err != nil {
		t.Fatal(err)
	}
	c.run(exitUnreachable, "", "enrol")
	if _, err := os.Stat(filepath.Join(c.places.State, statedir.TokenFile)); err != nil {
		t.Errorf("the token is gone: %v", err)
	}
}

func TestTwoServices(t *testing.T) {
	c := newComputer(t)
	c.serve()
	if _, err := c.run(exitFailed, "", "run-service"); !strings.Contains(err, "another platen-deploy works with it") {
		t.Errorf("got %s", err)
	}
}
