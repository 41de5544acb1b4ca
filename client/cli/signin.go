package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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

// wanted is what a person wants of a sign-in.
type wanted struct {
	method, provider, username string
	fromStdin, stay, choose    bool
}

func newSignIn(p *program) *cobra.Command {
	var w wanted
	c := &cobra.Command{
		Use: "sign-in", Short: "Sign in at the print server", Args: cobra.NoArgs,
		Long: `Sign in at the print server, in the best way that works here unless --method names one. On a terminal it asks for what is
missing; a browser opens where one is needed. It ends when the first balance is there.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := w.check(); err != nil {
				return err
			}
			client, s, err := p.client(c.Context(), residentPatience)
			if err != nil {
				return err
			}
			action, err := p.action(w, s)
			if err != nil {
				return err
			}
			return p.signIn(c.Context(), client, action, s)
		},
	}
	c.Flags().StringVar(&w.method, "method", "", "how: "+strings.Join(signInMethods(), ", ")+"; not given: the best that works here")
	c.Flags().StringVar(&w.provider, "provider", "", "with --method browser: the identity provider, by its id")
	c.Flags().StringVar(&w.username, "username", "", "the account: alex.test@example.org")
	c.Flags().BoolVar(&w.fromStdin, "password-stdin", false, "read the password from standard input; one newline at its end is taken off")
	c.Flags().BoolVar(&w.choose, "choose-account", false, "let the browser ask which account")
	c.Flags().BoolVar(&w.stay, "stay", false, "stay signed in on this computer")
	_ = c.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(signInMethods(), cobra.ShellCompDirectiveNoFileComp)) // fails for unknown flags only
	return c
}

func signInMethods() []string {
	return []string{string(status.MethodMicrosoft), string(status.MethodBrowser), string(status.MethodTrust), string(status.MethodPrompt)}
}

// check tells whether the flags fit together.
func (w *wanted) check() error {
	if w.method == "" && w.provider != "" {
		w.method = string(status.MethodBrowser)
	}
	if w.method == "" && w.fromStdin {
		w.method = string(status.MethodPrompt)
	}
	prompt := w.method == string(status.MethodPrompt)
	browses := w.method == "" || w.method == string(status.MethodMicrosoft) || w.method == string(status.MethodBrowser)
	switch {
	case w.method != "" && !slices.Contains(signInMethods(), w.method):
		return &failure{exitUsage, fmt.Sprintf("%q is no way of signing in; there are %s", w.method, strings.Join(signInMethods(), ", "))}
	case w.fromStdin && !prompt:
		return &failure{exitUsage, "a password is for --method prompt only"}
	case w.provider != "" && w.method != string(status.MethodBrowser):
		return &failure{exitUsage, "--provider is for --method browser only"}
	case w.choose && !browses:
		return &failure{exitUsage, "--choose-account is for --method microsoft and browser only"}
	}
	return nil
}

// action is what the resident is asked for. s tells what works here.
func (p *program) action(w wanted, s status.Snapshot) (status.Action, error) {
	a := status.Action{
		Kind: status.ActionSignIn, Method: status.Method(w.method), Provider: w.provider, OtherAccount: w.choose, StaySignedIn: w.stay,
		Username: w.username,
	}
	if a.Method == "" && len(s.Offers) > 0 {
		a.Method, a.Provider = s.Offers[0].Method, s.Offers[0].Provider
	}
	switch a.Method {
	case status.MethodMicrosoft, status.MethodBrowser:
		return a, nil
	case status.MethodTrust:
		a.Username = ""
		return a, nil
	case status.MethodPrompt, "":
	}
	a.OtherAccount = false
	var err error
	if a.Username, err = p.askName(w.username, s.Prefill); err != nil {
		return a, err
	}
	a.Password, err = p.askPassword(w.fromStdin)
	return a, err
}

func (p *program) signIn(ctx context.Context, client *ipc.Client, action status.Action, before status.Snapshot) error {
	watching, stop := context.WithCancel(ctx)
	watched := make(chan *failure, 1)
	go func() { watched <- p.accompany(watching, client, action, before) }()
	r, err := client.Do(ctx, action)
	stop()
	because := <-watched
	switch {
	case ctx.Err() != nil:
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
		defer cancel()
		_, _ = client.Do(farewell, status.Action{Kind: status.ActionCancelSignIn})
		return &failure{exitFailed, "interrupted"}
	case because != nil:
		return because
	case err != nil:
		return &failure{exitFailed, err.Error()}
	case !r.OK:
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

// accompany tells how a sign-in in the browser goes on, and asks whether to go on as somebody else than expected. The
// failure says why it was given up; nil: it was not.
func (p *program) accompany(ctx context.Context, client *ipc.Client, action status.Action, before status.Snapshot) *failure {
	if action.Method != status.MethodMicrosoft && action.Method != status.MethodBrowser {
		return nil
	}
	var because *failure
	said := false
	wait := func(s status.Snapshot) {
		if s.Browsing.Waiting && s.Browsing.Method == action.Method && !said {
			said = true
			_, _ = io.WriteString(p.Stderr, "Finish in your browser.\n")
		}
	}
	wait(before)                                                     // another program may have begun it
	_ = client.Watch(ctx, before.Seq, func(s status.Snapshot) bool { // it ends with the sign-in
		wait(s)
		if s.Browsing.Confirm == "" {
			return true
		}
		if because = p.confirm(s.Browsing.Confirm); because != nil {
			_, _ = client.Do(ctx, status.Action{Kind: status.ActionCancelSignIn})
			return false
		}
		_, _ = client.Do(ctx, status.Action{Kind: status.ActionContinue}) // the sign-in itself tells how it went
		return false
	})
	return because
}

// confirm asks whether somebody else than expected is to be signed in. The failure says why not.
func (p *program) confirm(name string) *failure {
	name = strings.Join(strings.Fields(name), " ") // one line, whatever a provider calls people
	if p.ReadPassword == nil {
		return &failure{exitSignedOut, "you signed in as " + name + ", who was not expected here; use --choose-account"}
	}
	_, _ = fmt.Fprintf(p.Stderr, "You signed in as %s. Continue? [y/N] ", name)
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 1<<10)).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return &failure{exitSignedOut, "nobody was signed in"}
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
			_, before, err := p.client(c.Context(), residentPatience)
			if err != nil {
				return err
			}
			r, err := p.do(c.Context(), status.Action{Kind: status.ActionSignOut})
			if err != nil {
				return err
			}
			if r.OK && before.Shared && before.InBrowser {
				_, _ = io.WriteString(p.Stderr, "Close the browser too.\n")
			}
			return p.outcome(r)
		},
	}
}
