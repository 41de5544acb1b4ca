package trust

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/agent"
	"github.com/platenprint/platen/printqueue/cli"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/service"
	"github.com/platenprint/platen/printqueue/statedir"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/server"
)

const patience = time.Minute

// The users of the computer: their user ids are real, what the directory says of them is ours.
const (
	alex   = 65534
	sascha = 54321
	local  = 54322 // an account of the computer itself
)

func accounts(_ context.Context, id string) (osuser.Account, error) {
	switch id {
	case strconv.Itoa(alex), "0": // the test itself sits at the computer as alex, too
		return entra(id, "alex.test"), nil
	case strconv.Itoa(sascha):
		return entra(id, "sascha.test"), nil
	case strconv.Itoa(local):
		return osuser.Account{Raw: "alex.test", Name: "alex.test", Kind: usermap.KindLocal, UID: id, Hostname: "pc7"}, nil
	}
	return osuser.Account{}, errors.New("no such user")
}

func entra(id, name string) osuser.Account {
	upn := name + "@example.org"
	return osuser.Account{Raw: upn, Name: name, Domain: "AzureAD", UPN: upn, Kind: usermap.KindAzureAD, UID: id, Hostname: "pc7"}
}

// office is a server and a computer.
type office struct {
	t      *testing.T
	root   string
	data   string
	admin  *admin.Client
	status admin.Status
	deploy cli.Deps
	log    lockedBuffer // of both
	tools  lockedBuffer // what commands wrote
}

func newOffice(t *testing.T) *office {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be several users")
	}
	root, err := os.MkdirTemp("/tmp", "platen-trust-") //nolint:usetesting // t.TempDir is too long for sockets, and closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, root: root, data: filepath.Join(root, "server")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(o.log.String())
		}
	})
	o.startServer()
	o.deploy = cli.Deps{
		Root: true, Program: os.Executable, Clock: clock.System, Poll: 500 * time.Millisecond,
		Services: func() (service.Manager, error) { return nil, service.ErrNoServiceSystem },
		Places: func() (statedir.Places, error) {
			return statedir.Places{State: filepath.Join(root, "state"), Log: filepath.Join(root, "log")}, nil
		},
		Place: ipc.At(filepath.Join(root, "run"), "0"),
		Agent: func(a *agent.Options) {
			a.Account = accounts
			a.Identity = func(context.Context) (machine.Identity, error) {
				return machine.Identity{Install: "install", Hardware: "hardware"}, nil
			}
			a.Machine = func(m *machine.Options) {
				m.Look, m.Every, m.Retry = 20*time.Millisecond, time.Second, 50*time.Millisecond
			}
		},
	}
	return o
}

func (o *office) startServer() {
	o.t.Helper()
	people := "id,upn,display_name\n1,alex.test@example.org,Alex Test\n2,sascha.test@example.org,Sascha Test\n"
	settings := "upn_suffix: example.org\nsign_in:\n  modes: [trust, prompt]\ndirectories:\n  - id: sample\n    type: csv\n    path: " + filepath.Join(o.root, "people.csv") + "\n"
	for name, text := range map[string]string{"people.csv": people, "server.yaml": settings} {
		if err := os.WriteFile(filepath.Join(o.root, name), []byte(text), 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(o.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- server.Run(ctx, server.Options{
			Data: o.data, Out: &o.log, Log: &o.log, Clock: clock.System,
			Sources: config.Sources{File: filepath.Join(o.root, "server.yaml"), Flags: map[string]string{
				"listen": "127.0.0.1:0", "admin_listen": "off", "device_listen": "127.0.0.1:0",
			}},
		})
	}()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Errorf("the server ended with: %v", err)
		}
	})
	o.admin = admin.NewClient(o.data)
	o.until("the server", func() bool { return o.admin.Call(ctx, admin.VerbStatus, admin.Nothing{}, &o.status, nil) == nil })
	o.until("the people", func() bool {
		var found admin.Users
		return o.admin.Call(ctx, admin.VerbUserList, admin.UserList{}, &found, nil) == nil && len(found.Users) == 2
	})
}

func (o *office) until(what string, done func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("%s: never", what)
		}
	}
}

// command runs a command of platen-deploy and wants an exit code.
func (o *office) command(code int, stdin string, args ...string) string {
	o.t.Helper()
	var out bytes.Buffer
	d := o.deploy
	d.Stdin, d.Stdout, d.Stderr = strings.NewReader(stdin), io.MultiWriter(&out, &o.tools), io.MultiWriter(&out, &o.tools)
	if got := cli.Run(o.t.Context(), d, args); got != code {
		o.t.Fatalf("platen-deploy %v: exit code %d, want %d: %s", args, got, code, out.String())
	}
	return out.String()
}

// startService runs the service until the test ends.
func (o *office) startService() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	d := o.deploy
	d.Stdin, d.Stdout, d.Stderr = strings.NewReader(""), &o.log, &o.log
	done := make(chan int, 1)
	go func() { done <- cli.Run(ctx, d, []string{"run-service"}) }()
	o.t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			o.t.Errorf("the service ended with %d", code)
		}
	})
	o.until("the service", func() bool { _, err := ipc.DialAt(ctx, d.Place); return err == nil })
}

