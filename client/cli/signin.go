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
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// cancelTime is how long the resident may take to hear that a sign-in was interrupted.
const cancelTime = 2 * time.Second

func newSignIn(p *program) *cobra.Command {
	var username string
	var fromStdin, stay bool
	c := &cobra.Command{
		Use: "sign-in", Short: "Sign in at the print server", Args: cobra.NoArgs,
		Long: "Sign in at the print server. On a terminal it asks for what is missing. It ends when the first balance is there.",
		RunE: func(c *cobra.Command, _ []string) error {
			client, s, err := p.client(c.Context(), residentPatience)
			if err != nil {
				return err
			}
			action := status.Action{Kind: status.ActionSignIn, StaySignedIn: stay}
			if action.Username, err = p.askName(username, s.Prefill); err != nil {
				return err
			}
			if action.Password, err = p.askPassword(fromStdin); err != nil {
				return err
			}
			return p.signIn(c.Context(), client, action)
		},
	}
	c.Flags().StringVar(&username, "username", "", "the account: alex.test@example.org")
	c.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input; one newline at its end is taken off")
	c.Flags().BoolVar(&stay, "stay", false, "stay signed in on this computer")
	return c
}

func (p *program) signIn(ctx context.Context, client *ipc.Client, action status.Action) error {
	r, err := client.Do(ctx, action)
	if ctx.Err() != nil {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
		defer cancel()
		_, _ = client.Do(farewell, status.Action{Kind: status.ActionCancelSignIn})
		return &failure{exitFailed, "interrupted"}
	}
	if err != nil {
		return &failure{exitFailed, err.Error()}
	}
	if !r.OK {
		return p.outcome(r)
	}
	s, err := client.Snapshot(ctx)
	if err != nil {
		return &failure{exitFailed, err.Error()}
	}
	if p.json {
		return p.writeJSON(struct {
			OK bool `json:"ok"`
			shown
		}{true, shownOf(s)})
	}
	return p.sayStatus(s)
}

// askName returns the account: what was given, or what is typed at the prompt; an empty line takes the proposal.
func (p *program) askName(given, proposal string) (string, error) {
	if given != "" {
		return given, nil
	}
	if p.ReadPassword == nil {
		return "", &failure{exitUsage, "give the account: --username alex.test@example.org"}
	}
	prompt := "Account: "
	if proposal != "" {
		prompt = fmt.Sprintf("Account [%s]: ", proposal)
	}
	_, _ = io.WriteString(p.Stderr, prompt)
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", &failure{exitFailed, err.Error()}
	}
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if proposal == "" {
		return "", &failure{exitUsage, "an account is wanted"}
	}
	return proposal, nil
}

// askPassword reads the password, from standard input or unseen from the terminal.
func (p *program) askPassword(fromStdin bool) (secret.String, error) {
	if fromStdin {
		const newline = 2 // "\r\n"
		text, err := io.ReadAll(io.LimitReader(p.Stdin, api.MaxPassword+newline+1))
		if err != nil {
			return secret.String{}, &failure{exitFailed, "read the password: " + err.Error()}
		}
		return checkPassword(stripNewline(string(text)))
	}
	if p.ReadPassword == nil {
		return secret.String{}, &failure{exitUsage, "standard input is no terminal: use --password-stdin"}
	}
	_, _ = io.WriteString(p.Stderr, "Password: ")
	text, err := p.ReadPassword()
	_, _ = io.WriteString(p.Stderr, "\n")
	if err != nil {
		return secret.String{}, &failure{exitFailed, "read the password: " + err.Error()}
	}
	return checkPassword(text)
}

func checkPassword(text string) (secret.String, error) {
	switch {
	case text == "":
		return secret.String{}, &failure{exitUsage, "a password is wanted"}
	case len(text) > api.MaxPassword:
		return secret.String{}, &failure{exitUsage, fmt.Sprintf("a password has at most %d bytes", api.MaxPassword)}
	}
	return secret.New(text), nil
}

// stripNewline takes one newline off the end, of either kind.
func stripNewline(text string) string {
	before, found := strings.CutSuffix(text, "\n")
	if found {
		before = strings.TrimSuffix(before, "\r")
	}
	return before
}

func newSignOut(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "sign-out", Short: "Sign out, here and at the print server", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.do(c.Context(), status.Action{Kind: status.ActionSignOut})
			if err != nil {
				return err
			}
			return p.outcome(r)
		},
	}
}
