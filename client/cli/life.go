package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
)

// endPatience is how long the resident may take to end: it signs out, and says farewell to the window.
const endPatience = 20 * time.Second

func newStop(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "End the resident of this session", Args: cobra.NoArgs,
		Long: `Stop ends the resident program of this session and waits until it has ended. Who is signed in stays so. That none runs is fine.`,
		RunE: func(c *cobra.Command, _ []string) error {
			ran, err := p.end(c.Context(), status.ActionQuit)
			if err != nil {
				return err
			}
			if p.json {
				return p.writeJSON(struct {
					OK  bool `json:"ok"`
					Ran bool `json:"ran"`
				}{true, ran})
			}
			if !ran {
				return p.say("platen was not running")
			}
			return nil
		},
	}
}

// end asks the resident to end by an action and waits until it has. ran tells whether there was one.
func (p *program) end(ctx context.Context, kind status.ActionKind) (ran bool, err error) {
	client, _, err := p.client(ctx, 0)
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitNotRunning {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	r, err := client.Do(ctx, status.Action{Kind: kind})
	if err != nil && !errors.Is(err, ipc.ErrNotRunning) {
		return true, &failure{exitFailed, err.Error()}
	}
	if err == nil && !r.OK {
		return true, p.outcome(r)
	}
	for {
		if _, err := client.Snapshot(ctx); errors.Is(err, ipc.ErrNotRunning) {
			return true, nil
		}
		look := time.NewTimer(residentPoll)
		select {
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return true, &failure{exitFailed, "platen does not end"}
		}
	}
}

func newPurge(p *program) *cobra.Command {
	var what Purge
	var yes bool
	c := &cobra.Command{
		Use: "purge", Short: "Sign out and remove what is kept of you on this computer", Args: cobra.NoArgs,
		Long: `Purge signs out, here and at the print server (which it waits for 5 seconds at most), ends the resident, and removes what is kept of
you on this computer: the encrypted session and its key in the keyring, the confirmed servers, and the logs. Your settings file stays,
unless --settings is given. Nothing changes at the server: balance and jobs are there.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if !yes && !p.ask("Sign out and remove what is kept of you on this computer?") {
				return &failure{exitFailed, "nothing was removed; --yes removes without a question"}
			}
			return p.purge(c.Context(), what)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&what.Settings, "settings", false, "remove the settings file, too")
	c.Flags().BoolVar(&what.Offline, "offline", false, "remove files only: for an account that is not logged on")
	return c
}

// purge lets the resident do it, which knows the newest tokens, and then removes what is left.
func (p *program) purge(ctx context.Context, what Purge) error {
	ran := false
	if !what.Offline {
		var err error
		if ran, err = p.end(ctx, status.ActionPurge); err != nil {
			return err
		}
	}
	done, err := p.Purge(ctx, what)
	for range restTries { // a resident has let go of its socket before it has let go of everything
		if !ran || !errors.Is(err, ipc.ErrRunning) {
			break
		}
		rest(ctx)
		done, err = p.Purge(ctx, what)
	}
	if p.json {
		if e := p.writeJSON(struct {
			OK  bool `json:"ok"`
			Ran bool `json:"ran"`
			Purged
		}{err == nil, ran, done}); e != nil {
			return e
		}
	}
	if err != nil {
		return &failure{exitFailed, err.Error()}
	}
	if !p.json && !what.Offline {
		return p.say("nothing is kept of you on this computer any more")
	}
	return nil
}

// restTries is how often a resident that has just ended is waited for.
const restTries = 100

func rest(ctx context.Context) {
	pause := time.NewTimer(residentPoll)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// ask asks a question that is answered by yes or no. Where nobody can answer it is no.
func (p *program) ask(question string) bool {
	if p.ReadPassword == nil {
		return false
	}
	_, _ = fmt.Fprintf(p.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 1<<10)).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return err == nil && (answer == "y" || answer == "yes")
}
