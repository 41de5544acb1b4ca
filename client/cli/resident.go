package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/buildinfo"
)

// How long to wait for a resident that has just been started, and how often to look.
const (
	residentPatience = 5 * time.Second
	residentPoll     = 50 * time.Millisecond
)

// client finds the resident. With patience it waits until it listens.
func (p *program) client(ctx context.Context, patience time.Duration) (*ipc.Client, status.Snapshot, error) {
	place, err := ipc.Find(p.Getenv)
	if err != nil {
		return nil, status.Snapshot{}, &failure{exitFailed, err.Error()}
	}
	client := ipc.NewClient(place, "platen "+buildinfo.Version)
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		s, err := client.Snapshot(ctx)
		if err == nil {
			return client, s, nil
		}
		if !errors.Is(err, ipc.ErrNotRunning) {
			return nil, s, &failure{exitFailed, err.Error()}
		}
		look := time.NewTimer(residentPoll)
		select {
		case <-look.C:
		case <-end.C:
			return nil, s, &failure{exitNotRunning, "platen is not running; start it with: platen run"}
		case <-ctx.Done():
			return nil, s, &failure{exitFailed, "interrupted"}
		}
	}
}

// do performs an action that answers soon.
func (p *program) do(ctx context.Context, action status.Action) (status.Result, error) {
	client, _, err := p.client(ctx, residentPatience)
	if err != nil {
		return status.Result{}, err
	}
	r, err := client.Do(ctx, action)
	if err != nil {
		return r, &failure{exitFailed, err.Error()}
	}
	return r, nil
}

// shown is the JSON of status.
type shown struct {
	State      status.State      `json:"state"`
	Username   string            `json:"username"`
	Balance    *status.Money     `json:"balance"`
	BalanceAt  *time.Time        `json:"balance_at"`
	Stale      bool              `json:"stale"`
	Connection status.Connection `json:"connection"`
	AuthMode   string            `json:"auth_mode"`
	Offers     []status.Offer    `json:"offers,omitempty"` // the ways of signing in, best first
	Browsing   status.Browsing   `json:"browsing,omitzero"`
	Keyring    status.Keyring    `json:"keyring,omitempty"` // whether the sign-in can be kept, once that is known
	Server     *status.Server    `json:"server,omitempty"`  // waits for the person's word (confirm-server)
	Problem    *status.Problem   `json:"problem,omitempty"`
}

func shownOf(s status.Snapshot) shown {
	v := shown{State: s.State, Balance: s.Balance, Stale: s.Stale, Connection: s.Connection, AuthMode: s.AuthMode, Keyring: s.Keyring, Problem: s.Problem}
	v.Offers, v.Browsing, v.Server = s.Offers, s.Browsing, s.Server
	if s.User != nil {
		v.Username = s.User.Username
	}
	if !s.BalanceAt.IsZero() {
		v.BalanceAt = &s.BalanceAt
	}
	return v
}

func newStatus(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show who is signed in and how things stand", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, s, err := p.client(c.Context(), residentPatience)
			if err != nil {
				return err
			}
			if p.json {
				return p.writeJSON(shownOf(s))
			}
			return p.sayStatus(s)
		},
	}
}

func (p *program) sayStatus(s status.Snapshot) error {
	if s.User != nil {
		if err := p.say("%s", person(*s.User)); err != nil {
			return err
		}
	}
	if s.BalanceAt.IsZero() {
		return p.say("%s", stateLine(s))
	}
	if err := p.say("%s", balanceLine(s)); err != nil {
		return err
	}
	return p.say("%s", stateLine(s))
}

func person(u status.User) string {
	if u.DisplayName == "" || u.DisplayName == u.Username {
		return u.Username
	}
	return u.DisplayName + " (" + u.Username + ")"
}

func balanceLine(s status.Snapshot) string {
	text := "balance hidden by the site"
	if s.Balance != nil {
		text = s.Balance.Amount + " " + s.Balance.Currency
	}
	if s.Stale {
		text += ", as of " + s.BalanceAt.Local().Format("2006-01-02 15:04")
	}
	return text
}

func stateLine(s status.Snapshot) string {
	switch s.State {
	case status.StateFollowing:
		return fmt.Sprintf("following (%s)", s.Connection)
	case status.StateStarting, status.StateSigningIn, status.StateShutting, status.StateSignedOut, status.StateOffline:
	}
	if s.Problem != nil {
		return string(s.State) + ": " + sentence(s.Problem)
	}
	if s.Server != nil {
		return fmt.Sprintf("%s: is %s your print server? answer with: platen confirm-server", s.State, s.Server.Host)
	}
	return string(s.State)
}

func newBalance(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "balance", Short: "Show the balance", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, s, err := p.client(c.Context(), residentPatience)
			switch {
			case err != nil:
				return err
			case s.User == nil || s.State == status.StateSignedOut:
				return &failure{exitSignedOut, "nobody is signed in; use: platen sign-in"}
			case s.BalanceAt.IsZero():
				return &failure{exitUnreachable, "the balance is not known yet: " + stateLine(s)}
			}
			if p.json {
				return p.writeJSON(struct {
					Username  string        `json:"username"`
					Balance   *status.Money `json:"balance"`
					BalanceAt time.Time     `json:"balance_at"`
					Stale     bool          `json:"stale"`
				}{s.User.Username, s.Balance, s.BalanceAt, s.Stale})
			}
			return p.say("%s", balanceLine(s))
		},
	}
}

