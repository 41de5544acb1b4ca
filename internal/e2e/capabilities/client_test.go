package capabilities

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/internal/testenv"
)

// resident is Platen on somebody's computer, with nobody signed in.
type resident struct {
	cell   *cell
	env    []string
	opened string // the file that gets the address of the page that the resident opens in the browser
}

// resident starts one, in folders of its own, whose browser only notes what it is asked to open.
func (c *cell) resident() *resident {
	c.Helper()
	testenv.Program(c.T, "xdg-open", "xdg-utils") // what the resident opens pages with; it starts $BROWSER
	home := c.site.place.Path(c.who.short)
	r := &resident{cell: c, opened: filepath.Join(home, "opened")}
	opener := filepath.Join(home, "browser")
	if err := os.MkdirAll(home, 0o700); err != nil {
		c.Fatal(err)
	}
	script := "#!/bin/sh\nprintf %s \"$1\" > " + r.opened + ".part && mv " + r.opened + ".part " + r.opened + "\n"
	if err := os.WriteFile(opener, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		c.Fatal(err)
	}
	r.env = []string{
		"PLATEN_SERVER_URL=https://" + c.site.address, "PLATEN_CA_FILE=" + filepath.Join(c.site.data, "ca.pem"), "PLATEN_UPN_SUFFIX=" + suffix,
		"PLATEN_RUNTIME_DIR=" + home, "PLATEN_MICROSOFT_AUTHORITY=" + c.site.tenant.URL(), "SSL_CERT_FILE=" + c.site.caFile, "BROWSER=" + opener,
		"HOME=" + home, "XDG_RUNTIME_DIR=" + home, "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "XDG_CURRENT_DESKTOP=", "DESKTOP_SESSION=",
		"DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=",
	}
	c.site.start(c.T, "platen "+c.who.short, r.env, "run")
	r.until("the resident", func(s stage.Resident) bool { return s.State == "signed-out" })
	return r
}

// command is the client's command line.
func (r *resident) command(ctx context.Context, stdin string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "platen"), args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), r.env...), strings.NewReader(stdin)
	return cmd
}

// run runs a command of the client and returns what it said and its exit code.
func (r *resident) run(stdin string, args ...string) (out string, code int) {
	r.cell.Helper()
	ctx, cancel := context.WithTimeout(r.cell.Context(), patience)
	defer cancel()
	cmd := r.command(ctx, stdin, args...)
	said, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		r.cell.Fatal(err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

// until waits until the resident's status is what is wanted.
func (r *resident) until(what string, want func(stage.Resident) bool) stage.Resident {
	r.cell.Helper()
	last, err := stage.UntilStatus(r.cell.Context(), r.cell.site.place, r.env, patience, what, want)
	if err != nil {
		r.cell.Fatal(err)
	}
	return last
}

// untilSignedIn waits for the balance of somebody.
func (r *resident) untilSignedIn(username string) {
	r.cell.Helper()
	r.until(username+" with a balance", func(s stage.Resident) bool {
		return s.State == "following" && s.Username == username && s.Balance.Amount == "0.00"
	})
}

// byPassword signs in by account and password.
func (r *resident) byPassword(account string) {
	r.cell.Helper()
	if out, code := r.run(password+"\n", "sign-in", "--username", account, "--password-stdin"); code != 0 {
		r.cell.Fatalf("sign in as %s: exit code %d: %s", account, code, out)
	}
}

// byMicrosoft begins Sign in with Microsoft, and goes through the pages in the browser as the person.
func (r *resident) byMicrosoft() {
	r.cell.Helper()
	ctx, cancel := context.WithTimeout(r.cell.Context(), patience)
	defer cancel()
	args := []string{"sign-in", "--method", r.cell.site.way, "--username", r.cell.who.upn}
	if r.cell.site.way == api.MethodBrowser {
		args = append(args, "--provider", "microsoft")
	}
	cmd := r.command(ctx, "", args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		r.cell.Fatal(err)
	}
	var address []byte
	r.cell.site.await(r.cell.T, "the browser to be opened", func() (bool, string) {
		var err error
		address, err = os.ReadFile(r.opened)
		return err == nil, fmt.Sprint(err)
	})
	tab := r.cell.browser()
	tab.Navigate(string(address))
	r.cell.atMicrosoft(tab)
	if err := cmd.Wait(); err != nil {
		r.cell.Fatalf("sign in with Microsoft: %v: %s\nthe browser is at %s and complains %q:\n%s", err, said.String(), tab.URL(), tab.Complaints(), tab.Text("body"))
	}
}

// oneSession fails unless the person has one session in all, and it is the resident's.
func (r *resident) oneSession(t *testing.T, username string) {
	t.Helper()
	if a := r.cell.site.account(t, username); len(a.Sessions) != 1 || !strings.HasPrefix(a.Sessions[0].Client, "platen ") {
		t.Errorf("sessions %+v, want one, of platen", a.Sessions)
	}
}
