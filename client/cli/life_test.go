package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
)

const found = "https://print.example.org:8443"

// waiting is a resident where only the network names a server.
func waiting(change ...func(*status.Server)) *fakeResident {
	s := &status.Server{URL: found, Host: "print.example.org:8443", Where: status.WhereNetwork, Source: "_platen._tcp.example.org"}
	for _, c := range change {
		c(s)
	}
	return &fakeResident{
		shown:  status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut, Ask: status.AskConfirmServer, Server: s},
		result: status.Result{OK: true},
	}
}

// types lets somebody sit at the terminal.
func (d *desk) types(line string) {
	d.deps.Stdin = strings.NewReader(line + "\n")
	d.deps.ReadPassword = func() (string, error) { return "", errors.New("nobody asks for a password here") }
}

func TestE9_ConfirmServer(t *testing.T) {
	for name, test := range map[string]struct {
		resident *fakeResident
		typed    string // at a terminal; "": there is none
		args     []string
		code     int
		asked    []status.ActionKind
		says     string
	}{
		"yes":                      {waiting(), "y", nil, exitOK, []status.ActionKind{status.ActionConfirmServer}, "print.example.org:8443"},
		"no, not now":              {waiting(), "n", nil, exitFailed, nil, "nothing was confirmed"},
		"without a terminal":       {waiting(), "", []string{}, exitUsage, nil, "no terminal"},
		"--yes":                    {waiting(), "", []string{"--yes"}, exitOK, []status.ActionKind{status.ActionConfirmServer}, "named by this network (_platen._tcp.example.org)"},
		"--no":                     {waiting(), "", []string{"--no"}, exitOK, []status.ActionKind{status.ActionRejectServer}, "is not used"},
		"of the package's name":    {waiting(func(s *status.Server) { s.Where, s.Pin = status.WherePackage, "sha256/x" }), "y", nil, exitOK, []status.ActionKind{status.ActionConfirmServer}, "file name of the package"},
		"refused before":           {waiting(func(s *status.Server) { s.Rejected = true }), "y", nil, exitOK, []status.ActionKind{status.ActionConfirmServer}, "you said that it is not yours"},
		"nothing to confirm":       {&fakeResident{shown: status.Snapshot{Version: status.Version, Seq: 1, ServerHost: "print.example.org"}}, "", []string{"--yes"}, exitOK, nil, "nothing to confirm"},
		"nobody names one":         {&fakeResident{shown: status.Snapshot{Version: status.Version, Seq: 1}}, "", []string{"--yes"}, exitFailed, nil, "no print server is named"},
		"both":                     {waiting(), "", []string{"--yes", "--no"}, exitUsage, nil, "exclude each other"},
		"the resident says no":     {refusing(waiting()), "", []string{"--yes"}, exitFailed, []status.ActionKind{status.ActionConfirmServer}, "another server"},
		"a name that plays tricks": {waiting(func(s *status.Server) { s.Source = "\x1b[2J" }), "", []string{"--yes"}, exitOK, []status.ActionKind{status.ActionConfirmServer}, "print.example.org:8443"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deskWith(t, test.resident)
			if test.typed != "" {
				d.types(test.typed)
			}
			if code := d.run(append([]string{"confirm-server"}, test.args...)...); code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			if said := d.out.String() + d.err.String(); !strings.Contains(said, test.says) || strings.Contains(said, "\x1b") {
				t.Errorf("said %q", said)
			}
			if diff := cmp.Diff(test.asked, test.resident.kinds()); diff != "" {
				t.Error(diff)
			}
			for _, a := range test.resident.asked {
				if a.Server != found {
					t.Errorf("the answer is about %q", a.Server)
				}
			}
		})
	}
}

func refusing(r *fakeResident) *fakeResident {
	r.result = status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: "another server than this one waits for an answer"}}
	return r
}

func TestStatusTellsOfAServerThatWaits(t *testing.T) {
	d := deskWith(t, waiting())
	if code := d.run("status"); code != exitOK || !strings.Contains(d.out.String(), "platen confirm-server") {
		t.Errorf("exit %d: %s", code, d.out.String())
	}
	if code := d.run("status", "--json"); code != exitOK || !strings.Contains(d.out.String(), `"where": "network"`) {
		t.Errorf("exit %d: %s", code, d.out.String())
	}
}

func TestAtLogOnIsSilent(t *testing.T) {
	d := deskWith(t, nil)
	if code := d.run("run", "--at-logon"); code != exitOK || d.out.Len()+d.err.Len() > 0 {
		t.Errorf("exit %d: %s%s", code, d.out.String(), d.err.String())
	}
	var got Start
	d.deps.Resident = func(_ context.Context, s Start) error { got = s; return nil }
	if code := d.run("run", "--at-logon"); code != exitOK || !got.AtLogOn {
		t.Errorf("exit %d, started with %+v", code, got)
	}
}

func TestPurgeAsksFirst(t *testing.T) {
	for name, test := range map[string]struct {
		typed string
		args  []string
		want  *Purge
		code  int
	}{
		"yes":             {"yes", nil, &Purge{}, exitOK},
		"no":              {"n", nil, nil, exitFailed},
		"nobody there":    {"", nil, nil, exitFailed},
		"--yes":           {"", []string{"--yes"}, &Purge{}, exitOK},
		"with settings":   {"", []string{"--yes", "--settings"}, &Purge{Settings: true}, exitOK},
		"for an absentee": {"", []string{"--yes", "--offline"}, &Purge{Offline: true}, exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			d := deskWith(t, nil)
			if test.typed != "" {
				d.types(test.typed)
			}
			var got *Purge
			d.deps.Purge = func(_ context.Context, p Purge) (Purged, error) { got = &p; return Purged{Removed: 3}, nil }
			if code := d.run(append([]string{"purge"}, test.args...)...); code != test.code {
				t.Errorf("exit %d: %s", code, d.err.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("what is left is said", func(t *testing.T) {
		d := deskWith(t, nil)
		d.deps.Purge = func(context.Context, Purge) (Purged, error) { return Purged{}, ipc.ErrRunning }
		if code := d.run("purge", "--yes"); code != exitFailed || !strings.Contains(d.err.String(), "already running") {
			t.Errorf("exit %d: %s", code, d.err.String())
		}
	})
}