func newOpen(p *program) *cobra.Command {
	pages := []string{string(status.PageBalance), string(status.PageDetails), string(status.PageSettings), string(status.PageSignIn)}
	return &cobra.Command{
		Use: "open [balance|details|settings|sign-in]", Short: "Show the window",
		Args: cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), ValidArgs: pages,
		RunE: func(c *cobra.Command, args []string) error {
			page := ""
			if len(args) > 0 {
				page = args[0]
			}
			return p.open(c.Context(), status.Page(page))
		},
	}
}

func (p *program) open(ctx context.Context, page status.Page) error {
	r, err := p.do(ctx, status.Action{Kind: status.ActionOpen, Page: page})
	if err != nil {
		return err
	}
	return p.outcome(r)
}

// outcome turns the result of an action into the end of a command.
func (p *program) outcome(r status.Result) error {
	if r.OK {
		if p.json {
			return p.writeJSON(status.Result{OK: true})
		}
		return nil
	}
	problem := r.Problem
	if problem == nil {
		problem = &status.Problem{}
	}
	if p.json {
		if err := p.writeJSON(r); err != nil {
			return err
		}
		return &failure{code: exitOf(problem.Code)}
	}
	return &failure{exitOf(problem.Code), sentence(problem)}
}

// exitOf is the exit code that goes with a problem.
func exitOf(code status.ProblemCode) int {
	switch code {
	case status.ProblemWrongCredentials, status.ProblemAmbiguousName, status.ProblemAccountDisabled, status.ProblemPasswordExpired,
		status.ProblemLimited, status.ProblemDirectoryUnavailable, status.ProblemMethodOff, status.ProblemMFARequired, status.ProblemNoAccount,
		status.ProblemConsentRequired, status.ProblemDeviceBlocked, status.ProblemTrustRefused, status.ProblemProvider, status.ProblemTimedOut:
		return exitSignedOut
	case status.ProblemUnreachable, status.ProblemCertificate, status.ProblemCertificateExpired, status.ProblemClock, status.ProblemServer,
		status.ProblemProviderUnreachable:
		return exitUnreachable
	case status.ProblemNone, status.ProblemInvalid, status.ProblemNotConfigured, status.ProblemConfig, status.ProblemNoBrowser:
	}
	return exitFailed
}

// sentence says a problem in one sentence, and what works instead.
func sentence(p *status.Problem) string {
	text := plainSentence(p)
	switch p.Method {
	case "":
		return text
	case status.MethodPrompt:
		return text + "; account and password work: platen sign-in --method prompt"
	case status.MethodTrust, status.MethodMicrosoft, status.MethodBrowser:
	}
	return text + "; this works: platen sign-in --method " + string(p.Method)
}

// plainSentence has the technical details where people at a command line want them.
func plainSentence(p *status.Problem) string {
	if text, ok := aadsts.Sentences()[p.Sentence]; ok {
		return strings.TrimSuffix(text, ".") + " (" + p.Details + ")"
	}
	host := cmp.Or(p.Host, "the server")
	switch p.Code {
	case status.ProblemWrongCredentials:
		return "account or password is wrong; check the part after @"
	case status.ProblemAmbiguousName:
		return "several people share this name; give the full address, including @"
	case status.ProblemAccountDisabled:
		return "this account is switched off; ask your IT team"
	case status.ProblemPasswordExpired:
		return "the password has expired; change it, then sign in"
	case status.ProblemLimited:
		if p.RetryAt.IsZero() {
			return "too many tries; try again in a few minutes"
		}
		return "too many tries; try again at " + p.RetryAt.Local().Format("15:04:05")
	case status.ProblemDirectoryUnavailable:
		return "passwords cannot be checked right now; try again in a few minutes"
	case status.ProblemUnreachable:
		return fmt.Sprintf("can't reach %s (%s)", host, p.Details)
	case status.ProblemNotConfigured:
		return "no print server is set (" + p.Details + ")"
	case status.ProblemCertificate, status.ProblemCertificateExpired:
		return fmt.Sprintf("%s cannot prove that it is your print server; nothing was sent (%s)", host, p.Details)
	case status.ProblemClock:
		return "this computer's clock is wrong (" + p.Details + ")"
	case status.ProblemServer:
		return fmt.Sprintf("%s gave an unexpected answer (%s)", host, p.Details)
	case status.ProblemMethodOff:
		return "this way of signing in is not offered here"
	case status.ProblemMFARequired:
		return "a password alone is not enough for this account"
	case status.ProblemNoAccount:
		return "you are who you say, but nobody here; ask your IT team for an account"
	case status.ProblemConsentRequired:
		return "your IT team must approve Platen first (" + p.Details + ")"
	case status.ProblemDeviceBlocked:
		return "your organisation requires a managed device or browser (" + p.Details + ")"
	case status.ProblemTrustRefused:
		return "this computer could not vouch for you (" + p.Details + ")"
	case status.ProblemNoBrowser:
		return "no browser can be opened here (" + p.Details + ")"
	case status.ProblemProvider:
		return "the sign-in in the browser did not work (" + p.Details + ")"
	case status.ProblemProviderUnreachable:
		return "the sign-in service cannot be reached (" + p.Details + ")"
	case status.ProblemTimedOut:
		return "nobody finished in the browser in time; try again"
	case status.ProblemNone, status.ProblemInvalid, status.ProblemConfig:
	}
	return cmp.Or(p.Details, "it failed")
}
