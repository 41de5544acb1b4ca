package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/service"
)

// shown is what status --json writes.
type shown struct {
	Running bool          `json:"running"`
	Service service.State `json:"service,omitempty"` // by the service system, where there is one
	ipc.Status
	Code string `json:"code,omitempty"` // why there is no answer
	Text string `json:"error,omitempty"`
}

func newStatus(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say how this computer stands (for everybody)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.status(c.Context()) },
	}
}

// status writes how the computer stands. Its exit code says whether people can be vouched for.
func (p *program) status(ctx context.Context) error {
	var s shown
	if m, err := p.Services(); err == nil {
		if state, err := m.State(ctx); err == nil {
			s.Service = state
		}
	}
	client, err := ipc.DialAt(ctx, p.Place)
	if err == nil {
		s.Status, err = client.Status(ctx)
	}
	if err != nil {
		f := fail(err).(*failure) //nolint:errorlint // fail makes nothing else
		s.Code, s.Text = f.Name, f.Text
		if p.json {
			p.write(s)
		} else {
			fmt.Fprintln(p.Stderr, "platen-deploy:", f.Text+startHint(s.Service))
		}
		f.said = true
		return f
	}
	s.Running = true
	if p.json {
		p.write(s)
	} else {
		p.describe(s.Status)
	}
	if !s.Enrolled {
		return &failure{code: exitNotEnrolled, said: true}
	}
	return nil
}

func startHint(state service.State) string {
	switch state {
	case service.NotInstalled:
		return "; platen-deploy install makes it a service"
	case service.Stopped:
		return "; platen-deploy start starts it"
	case service.Running:
		return "; its service runs, so it is starting, or its log says what is wrong"
	}
	return ""
}

// describe writes a status for people.
func (p *program) describe(s ipc.Status) {
	fmt.Fprintln(p.Stdout, sentence(s))
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(p.Stdout, "%-16s %s\n", name+":", text)
		}
	}
	line("server", s.ServerURL)
	if s.Wanted != "" {
		line("settings", s.Wanted+" ("+s.WantedBy+")")
	}
	line("device", s.DeviceID)
	line("fingerprint", s.Fingerprint)
	line("group", s.Group)
	line("role", s.Role)
	line("sign-in", strings.Join(s.AuthModes, ", "))
	line("shared accounts", strings.Join(s.SharedOSUsers, ", "))
	line("certificate", moment("valid until", s.Until))
	line("server answered", moment("at", s.SeenAt))
	line("problem", s.Detail)
	if s.Wanted != "" && !s.Enrolled || s.Enrolment == ipc.EnrolmentPending || s.Problem != "" {
		line("next try", moment("at", s.NextTry))
	}
	line("version", s.Version)
}

func moment(word string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return word + " " + t.Local().Format("2006-01-02 15:04:05")
}

// sentence says the state in one.
func sentence(s ipc.Status) string {
	switch s.Enrolment {
	case ipc.EnrolmentDone:
		return "This computer is enrolled and vouches for its users."
	case ipc.EnrolmentPending:
		return "This computer waits for an administrator's approval (platen-server device approve; compare the fingerprint)."
	case ipc.EnrolmentRevoked:
		return "This computer's enrolment was revoked. To enrol it anew: platen-deploy enrol"
	case ipc.EnrolmentNone:
		if s.Wanted != "" {
			return "This computer is not enrolled yet. It asks " + s.Wanted + " by itself, as its settings say."
		}
	}
	return "This computer is not enrolled. To enrol it: platen-deploy enrol"
}
