package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
)

func newConfirmServer(p *program) *cobra.Command {
	var yes, no bool
	c := &cobra.Command{
		Use: "confirm-server", Short: "Say whether the print server that the network names is yours", Args: cobra.NoArgs,
		Long: `Confirm-server shows the print server that only the network, or the file name of the package, names, and asks whether it is your
organisation's. Nothing is sent to it before. The answer is remembered until another server is named; it works also for a server that
was refused before. What a setting or an administrator names needs no answer.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if yes && no {
				return &failure{exitUsage, "--yes and --no exclude each other"}
			}
			return p.confirmServer(c.Context(), yes, no)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "it is mine; do not ask")
	c.Flags().BoolVar(&no, "no", false, "it is not mine; do not ask again")
	return c
}

// question is a server that waits for an answer, and who hears it.
type question struct {
	server *status.Server // nil: none waits
	used   string         // the host that is used instead; "" for none
	later  bool           // the resident hears of the answer at its next start
	answer func(ctx context.Context, kind status.ActionKind, server status.Server) error
}

func (p *program) confirmServer(ctx context.Context, yes, no bool) error {
	q, err := p.question(ctx)
	switch {
	case err != nil:
		return err
	case q.server == nil && q.used != "":
		return p.confirmed(q.used, "nothing to confirm: the print server is "+q.used)
	case q.server == nil:
		return &failure{exitFailed, "no print server is named, neither by a setting nor by the network"}
	}
	s := *q.server
	if !p.json {
		_, _ = fmt.Fprintf(p.Stderr, "%s\n%s\n", s.Host, namedBy(s))
	}
	kind := status.ActionConfirmServer
	switch {
	case no:
		kind = status.ActionRejectServer
	case !yes && p.ReadPassword == nil:
		return &failure{exitUsage, "standard input is no terminal: use --yes or --no"}
	case !yes && !p.ask("Is this your organisation’s print server?"):
		return &failure{exitFailed, "nothing was confirmed; --no says that it is not yours"}
	}
	if err := q.answer(ctx, kind, s); err != nil {
		return err
	}
	if no {
		return p.confirmed("", s.Host+" is not used")
	}
	if q.later {
		return p.confirmed(s.Host, "from the next start (platen stop; platen) the print server is "+s.Host)
	}
	return p.confirmed(s.Host, "the print server is "+s.Host)
}

func (p *program) confirmed(host, text string) error {
	if p.json {
		return p.writeJSON(struct {
			OK     bool   `json:"ok"`
			Server string `json:"server,omitempty"` // the one that is used
		}{true, host})
	}
	return p.say("%s", text)
}

// namedBy says who names a server.
func namedBy(s status.Server) string {
	by := "named by this network"
	if s.Where == status.WherePackage {
		by = "named by the file name of the package"
	}
	if s.Source != "" {
		by += " (" + s.Source + ")"
	}
	if s.Pin != "" {
		by += "\nits certificate authority: " + s.Pin
	}
	if s.Rejected {
		by += "\nyou said that it is not yours"
	}
	return by
}

// question asks the resident, or looks for itself where none runs.
func (p *program) question(ctx context.Context) (question, error) {
	client, s, err := p.client(ctx, 0)
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitNotRunning {
		return p.ownQuestion(ctx)
	}
	if err != nil {
		return question{}, err
	}
	if s.Server == nil && s.ServerHost != "" { // one that was refused in favour of this one can be taken after all
		if own, err := p.ownQuestion(ctx); err == nil && own.server != nil && own.server.Rejected {
			own.later = true
			return own, nil
		}
	}
	return question{server: s.Server, used: s.ServerHost, answer: func(ctx context.Context, kind status.ActionKind, server status.Server) error {
		r, err := client.Do(ctx, status.Action{Kind: kind, Server: server.URL})
		switch {
		case errors.Is(err, ipc.ErrNotRunning):
			return &failure{exitNotRunning, err.Error()}
		case err != nil:
			return &failure{exitFailed, err.Error()}
		case !r.OK:
			return p.outcome(r)
		}
		return nil
	}}, nil
}

func (p *program) ownQuestion(ctx context.Context) (question, error) {
	c, _, err := config.ForThisMachine(ctx, nil, true)
	if err != nil {
		return question{}, &failure{exitFailed, err.Error()}
	}
	if c.DeviceRole == config.RoleShared && (c.ServerURL == nil || servers.Of(c) != nil) {
		return question{}, &failure{exitFailed, "this computer is shared: an administrator names its print server (setting ServerURL)"}
	}
	dir, err := statedir.Find(runtime.GOOS, p.Getenv)
	if err != nil {
		return question{}, &failure{exitFailed, err.Error()}
	}
	store := servers.Open(dir)
	used, ask := store.Choose(c)
	if found := servers.Of(c); ask == nil && found != nil && used.ServerURL.String() != found.URL {
		ask = found // it was refused, and another one is used
		ask.Rejected = true
	}
	q := question{server: ask, answer: func(_ context.Context, kind status.ActionKind, server status.Server) error {
		remember := store.Confirm
		if kind == status.ActionRejectServer {
			remember = store.Reject
		}
		if err := remember(server); err != nil {
			return &failure{exitFailed, err.Error()}
		}
		return nil
	}}
	if ask == nil && used.ServerURL != nil {
		q.used = servers.Host(used.ServerURL)
	}
	return q, nil
}
