package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/client/doctor"
	"github.com/platenprint/platen/client/opener"
	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	deploy "github.com/platenprint/platen/printqueue/ipc"
)

// identity is the JSON of whoami.
type identity struct {
	OSAccount  status.OSAccount    `json:"os_account"`
	Verdict    usermap.Verdict     `json:"verdict"`
	Why        string              `json:"why"`
	Candidates []usermap.Candidate `json:"candidates"`
	User       *status.User        `json:"user,omitempty"`
	Method     string              `json:"method,omitempty"` // how they signed in, if that is known
}

func newWhoami(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "whoami", Short: "Show who this computer says you are", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, _, _ := config.ForThisMachine(c.Context(), p.given(), false) // what is wrong with them is for "platen config"
			account, err := osuser.Current(c.Context())
			if err != nil {
				return &failure{exitFailed, err.Error()}
			}
			facts := account.Facts()
			facts.Addresses = osuser.Addresses()
			mapped := usermap.Map(facts, settings.UPNRules)
			who := identity{
				OSAccount: status.OSAccount{Name: account.Raw, Short: account.Name, Domain: account.Domain},
				Verdict:   mapped.Verdict, Why: mapped.Text, Candidates: mapped.Candidates,
			}
			if _, s, err := p.client(c.Context(), 0); err == nil && s.State != status.StateSignedOut {
				if who.User = s.User; s.User != nil {
					who.Method = s.AuthMode
				}
			}
			if p.json {
				return p.writeJSON(who)
			}
			return p.sayIdentity(who)
		},
	}
	p.settings(c)
	return c
}

func (p *program) sayIdentity(who identity) error {
	err := p.say("%-12s %s", "account", who.OSAccount.Name)
	for _, candidate := range who.Candidates {
		err = errors.Join(err, p.say("%-12s %s: %s", "candidate", candidate.Name, candidate.Text))
	}
	err = errors.Join(err, p.say("%-12s %s: %s", "verdict", who.Verdict, who.Why))
	if who.User != nil {
		err = errors.Join(err, p.say("%-12s %s, by %s", "signed in", person(*who.User), who.Method))
	}
	return err
}

func newConfig(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "Show every setting with its origin", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, warnings, broken := config.ForThisMachine(c.Context(), p.given(), true)
			if err := p.sayConfig(settings, warnings, broken); err != nil {
				return err
			}
			if broken != nil {
				return &failure{exitFailed, broken.Error()}
			}
			return nil
		},
	}
	p.settings(c)
	return c
}

func (p *program) sayConfig(settings config.Config, warnings []config.Warning, broken error) error {
	texts := make([]string, len(warnings))
	for i, w := range warnings {
		texts[i] = w.String()
	}
	if p.json {
		v := struct {
			Settings []config.Value `json:"settings"`
			Warnings []string       `json:"warnings"`
			Error    string         `json:"error,omitempty"`
		}{Settings: settings.Values(), Warnings: texts}
		if broken != nil {
			v.Error = broken.Error()
		}
		return p.writeJSON(v)
	}
	var err error
	values := settings.Values()
	for i, s := range settings.Settings() {
		err = errors.Join(err, p.say("%-20s %-32s %s", s.Name, cmp.Or(s.Value, "-"), s.Origin))
		for _, weaker := range values[i].Overrides {
			err = errors.Join(err, p.say("%-20s %-32s %s", "", "  instead of "+weaker.Text, weaker.Origin))
		}
	}
	for _, w := range texts {
		_, _ = fmt.Fprintln(p.Stderr, "platen: warning:", w)
	}
	return err
}

func newDoctor(p *program) *cobra.Command {
	var bundle string
	var details bool
	c := &cobra.Command{
		Use: "doctor", Short: "Find out what keeps printing from working", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report, support, err := p.examine(c.Context())
			if err != nil {
				return err
			}
			if bundle != "" {
				if err := writeBundle(bundle, support); err != nil {
					return &failure{exitFailed, err.Error()}
				}
				_, _ = fmt.Fprintln(p.Stderr, "platen: wrote", bundle, "- have a look at it before you send it")
			}
			if p.json {
				err = report.WriteJSON(p.Stdout)
			} else {
				err = report.Write(p.Stdout, details)
			}
			if err != nil {
				return &failure{exitFailed, err.Error()}
			}
			if report.Failed() {
				return &failure{code: exitFailed}
			}
			return nil
		},
	}
	c.Flags().StringVar(&bundle, "bundle", "", "write a support file (zip) without names and secrets to this path")
	c.Flags().BoolVar(&details, "details", false, "show technical details")
	p.settings(c)
	return c
}

