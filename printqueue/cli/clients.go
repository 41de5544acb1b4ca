package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/printqueue/residents"
)

// Clients are the programs of this installation in people's sessions (*residents.Clients).
type Clients interface {
	Start(ctx context.Context) (residents.Report, error)
	Restart(ctx context.Context) (residents.Report, error)
	Stop(ctx context.Context) (residents.Report, error)
	Purge(ctx context.Context) (residents.Report, error)
}

func newClients(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "clients", Short: "Start, restart, stop or clear the programs in people's sessions (packages do so)",
		Long: `Clients speaks to the programs of this installation that run in people's sessions, whoever they are. It knows them by their file,
waits for 10 seconds, and then ends those that have not ended.`,
		Args: cobra.NoArgs,
	}
	verb := func(use, short string, do func(context.Context, Clients) (residents.Report, error)) *cobra.Command {
		return p.privileged(&cobra.Command{
			Use: use, Short: short, Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.clients(c.Context(), do) },
		})
	}
	c.AddCommand(
		verb("start", "Start them for everybody who is logged on and has none, as at log-on (after an installation; Windows only)",
			func(ctx context.Context, c Clients) (residents.Report, error) { return c.Start(ctx) }),
		verb("restart", "Let them go on as what is installed now (after an upgrade)",
			func(ctx context.Context, c Clients) (residents.Report, error) { return c.Restart(ctx) }),
		verb("stop", "End them", func(ctx context.Context, c Clients) (residents.Report, error) { return c.Stop(ctx) }),
		verb("purge", "Sign everybody out, remove what is kept of people on this computer, and end the programs (before a removal)",
			func(ctx context.Context, c Clients) (residents.Report, error) { return c.Purge(ctx) }),
	)
	return c
}

// clients does one thing with them and says what came of it.
func (p *program) clients(ctx context.Context, do func(context.Context, Clients) (residents.Report, error)) error {
	c, err := p.Clients()
	if err != nil {
		return fail(err)
	}
	r, err := do(ctx, c)
	if p.json {
		p.write(struct {
			OK bool `json:"ok"`
			residents.Report
		}{err == nil && len(r.Problems) == 0, r})
	} else {
		p.tell(r)
	}
	if err != nil {
		f := fail(err).(*failure) //nolint:errorlint // fail makes nothing else
		f.said = p.json
		return f
	}
	if len(r.Problems) > 0 {
		return &failure{code: exitFailed, said: true}
	}
	return nil
}

func (p *program) tell(r residents.Report) {
	fmt.Fprintf(p.Stdout, "%d running: %d go on as the new program, %d ended, %d had to be ended\n", r.Found, r.Restarted, r.Ended, r.Killed)
	if r.Started > 0 {
		fmt.Fprintf(p.Stdout, "%d started\n", r.Started)
	}
	if r.Accounts > 0 {
		fmt.Fprintf(p.Stdout, "%d accounts cleared\n", r.Accounts)
	}
	for _, s := range r.Skipped {
		fmt.Fprintln(p.Stdout, "left alone:", s)
	}
	for _, s := range r.Problems {
		fmt.Fprintln(p.Stderr, "platen-deploy:", s)
	}
}