func call[O any](o *office, verb string, in any) O {
	o.t.Helper()
	var out O
	if err := o.admin.Call(o.t.Context(), verb, in, &out, nil); err != nil {
		o.t.Fatalf("%s: %v", verb, err)
	}
	return out
}

// answer is what a user's program was told.
type answer struct {
	Code  string
	Error ipc.Code
	API   api.Code
	Text  string
}

const envPart = "PLATEN_TEST_PART"

func TestMain(m *testing.M) {
	dir, challenge, ok := strings.Cut(os.Getenv(envPart), " ")
	if !ok {
		os.Exit(m.Run())
	}
	var a answer
	c, err := ipc.DialAt(context.Background(), ipc.At(dir, "0"))
	if err == nil {
		var code api.TrustCode
		code, err = c.Assert(context.Background(), challenge)
		a.Code = code.Code
	}
	if e, ok := errors.AsType[*ipc.Error](err); ok {
		a.Error, a.API, a.Text = e.Code, e.API, e.Text
	}
	_ = json.NewEncoder(os.Stdout).Encode(a)
}

// ask runs the program of a user, which asks the service to vouch for them. Whatever a user may set lies.
func (o *office) ask(uid int, challenge string) answer {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), envPart+"="+filepath.Join(o.root, "run")+" "+challenge, "USER=alex.test", "LOGNAME=alex.test")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.Output()
	var a answer
	if err != nil || json.Unmarshal(out, &a) != nil {
		o.t.Fatalf("user id %d: %s, %v", uid, out, err)
	}
	return a
}