// examine runs the checks.
func (p *program) examine(ctx context.Context) (doctor.Report, doctor.Support, error) {
	settings, warnings, _ := config.ForThisMachine(ctx, p.given(), true)
	env := connect.Environment(os.Environ())
	quiet := slog.New(slog.DiscardHandler)
	dir, err := statedir.Find(runtime.GOOS, p.Getenv)
	if err != nil {
		return doctor.Report{}, doctor.Support{}, &failure{exitFailed, err.Error()}
	}
	used, ask := servers.Open(dir).Choose(settings)
	confirmed := ask == nil && used.ServerURL != nil && (settings.ServerURL == nil || servers.Of(settings) != nil)
	in := doctor.Inputs{
		GOOS: runtime.GOOS, Env: env, Config: used, Confirmed: confirmed, Warnings: warnings, Proxies: connect.Proxies(settings, clock.System),
		Tray: doctor.ThisDesk(env), Processes: doctor.ThisSystem(), Clock: clock.System,
		Presence: presence.New(p.Getenv, clock.System),
		Deploy:   askDeploy, Browser: func() bool { return opener.Usable(p.Getenv) }, Web: web(settings),
		Resident: func(ctx context.Context) error {
			_, _, err := p.client(ctx, 0)
			return err
		},
	}
	if ask != nil {
		in.ServerErr = errors.New("nobody has confirmed that " + ask.Host + " is your print server (platen confirm-server)")
	} else if client, err := connect.New(used, quiet, clock.System); err != nil {
		in.ServerErr = err
	} else {
		in.Server = client
	}
	account, err := osuser.Current(ctx)
	if err != nil {
		return doctor.Report{}, doctor.Support{}, &failure{exitFailed, err.Error()}
	}
	in.Backed = account.Kind == usermap.KindDomain || account.Kind == usermap.KindAzureAD
	in.Keyring = tokenstore.Open(ctx, tokenstore.Options{Dir: dir, OSUser: account.Key(), Clock: clock.System, Log: quiet})
	support := doctor.Support{
		Report: doctor.Run(ctx, clock.System, doctor.All(in)), Settings: settings.Settings(),
		Versions: map[string]string{"platen": buildinfo.Version, "commit": buildinfo.Commit(), "system": runtime.GOOS + "/" + runtime.GOARCH},
		Private:  doctor.Private{Names: []string{account.Raw, account.Name, account.DisplayName, account.UPN}, Home: []string{p.Getenv("HOME"), p.Getenv("USERPROFILE")}},
	}
	if _, s, err := p.client(ctx, 0); err == nil && s.User != nil {
		support.Private.Names = append(support.Private.Names, s.User.Username, s.User.DisplayName)
	}
	for _, name := range []string{statedir.LogFile, statedir.OldLogFile, statedir.CrashFile} {
		support.Logs = append(support.Logs, doctor.LogFile{Name: name, Path: filepath.Join(dir, name)})
	}
	return support.Report, support, nil
}

// askDeploy asks the service of this computer.
func askDeploy(ctx context.Context) (deploy.Status, error) {
	client, err := deploy.Dial(ctx)
	if err != nil {
		return deploy.Status{}, err
	}
	return client.Status(ctx)
}

// web asks addresses as the sign-in does: by the same way, with the system's certificates.
func web(settings config.Config) doctor.Web {
	return func(ctx context.Context, address string) error {
		client := connect.Web(settings, clock.System)
		defer client.CloseIdleConnections()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	}
}

// writeBundle writes the support file; it is nobody else's business, and never replaces a file.
func writeBundle(path string, support doctor.Support) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file", path)
	}
	if err != nil {
		return fmt.Errorf("write the support file: %w", err)
	}
	if err := errors.Join(doctor.Bundle(f, support), f.Close()); err != nil {
		return err
	}
	return nil
}
