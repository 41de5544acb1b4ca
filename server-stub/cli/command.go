package cli

import "github.com/spf13/cobra"

// Command is the program's command tree to be read: for manual pages and completions. It cannot run.
func Command() *cobra.Command {
	return (&app{Streams: Streams{Getenv: func(string) string { return "" }}}).root()
}
