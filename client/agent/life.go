package agent

import (
	"context"
	"errors"
	"time"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/status"
)

// Signal is what the system may ask of the resident, beside to end.
type Signal int

// The signals.
const (
	// SignalRestart: go on as the program that is installed now.
	SignalRestart Signal = iota
	// SignalPurge: remove what is kept of this person, and end.
	SignalPurge
)

// ErrRestart says that the resident has ended to go on as the program that is installed now.
var ErrRestart = errors.New("platen is to be started anew")

var errPurge = errors.New("what is kept of this person is to be removed")

// wanted tells whether the resident is to run after a log-on. What cannot be read does not keep it from starting: it will say so.
func wanted(ctx context.Context, flags map[string]string) bool {
	c, _, err := config.ForThisMachine(ctx, flags, false)
	return err != nil || c.AutoStart
}

// obey does what the system asks for until ctx ends.
func (a *agent) obey(ctx context.Context, o Options) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-o.Signals:
			switch s {
			case SignalRestart:
				if o.MayRestart == nil {
					continue
				}
				if err := o.MayRestart(); err != nil {
					a.logger.WarnContext(ctx, "not going on as the program that is installed now", "error", err)
					continue
				}
				a.logger.InfoContext(ctx, "going on as the program that is installed now")
				a.quit(ErrRestart)
			case SignalPurge:
				(resident{a}).purge(ctx)
			}
		}
	}
}

// farewellTime is how long signing out may take before a purge: the keyring and the server are asked.
const farewellTime = 6 * time.Second

// purge signs out, at the server too if it can be reached, and ends the resident; what is kept goes when it has ended.
func (r resident) purge(ctx context.Context) status.Result {
	r.logger.InfoContext(ctx, "removing what is kept of this person")
	farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
	defer cancel()
	if result := r.session.Do(farewell, status.Action{Kind: status.ActionSignOut}); !result.OK && result.Problem != nil {
		r.logger.InfoContext(ctx, "sign-out not finished", "details", result.Problem.Details)
	}
	r.quit(errPurge)
	return status.Result{OK: true}
}
