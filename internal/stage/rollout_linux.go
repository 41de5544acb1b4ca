package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/deviceauth"
)

// RollOut is what IT does to give a computer the client: the package, three settings, and an approval.
type RollOut struct {
	Package string        // the deb
	URL     string        // of the server; "" when nobody says which
	Pin     string        // of its CA
	Suffix  string        // of UPNs
	Server  *admin.Client // where it is approved
	Account Account       // who logs on then
	Balance string        // what they have: 12.34
	// Restart lets the computer start again after the approval, instead of waiting for the service's next question.
	Restart bool
}

// Newcomer is the computer while it is rolled out, and how long each step took.
type Newcomer struct {
	Login  Login
	Env    []string // of the session
	Client *Program // the resident, once somebody is logged on

	Installed time.Duration // dpkg -i
	Asked     time.Duration // from the start of the service until the server has it in its queue
	Enrolled  time.Duration // from the approval until the service is a device's
	Balance   time.Duration // from the start of the session's programs until the person has their balance

	here    *Place
	r       RollOut
	service *Program
}

// Total is what all of it took, without the person's way to the computer.
func (n *Newcomer) Total() time.Duration { return n.Installed + n.Asked + n.Enrolled + n.Balance }

// The paths of the package.
const (
	clientProgram = "/usr/bin/platen"
	deployProgram = "/usr/bin/platen-deploy"
	settingsFile  = "/etc/platen/platen.conf"
	autostart     = "/etc/xdg/autostart/org.platenprint.platen.desktop"
)

// Install installs the package and writes the settings, if there are any, into a file, as IT's own tools would, "" for the package's own.
func (p *Place) Install(ctx context.Context, k *Packages, r RollOut, file string) (*Newcomer, error) {
	n := &Newcomer{here: p, r: r}
	began := time.Now()
	if said, err := k.Dpkg(ctx, "-i", r.Package); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	n.Installed = time.Since(began)
	if r.URL == "" {
		return n, nil
	}
	if file == "" {
		file = settingsFile
	}
	text := fmt.Sprintf("ServerURL=%s\nCAPin=%s\nUPNSuffix=%s\n", r.URL, r.Pin, r.Suffix)
	return n, os.WriteFile(file, []byte(text), 0o644) //nolint:gosec // people's programs read it
}

// Ask starts the service, as systemd would, and waits until the server has the computer in its queue.
func (n *Newcomer) Ask(ctx context.Context) error {
	began := time.Now()
	if err := n.StartService(ctx); err != nil {
		return err
	}
	err := Until(ctx, time.Minute, "the computer in the server's queue", func() (bool, string) {
		var list admin.DevicesWaiting
		err := n.r.Server.Call(ctx, admin.VerbDeviceWaiting, admin.DeviceMatch{}, &list, nil)
		return err == nil && len(list.Waiting) == 1, fmt.Sprint(list, err, n.saidByService(ctx))
	})
	n.Asked = time.Since(began)
	return err
}

// StartService starts the service, as systemd would.
func (n *Newcomer) StartService(ctx context.Context) (err error) {
	n.service, err = n.here.Start(ctx, nil, "platen-deploy", deployProgram, "run-service")
	return err
}

func (n *Newcomer) saidByService(ctx context.Context) string {
	said, err := Command(ctx, nil, "", deployProgram, "status")
	return fmt.Sprint(strings.Join(strings.Fields(said), " "), " ", err)
}

// askEvery is how often the service is asked whether it is enrolled: it answers a user 30 times a minute.
const askEvery = 2500 * time.Millisecond

// Approve approves whoever waits in this network, and waits until the computer is a device.
func (n *Newcomer) Approve(ctx context.Context, network string) error {
	began := time.Now()
	var list admin.DevicesWaiting
	if err := n.r.Server.Call(ctx, admin.VerbDeviceWaiting, admin.DeviceMatch{Networks: []string{network}}, &list, nil); err != nil {
		return err
	}
	var chosen []deviceauth.Chosen
	for _, w := range list.Waiting {
		chosen = append(chosen, w.Chosen)
	}
	var done admin.DevicesDone
	if err := n.r.Server.Call(ctx, admin.VerbDeviceApproveAll, admin.DevicesChosen{Devices: chosen}, &done, nil); err != nil {
		return err
	}
	if len(done.Done) != 1 || len(done.Left) != 0 {
		return fmt.Errorf("approved %+v, left %+v", done.Done, done.Left)
	}
	if n.r.Restart {
		if err := errors.Join(n.service.Stop(), n.StartService(ctx)); err != nil {
			return err
		}
	}
	var asked time.Time
	var last string
	err := Until(ctx, 2*time.Minute, "the computer to be a device", func() (bool, string) {
		if time.Since(asked) < askEvery {
			return false, last
		}
		asked = time.Now()
		said, err := Command(ctx, nil, "", deployProgram, "status") // ends with 0 when it is enrolled
		last = fmt.Sprint(said, err)
		return err == nil, last
	})
	n.Enrolled = time.Since(began)
	return err
}

// LogOn begins the person's session, starts what the package starts at every log-on, and waits for the balance.
func (n *Newcomer) LogOn(ctx context.Context) error {
	began, err := n.Begin(ctx)
	if err == nil {
		err = n.UntilBalance(ctx)
	}
	n.Balance = time.Since(began)
	return err
}

// Begin begins the person's session and starts what the package starts at every log-on, and tells when that was.
func (n *Newcomer) Begin(ctx context.Context) (began time.Time, err error) {
	if n.Login, err = n.here.Login(n.r.Account); err != nil {
		return began, err
	}
	screen, err := n.Login.Screen(ctx)
	if err != nil {
		return began, err
	}
	n.Env = screen.Env
	command, err := autostarted()
	if err != nil {
		return began, err
	}
	began = time.Now()
	n.Client, err = n.Login.Start(ctx, n.Env, "platen", command[0], command[1:]...)
	return began, err
}

// UntilBalance waits until the person has their balance.
func (n *Newcomer) UntilBalance(ctx context.Context) error {
	return Until(ctx, time.Minute, "the balance", func() (bool, string) {
		var b struct{ Balance struct{ Amount string } }
		said, err := n.Login.Command(ctx, n.Env, "", clientProgram, "balance", "--json")
		return err == nil && json.Unmarshal([]byte(said), &b) == nil && b.Balance.Amount == n.r.Balance, fmt.Sprint(said, err)
	})
}

// autostarted is the command line that a desktop starts at every log-on.
func autostarted() ([]string, error) {
	text, err := os.ReadFile(autostart)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "Exec="); ok {
			return strings.Fields(command), nil
		}
	}
	return nil, errors.New(autostart + " starts nothing")
}

// StopService stops the service, as systemd would.
func (n *Newcomer) StopService() error { return n.service.Stop() }
