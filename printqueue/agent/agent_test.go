//go:build linux || darwin

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/enrol"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/machine/machinetest"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// Two users of the computer, and one whom no directory knows.
const (
	alex   = 65534
	sascha = 54321
	ghost  = 54322
)

func accounts(_ context.Context, id string) (osuser.Account, error) {
	names := map[string]string{"0": "root", fmt.Sprint(alex): "alex.test", fmt.Sprint(sascha): "sascha.test"}
	if names[id] == "" {
		return osuser.Account{}, errors.New("no such user")
	}
	return osuser.Account{Raw: `CORP\` + names[id], Kind: usermap.KindDomain, Domain: "CORP", Name: names[id], UID: id}, nil
}

func computer(context.Context) (machine.Identity, error) {
	return machine.Identity{Install: "pc7"}, nil
}

// desk is a computer with the service on it.
type desk struct {
	t      *testing.T
	root   string
	places statedir.Places
	place  ipc.Place
	log    lockedBuffer
	files  func(path string) string // where a settings file is; nil: there are none
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	root, err := os.MkdirTemp("/tmp", "platen-agent-") //nolint:usetesting // t.TempDir is too long for a socket, and closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return &desk{
		t: t, root: root, place: ipc.At(filepath.Join(root, "run"), ""),
		places: statedir.Places{State: filepath.Join(root, "state"), Log: filepath.Join(root, "log")},
	}
}

func (d *desk) start() (stop func() error) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{
			Places: d.places, Place: d.place, Log: &d.log, Clock: clock.System, Account: accounts, Identity: computer,
			Machine: func(o *machine.Options) {
				o.Look, o.Retry, o.Every = 10*time.Millisecond, 10*time.Millisecond, 200*time.Millisecond
			},
			Settings: d.settings,
		})
	}()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	d.t.Cleanup(func() {
		if err := stop(); err != nil {
			d.t.Error(err)
		}
	})
	d.await("service", func() bool { _, err := ipc.DialAt(d.t.Context(), d.place); return err == nil })
	return stop
}

func (d *desk) await(what string, done func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: never; the log:\n%s", what, d.log.String())
		}
	}
}

func (d *desk) token(text string) {
	d.t.Helper()
	dir, err := private.Open(d.places.State)
	if err != nil {
		d.t.Fatal(err)
	}
	defer dir.Close()
	if err := dir.Write(statedir.TokenFile, []byte(text)); err != nil {
		d.t.Fatal(err)
	}
}

// settings makes the service read the files of the desk, with the real rules for owners and modes.
func (d *desk) settings(o *enrol.Options) {
	at := d.files
	if at == nil {
		at = func(string) string { return filepath.Join(d.root, "none") }
	}
	here := o.Computer
	o.Computer.GOOS, o.Look = "linux", 10*time.Millisecond
	o.Computer.ReadShared = func(path string) ([]byte, error) { return here.ReadShared(at(path)) }
	o.Computer.ReadSecret = func(path string) ([]byte, error) { return here.ReadSecret(at(path)) }
	o.Computer.Stat = func(path string) (fs.FileInfo, error) { return here.Stat(at(path)) }
}

const envPart = "PLATEN_TEST_PART"

func TestMain(m *testing.M) {
	dir := os.Getenv(envPart)
	if dir == "" {
		os.Exit(m.Run())
	}
	// The program of a user of the computer.
	var said struct {
		Code  string
		Error ipc.Code
		API   api.Code
	}
	c, err := ipc.DialAt(context.Background(), ipc.At(dir, "0"))
	if err == nil {
		var code api.TrustCode
		code, err = c.Assert(context.Background(), api.Challenge("verifier of "+fmt.Sprint(os.Getuid())))
		said.Code = code.Code
	}
	if said.Error = ipc.CodeOf(err); err != nil {
		if e, ok := errors.AsType[*ipc.Error](err); ok {
			said.API = e.API
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
}

type said struct {
	Code  string
	Error ipc.Code
	API   api.Code
}

// ask runs a user's program.
func (d *desk) ask(uid int) said {
	d.t.Helper()
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		d.t.Skip("needs root on Linux, to be several users")
	}
	cmd := exec.CommandContext(d.t.Context(), "/proc/self/exe")
	// What a user may set is set, and must not matter.
	cmd.Env = append(os.Environ(), envPart+"="+filepath.Join(d.root, "run"), "USER=boss", "LOGNAME=boss", "HOME=/tmp/boss")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.Output()
	var s said
	if err != nil || json.Unmarshal(out, &s) != nil {
		d.t.Fatalf("user id %d: %s, %v", uid, out, err)
	}
	return s
}

func TestTwoUsersAreEachVouchedForAsThemselves(t *testing.T) {
	s, d := machinetest.New(t), newDesk(t)
	d.start()
	if got := d.ask(alex); got.Error != ipc.CodeNotEnrolled {
		t.Errorf("before enrolment: %+v", got)
	}
	d.token(s.Token(machinetest.Secret))
	d.await("enrolled", func() (reported bool) {
		s.Change(func(s *machinetest.Server) { reported = len(s.Reports) > 0 })
		return reported
	})
	for _, uid := range []int{alex, sascha} {
		if got := d.ask(uid); !strings.HasPrefix(got.Code, "canary-code-") {
			t.Errorf("user id %d: %+v", uid, got)
		}
	}
	if got := d.ask(ghost); got.Error != ipc.CodeRefused {
		t.Errorf("whom no directory knows: %+v", got)
	}
	s.Change(func(s *machinetest.Server) {
		if len(s.Assertions) != 2 {
			t.Fatalf("%d assertions", len(s.Assertions))
		}
		for i, uid := range []int{alex, sascha} {
			want, _ := accounts(t.Context(), fmt.Sprint(uid))
			got := s.Assertions[i]
			if got.UID != want.UID || got.OSAccount.Name != want.Name || got.Challenge != api.Challenge("verifier of "+want.UID) {
				t.Errorf("assertion of user id %d: %+v", uid, got)
			}
		}
		s.Refuse = api.CodeTrustRefused
	})
	if got := d.ask(alex); got.Error != ipc.CodeRefused || got.API != api.CodeTrustRefused {
		t.Errorf("refused: %+v", got)
	}
	s.Change(func(s *machinetest.Server) { s.Revoked["dev1"] = true })
	if got := d.ask(alex); got.Error != ipc.CodeRevoked {
		t.Errorf("revoked: %+v", got)
	}
	d.noCanary(s)
}

// noCanary looks for secrets in everything that was logged, and for files that others can read.
func (d *desk) noCanary(s *machinetest.Server) {
	d.t.Helper()
	record, err := os.ReadFile(filepath.Join(d.places.State, statedir.DeviceFile))
	if err != nil {
		d.t.Fatal(err)
	}
	var keys struct {
		Device struct {
			Key string `json:"key"`
		} `json:"device"`
	}
	if err := json.Unmarshal(record, &keys); err != nil || keys.Device.Key == "" {
		d.t.Fatalf("the record: %v", err)
	}
	logged, err := os.ReadFile(filepath.Join(d.places.Log, statedir.LogFile))
	if err != nil || !bytes.Contains(logged, []byte("vouched for")) {
		d.t.Fatalf("the log: %s, %v", logged, err)
	}
	for _, secret := range []string{machinetest.Secret, "canary", "PRIVATE KEY", strings.Split(keys.Device.Key, "\n")[1]} {
		if strings.Contains(string(logged)+d.log.String(), secret) {
			d.t.Errorf("the log has %q", secret)
		}
	}
	for _, dir := range []string{d.places.State, d.places.Log} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			d.t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if s.Key("dev1") == nil {
		d.t.Error("the server has no key of the device")
	}
}

// conf writes a settings file of the computer, as a management system does.
func (d *desk) conf(name, text string, mode os.FileMode) {
	d.t.Helper()
	etc := filepath.Join(d.root, "etc")
	d.files = func(path string) string { return filepath.Join(etc, filepath.Base(path)) }
	if err := os.MkdirAll(etc, 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(etc, name+".new"), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(etc, name+".new"), mode); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(etc, name+".new"), filepath.Join(etc, name)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) status() ipc.Status {
	c, err := ipc.DialAt(d.t.Context(), d.place)
	if err != nil {
		return ipc.Status{}
	}
	s, err := c.Status(d.t.Context())
	if err != nil { // asked too often
		return ipc.Status{}
	}
	return s
}

func TestE9_AFileOfTheManagementSystemIsEnough(t *testing.T) {
	s, d := machinetest.New(t), newDesk(t)
	d.conf("platen.conf", "# nothing yet\n", 0o644)
	d.start()
	if st := d.status(); st.Enrolment != ipc.EnrolmentNone || st.Wanted != "" {
		t.Errorf("before: %+v", st)
	}
	d.conf("policy.conf", "ServerURL="+s.URL()+"\nCAPin="+s.Pin().String()+"\n", 0o644)
	asked := func() (n int) { s.Change(func(s *machinetest.Server) { n = len(s.Enrolments) }); return n }
	d.await("pending", func() bool { return asked() > 0 })
	if st := d.status(); st.Enrolment != ipc.EnrolmentPending || st.Wanted != s.URL() || st.WantedBy != "policy /etc/platen/policy.conf:1" || st.Fingerprint == "" || st.NextTry.IsZero() {
		t.Errorf("pending: %+v", st)
	}
	s.Change(func(s *machinetest.Server) { s.Approve = true })
	d.await("enrolled", func() (reported bool) {
		s.Change(func(s *machinetest.Server) { reported = len(s.Reports) > 0 })
		return reported
	})
	if st := d.status(); !st.Enrolled || st.Problem != "" {
		t.Errorf("enrolled: %+v", st)
	}
}

func TestE9_ATokenThatOthersCanReadIsRefusedAndTheComputerAsksForApproval(t *testing.T) {
	s, d := machinetest.New(t), newDesk(t)
	d.conf("enrolment.token", s.Token(machinetest.Secret), 0o644)
	d.conf("platen.conf", "ServerURL="+s.URL()+"\nCAPin="+s.Pin().String()+"\n", 0o644)
	stop := d.start()
	d.await("pending", func() bool {
		ok := false
		s.Change(func(s *machinetest.Server) { ok = len(s.Enrolments) > 0 && s.Enrolments[0].Token == "" })
		return ok
	})
	if st := d.status(); !strings.Contains(st.Detail, "others can read it; chmod 0600") {
		t.Errorf("status: %+v", st)
	}
	if log := d.log.String(); strings.Count(log, "others can read it; chmod 0600") != 1 || strings.Contains(log, machinetest.Secret) {
		t.Errorf("the log:\n%s", log)
	}
	// Closed to others, it counts.
	d.conf("enrolment.token", s.Token(machinetest.Secret), 0o600)
	d.await("enrolled", func() (reported bool) {
		s.Change(func(s *machinetest.Server) { reported = len(s.Reports) > 0 })
		return reported
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	s.Change(func(s *machinetest.Server) {
		if last := s.Enrolments[len(s.Enrolments)-1]; last.Token != machinetest.Secret {
			t.Error("the token was not used")
		}
	})
	if log := d.log.String(); strings.Contains(log, machinetest.Secret) {
		t.Error("the log has the token")
	}
}

func TestTheProxyOfTheSettingsIsUsed(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://environment.example.org:3128")
	w := way{environment: proxy()}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://print.example.org/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range [][2]string{{"", "http://environment.example.org:3128"}, {"http://proxy.example.org:8080", "http://proxy.example.org:8080"}, {"direct", ""}} {
		w.set(tc[0])
		got := ""
		if u, err := w.proxy(r); err != nil {
			t.Error(err)
		} else if u != nil {
			got = u.String()
		}
		if got != tc[1] {
			t.Errorf("Proxy=%s: got %q, want %q", tc[0], got, tc[1])
		}
	}
}

func TestOnlyOneServiceWorksWithTheFolder(t *testing.T) {
	d := newDesk(t)
	d.start()
	err := Run(t.Context(), Options{Places: d.places, Place: ipc.At(filepath.Join(d.root, "run2"), ""), Clock: clock.System, Identity: computer})
	if !errors.Is(err, private.ErrBusy) {
		t.Errorf("got %v", err)
	}
}

func TestLogIsPutAwayWhenItIsLong(t *testing.T) {
	dir, err := private.Open(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	l, err := openLog(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("x"), 1<<16)
	for range 40 {
		if _, err := l.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{statedir.LogFile, statedir.LogFile + ".1"} {
		if info, err := os.Stat(filepath.Join(dir.Path(), name)); err != nil || info.Size() > maxLog || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestProxyOfTheService(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
	t.Setenv("NO_PROXY", "print.example.org")
	find := proxy()
	for address, want := range map[string]string{"https://print.example.org:8445/x": "", "https://other.example.org/": "http://proxy.example.org:3128"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := find(r)
		got := ""
		if u != nil {
			got = u.String()
		}
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v", address, u, err)
		}
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
