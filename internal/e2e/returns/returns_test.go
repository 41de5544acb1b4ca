package returns

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/stage"
)

const (
	patience = 2 * time.Minute // the resident asks again within a minute
	password = "Us3r!Passw0rd"
	head     = "id,upn,display_name\n1,sam.okafor@example.org,Sam Okafor\n"
	alex     = "2,alex.test@example.org,Alex Test\n"
)

// programs are a server that reads a file of people, and a resident.
type programs struct {
	t     *testing.T
	place *stage.Place
	data  string
	env   []string
}

func newPrograms(t *testing.T) *programs {
	t.Helper()
	bin, logs := t.TempDir(), t.TempDir()
	for name, path := range map[string]string{"platen": "./client", "platen-server": "./server-stub"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name), path)
		build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	place, err := stage.NewPlace(bin, logs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := place.CleanUp(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, name := range []string{"platen-server", "platen"} {
				said, _ := os.ReadFile(filepath.Join(logs, name+".log"))
				t.Logf("%s:\n%s", name, said)
			}
		}
	})
	p := &programs{t: t, place: place, data: place.Path("server")}
	p.write("people.csv", head+alex)
	p.write("server.yaml", "upn_suffix: example.org\ndirectories: [{id: hr, type: csv, path: people.csv, interval: 2h}]\n")
	p.start("platen-server", nil, "serve", "--data", p.data, "--listen", "127.0.0.1:0", "--admin-listen", "off", "--device-listen", "off",
		"--config", place.Path("server.yaml"))
	var address string
	p.await("the people of the file", func() (bool, string) {
		out, err := p.ask("status", "--json")
		var status struct{ Addresses []string }
		if err != nil || json.Unmarshal([]byte(out), &status) != nil || len(status.Addresses) == 0 {
			return false, fmt.Sprint(out, err)
		}
		address = status.Addresses[0]
		out, err = p.ask("user", "list", "--json")
		return err == nil && strings.Contains(out, "alex.test@example.org"), fmt.Sprint(out, err)
	})
	run := place.Path("run")
	p.env = []string{
		"PLATEN_SERVER_URL=" + address, "PLATEN_CA_FILE=" + filepath.Join(p.data, "ca.pem"), "PLATEN_UPN_SUFFIX=example.org", "PLATEN_RUNTIME_DIR=" + run,
		"HOME=" + place.Path("home"), "XDG_RUNTIME_DIR=" + run, "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=",
	}
	p.start("platen", p.env, "run")
	p.until("the resident", func(s stage.Resident) bool { return s.State == "signed-out" })
	return p
}

func (p *programs) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.place.Path(name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *programs) start(name string, env []string, args ...string) {
	p.t.Helper()
	if _, err := p.place.Start(p.t.Context(), env, name, filepath.Join(p.place.Bin, name), args...); err != nil {
		p.t.Fatal(err)
	}
}

// ask runs an administrator's command.
func (p *programs) ask(args ...string) (string, error) { return p.tell("", args...) }

func (p *programs) tell(stdin string, args ...string) (string, error) {
	return stage.Command(p.t.Context(), nil, stdin, filepath.Join(p.place.Bin, "platen-server"), append([]string{"--data", p.data}, args...)...)
}

// does runs one that must succeed.
func (p *programs) does(stdin string, args ...string) {
	p.t.Helper()
	if out, err := p.tell(stdin, args...); err != nil {
		p.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// lists makes the file list these people, and reads it.
func (p *programs) lists(text string) {
	p.t.Helper()
	p.write("people.csv", text)
	p.does("", "sync", "run", "hr")
}

// until waits until the resident's status is what is wanted.
func (p *programs) until(what string, want func(stage.Resident) bool) {
	p.t.Helper()
	if _, err := stage.UntilStatus(p.t.Context(), p.place, p.env, patience, what, want); err != nil {
		p.t.Fatal(err)
	}
}

func (p *programs) await(what string, seen func() (bool, string)) {
	p.t.Helper()
	if err := stage.Until(p.t.Context(), patience, what, seen); err != nil {
		p.t.Fatal(err)
	}
}

func TestA3_56_A3_57_WhoLeavesTheDirectoryAndComesBackIsSignedInAgainByItself(t *testing.T) {
	p := newPrograms(t)
	p.does(password+"\n", "user", "set", "alex.test@example.org", "--password-stdin")
	p.does("", "user", "credit", "alex.test@example.org", "12.34")
	if out, err := stage.Command(t.Context(), p.env, password+"\n", filepath.Join(p.place.Bin, "platen"), "sign-in", "--username", "alex.test@example.org", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	following := func(s stage.Resident) bool {
		return s.State == "following" && s.Username == "alex.test@example.org" && s.Balance.Amount == "12.34"
	}
	p.until("the balance", following)

	p.lists(head)
	p.until("the end of the session", func(s stage.Resident) bool {
		return s.State == "signed-out" && s.Problem.Code == "account_disabled" && s.Username == ""
	})
	if out, err := stage.Command(t.Context(), p.env, password+"\n", filepath.Join(p.place.Bin, "platen"), "sign-in", "--username", "alex.test@example.org", "--password-stdin"); err == nil {
		t.Errorf("somebody whom the directory does not list signs in:\n%s", out)
	}

	p.lists(head + alex)
	p.until("the balance, with nobody doing anything", following)

	p.does("", "user", "disable", "alex.test@example.org")
	p.until("the end of the session", func(s stage.Resident) bool { return s.State == "signed-out" && s.Problem.Code == "account_disabled" })
	p.does("", "user", "enable", "alex.test@example.org")
	if out, err := p.ask("user", "sessions", "alex.test@example.org", "--json"); err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("sessions of somebody who was disabled here are in force again: %v\n%s", err, out)
	}
}
