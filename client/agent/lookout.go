package agent

import (
	"context"
	"time"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/internal/clock"
)

// lookAgain is how long it takes until the settings and the network are looked at again where none has named a server: a laptop
// that was started without a network, a policy that came after the package. The last one is repeated.
var lookAgain = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// lookOut starts the program anew once there is a server to be used or to be asked about. With it come all other settings.
func (a *agent) lookOut(ctx context.Context, o Options) {
	if o.MayRestart == nil {
		return
	}
	found := awaitServer(ctx, lookAgain, func(ctx context.Context) (config.Config, error) {
		c, _, err := config.ForThisMachine(ctx, o.Flags, true)
		if err == nil && c.ServerURL != nil {
			_, err = connect.New(c, a.logger, clock.System) // else the new one would stand where this one does
		}
		return c, err
	})
	if !found {
		return
	}
	if err := o.MayRestart(); err != nil {
		a.logger.WarnContext(ctx, "a server is named now, but the program cannot be started anew", "error", err)
		return
	}
	a.logger.InfoContext(ctx, "a server is named now")
	a.quit(ErrRestart)
}

// awaitServer waits until the settings name a server, and tells whether they did before ctx ended.
func awaitServer(ctx context.Context, waits []time.Duration, load func(context.Context) (config.Config, error)) bool {
	for i := 0; ; i = min(i+1, len(waits)-1) {
		pause := time.NewTimer(waits[i])
		select {
		case <-ctx.Done():
			pause.Stop()
			return false
		case <-pause.C:
		}
		if c, err := load(ctx); err == nil && c.ServerURL != nil {
			return ctx.Err() == nil
		}
	}
}
