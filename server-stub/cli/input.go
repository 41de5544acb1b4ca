package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/platenprint/platen/internal/api"
)

// args checks the number of arguments and names them in the error.
func args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if len(given) != len(names) {
			wanted := cmp.Or(strings.Join(names, " "), "no arguments")
			return usage("%s takes %s; see platen-server %s --help", cmd.CommandPath(), wanted, strings.TrimPrefix(cmd.CommandPath(), "platen-server "))
		}
		return nil
	}
}

// atMost is args for arguments that may be left out.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if len(given) > n {
			return usage("%s does not take so many arguments", cmd.CommandPath())
		}
		return nil
	}
}

// isCobraUsage tells errors that cobra makes itself: an unknown command or flag, a missing one.
func isCobraUsage(err error) bool {
	for _, begin := range []string{"unknown command", "unknown flag", "unknown shorthand", "required flag", "flag needs", "invalid argument"} {
		if strings.HasPrefix(err.Error(), begin) {
			return true
		}
	}
	return false
}

// password reads a password from the standard input: one line, of which one line ending is stripped.
func (a *app) password() (string, error) { return a.line("password") }

// line is password for anything that is not shown: what says what it is.
func (a *app) line(what string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(a.In, 4<<10))
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", what, err)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case line == "":
		return "", usage("the %s is empty; write it to the standard input", what)
	case strings.ContainsAny(line, "\r\n"):
		return "", usage("the %s has more than one line", what)
	case len(line) > api.MaxPassword:
		return "", usage("the %s is longer than %d bytes", what, api.MaxPassword)
	}
	return line, nil
}

// confirm asks a person; without one, or in JSON, --yes must say it.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if a.json || !a.Terminal {
		return usage("%s Say --yes if you mean it", question)
	}
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(a.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read your answer: %w", err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