// web is a client that trusts the server's CA, and nothing else.
func (o *office) web() *http.Client {
	o.t.Helper()
	ca, err := os.ReadFile(filepath.Join(o.data, "ca.pem"))
	if err != nil {
		o.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	o.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send sends a request to the server and returns the status and, if it is good, the answer.
func send[O any](o *office, web *http.Client, method, path, token string, in any) (int, O) {
	o.t.Helper()
	var out O
	text, err := json.Marshal(in)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.status.Addresses[0]+path, bytes.NewReader(text))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := web.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if response.StatusCode/100 == 2 && len(body) > 0 {
		if err := json.Unmarshal(body, &out); err != nil {
			o.t.Fatalf("%s %s: %v: %s", method, path, err, body)
		}
	}
	return response.StatusCode, out
}

// untilBalance does what a resident does when it starts: ask the service, redeem the code, fetch the balance, over new connections.
func (o *office) untilBalance(verifier string) time.Duration {
	o.t.Helper()
	web := o.web()
	began := time.Now()
	c, err := ipc.DialAt(o.t.Context(), o.deploy.Place)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := c.Status(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	code, err := c.Assert(o.t.Context(), api.Challenge(verifier))
	if err != nil {
		o.t.Fatal(err)
	}
	status, session := send[api.Session](o, web, http.MethodPost, api.PathSessionCode, "", api.CodeSignIn{Code: code.Code, Verifier: verifier})
	if status != http.StatusOK {
		o.t.Fatalf("redeem: %d", status)
	}
	if status, _ := send[api.Balance](o, web, http.MethodGet, api.PathBalance, session.AccessToken, nil); status != http.StatusOK {
		o.t.Fatalf("the balance: %d", status)
	}
	return time.Since(began)
}

// verifier is one that only the test knows.
func verifier(n int) string { return strings.Repeat("v", api.VerifierBytes+10) + fmt.Sprint(n%10) }

func TestTwoUsersOfOneComputer(t *testing.T) {
	o := newOffice(t)
	o.startService()
	token := call[admin.EnrolmentToken](o, admin.VerbEnrolmentCreate, admin.EnrolmentCreate{Uses: 1})
	web := o.web()
	var device string

	t.Run("nobody is vouched for before enrolment", func(t *testing.T) {
		if got := o.ask(alex, api.Challenge(verifier(1))); got.Error != ipc.CodeNotEnrolled {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("enrolment by token", func(t *testing.T) {
		o.command(0, token.Token, "enrol", "--token-file", "-")
		list := call[admin.Devices](o, admin.VerbDeviceList, admin.DeviceList{}).Devices
		if len(list) != 1 || list[0].Status != "enrolled" {
			t.Fatalf("the server has %+v", list)
		}
		device = list[0].ID
	})
	codes := map[int]string{}
	sessions := map[int]api.Session{}
	t.Run("A1_35 each user of the computer is signed in as themselves", func(t *testing.T) {
		for i, uid := range []int{alex, sascha} {
			began := time.Now()
			got := o.ask(uid, api.Challenge(verifier(i)))
			if got.Code == "" {
				t.Fatalf("user id %d: %+v", uid, got)
			}
			codes[uid] = got.Code
			if status, _ := send[api.Session](o, web, http.MethodPost, api.PathSessionCode, "", api.CodeSignIn{Code: got.Code, Verifier: verifier(7)}); status != http.StatusUnauthorized {
				t.Errorf("redeemed by somebody else: %d", status)
			}
			if got = o.ask(uid, api.Challenge(verifier(i))); got.Code == "" {
				t.Fatalf("user id %d: %+v", uid, got)
			}
			codes[uid] = got.Code
			status, session := send[api.Session](o, web, http.MethodPost, api.PathSessionCode, "", api.CodeSignIn{Code: got.Code, Verifier: verifier(i)})
			want := map[int]string{alex: "alex.test@example.org", sascha: "sascha.test@example.org"}[uid]
			if status != http.StatusOK || session.User.Username != want {
				t.Fatalf("user id %d: %d, %+v, want %s", uid, status, session.User, want)
			}
			sessions[uid] = session
			t.Logf("user id %d: asked twice and signed in after %v", uid, time.Since(began))
		}
	})
	t.Run("from nothing to a balance", func(t *testing.T) {
		var took []time.Duration
		for n := range 5 {
			took = append(took, o.untilBalance(verifier(n)))
		}
		slices.Sort(took)
		t.Logf("median of %d: %v", len(took), took[len(took)/2])
	})
	t.Run("a code is redeemed once", func(t *testing.T) {
		if status, _ := send[api.Session](o, web, http.MethodPost, api.PathSessionCode, "", api.CodeSignIn{Code: codes[alex], Verifier: verifier(0)}); status != http.StatusUnauthorized {
			t.Errorf("got %d", status)
		}
	})
	t.Run("an account of the computer is nobody's, whatever it is called", func(t *testing.T) {
		if got := o.ask(local, api.Challenge(verifier(1))); got.Error != ipc.CodeRefused || got.API != api.CodeTrustRefused {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("F18 revoked: the live session ends and nobody is vouched for, in 5 s", func(t *testing.T) {
		began := time.Now()
		call[admin.Device](o, admin.VerbDeviceRevoke, admin.DeviceRef{Device: device})
		if got := o.ask(alex, api.Challenge(verifier(1))); got.Error != ipc.CodeRevoked {
			t.Errorf("got %+v", got)
		}
		o.until("the end of the session", func() bool {
			status, _ := send[api.Me](o, web, http.MethodGet, api.PathMe, sessions[alex].AccessToken, nil)
			return status == http.StatusUnauthorized
		})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if out := o.command(4, "", "status"); !strings.Contains(out, "was revoked") {
			t.Errorf("got %s", out)
		}
	})
	t.Run("the token is used up, so it brings nothing back", func(t *testing.T) {
		if out := o.command(4, token.Token, "enrol", "--token-file", "-"); !strings.Contains(out, "platen-server enrolment create") {
			t.Errorf("got %s", out)
		}
	})
	t.Run("enrolled anew by approval", func(t *testing.T) {
		address, _, _ := strings.Cut(token.Token, "~")
		pin := strings.Split(token.Token, "~")[1]
		out := o.command(0, "", "enrol", "--server", address, "--pin", pin)
		_, fingerprint, _ := strings.Cut(out, "fingerprint: ")
		list := call[admin.Devices](o, admin.VerbDeviceList, admin.DeviceList{}).Devices
		var waiting string
		for _, d := range list {
			if d.Status == "pending" {
				waiting = d.ID
			}
		}
		details := call[admin.DeviceDetails](o, admin.VerbDeviceShow, admin.DeviceRef{Device: waiting})
		if fingerprint = strings.TrimSpace(fingerprint); details.Fingerprint != fingerprint {
			t.Errorf("the computer shows %q, the server %q", fingerprint, details.Fingerprint)
		}
		call[admin.Device](o, admin.VerbDeviceApprove, admin.DeviceRef{Device: waiting, Fingerprint: fingerprint})
		o.command(0, "", "enrol", "--server", address, "--pin", pin) // does not wait for the next poll
		if got := o.ask(alex, api.Challenge(verifier(1))); got.Code == "" {
			t.Errorf("got %+v", got)
		} else {
			codes[-1] = got.Code
		}
	})
	t.Run("no secret is in any log or output", func(t *testing.T) {
		o.noSecret(token.Token, codes)
	})
}

// noSecret looks for the token's secret, the codes and the key in the logs of both, and in what commands wrote.
func (o *office) noSecret(token string, codes map[int]string) {
	o.t.Helper()
	record, err := os.ReadFile(filepath.Join(o.root, "state", statedir.DeviceFile))
	if err != nil {
		o.t.Fatal(err)
	}
	var kept struct {
		Device struct{ Key string }
	}
	if err := json.Unmarshal(record, &kept); err != nil || kept.Device.Key == "" {
		o.t.Fatalf("the record: %v", err)
	}
	logged, err := os.ReadFile(filepath.Join(o.root, "log", statedir.LogFile))
	if err != nil {
		o.t.Fatal(err)
	}
	secrets := []string{strings.Split(token, "~")[2], strings.Split(kept.Device.Key, "\n")[1], "PRIVATE KEY"}
	for _, code := range codes {
		secrets = append(secrets, code)
	}
	for _, secret := range secrets {
		if strings.Contains(string(logged)+o.log.String()+o.tools.String(), secret) {
			o.t.Errorf("%.12s... is in a log", secret)
		}
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
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
