package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/service"
)

func (a *app) serve() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --data DIR [--listen HOST:PORT] [--config FILE]",
		Short: "Run the server",
		Long: "Run the server until it is told to stop (SIGTERM, Ctrl-C). The first start makes the data folder, the master key, a certificate authority,\n" +
			"a certificate and the database. Clients need the CA's certificate, DIR/ca.pem, or its pin, which is printed.",
		Args: args(),
	}
	for _, f := range config.Flags() {
		cmd.Flags().String(f.Name, f.Default, f.Doc)
	}
	cmd.Flags().StringVar(&file, "config", a.Getenv("PLATEN_CONFIG"), "the configuration file (PLATEN_CONFIG)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("data") && a.Getenv("PLATEN_DATA") == "" { // the installed service's folder is its own
			return usage("say where the data lives: --data DIR, or set PLATEN_DATA")
		}
		flags := map[string]string{}
		for _, f := range config.Flags() {
			if cmd.Flags().Changed(f.Name) {
				flags[f.Key], _ = cmd.Flags().GetString(f.Name) // it is one: made above
			}
		}
		return service.Run(cmd.Context(), func(ctx context.Context, ready func()) error {
			return a.assembly.Serve(ctx, Serve{Data: a.data, Sources: config.Sources{Flags: flags, Getenv: a.Getenv, File: file}, Ready: ready}, a.Out, a.Err)
		})
	}
	return cmd
}

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the running server is",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s admin.Status
			if err := a.call(cmd.Context(), admin.VerbStatus, admin.Nothing{}, &s); err != nil {
				return err
			}
			err := a.print(s, func(w io.Writer) {
				fields(w, [][2]string{
					{"Version", s.Version},
					{"Running since", when(s.StartedAt)},
					{"Addresses", join(s.Addresses)},
					{"CA", s.CAFile},
					{"CA pin", s.CAPin},
					{"Computers enrol at", s.Devices},
					{"Database", s.Database},
					{"Users", fmt.Sprint(s.Users)},
					{"Open streams", fmt.Sprint(s.Streams)},
					{"Ledger", s.Ledger},
					{"Mail", s.Mail},
					{"Problem", s.Problem},
				})
				if s.Setup != "" {
					fmt.Fprintf(w, "Nobody looks after it yet: %s\n  or here: platen-server user add NAME --password-stdin, then platen-server user role NAME --grant owner\n", printable(s.Setup))
				}
				if s.Kept > 0 {
					fmt.Fprintf(w, "Not erased, for their balance: %s who left\n", plural(s.Kept, "one person", "people"))
				}
				for _, d := range s.Directories {
					fmt.Fprintf(w, "Directory %s: %s\n", printable(d.ID), printable(a.fresh(d)))
					for _, e := range d.Expiries {
						if e.Days <= 60 {
							fmt.Fprintf(w, "  renew %s: it ends %s, on %s\n", printable(e.What), inDays(e.Days), when(e.At))
						}
					}
				}
			})
			if err == nil && s.Problem != "" {
				return &silentError{}
			}
			return err
		},
	}
}

func (a *app) config() *cobra.Command {
	cmd := group("config", "The running server's configuration")
	var origin bool
	show := &cobra.Command{
		Use:   "show",
		Short: "Show every setting",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c admin.ConfigShow
			if err := a.call(cmd.Context(), admin.VerbConfigShow, admin.Nothing{}, &c); err != nil {
				return err
			}
			return a.print(c, func(w io.Writer) {
				t := newTable(w, "SETTING", "VALUE")
				if origin {
					t = newTable(w, "SETTING", "VALUE", "FROM")
				}
				for _, s := range c.Settings {
					row := []string{s.Key, s.Value}
					if origin {
						row = append(row, s.Origin)
					}
					t.row(row...)
				}
				t.flush()
			})
		},
	}
	show.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	cmd.AddCommand(show)
	return cmd
}

// group is a command that only has others below it.
func group(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short,
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) > 0 {
				return usage("there is no command %q; see platen-server %s --help", given[0], name)
			}
			return cmd.Help()
		},
	}
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
