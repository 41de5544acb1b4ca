package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/printqueue/service"
)

// steer makes a command that does one thing with the service.
func steer(p *program, use, short, done string, do func(context.Context, service.Manager) error) *cobra.Command {
	return p.privileged(&cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := p.Services()
			if err == nil {
				err = do(c.Context(), m)
			}
			if err != nil {
				return fail(err)
			}
			p.done(done)
			return nil
		},
	})
}

func newInstall(p *program) *cobra.Command {
	return steer(p, "install", "Make it a service that starts with the computer", "installed; platen-deploy start starts it now",
		func(ctx context.Context, m service.Manager) error {
			path, err := p.Program()
			if err != nil {
				return err
			}
			return m.Install(ctx, path)
		})
}

func newUninstall(p *program) *cobra.Command {
	return steer(p, "uninstall", "Stop the service and remove it (the enrolment stays; see forget)", "uninstalled",
		func(ctx context.Context, m service.Manager) error { return m.Uninstall(ctx) })
}

func newStart(p *program) *cobra.Command {
	return steer(p, "start", "Start the service", "started", func(ctx context.Context, m service.Manager) error { return m.Start(ctx) })
}

func newStop(p *program) *cobra.Command {
	return steer(p, "stop", "Stop the service", "stopped", func(ctx context.Context, m service.Manager) error { return m.Stop(ctx) })
}
