package cli

import (
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/egress"
	"github.com/platenprint/platen/server-stub/entra"
)

// entra has the commands about Microsoft Entra ID. They need no running server.
func (a *app) entra() *cobra.Command {
	cmd := group("entra", "Set Microsoft Entra ID up for Platen, and look at it")
	cmd.AddCommand(a.entraSetup(), a.entraDirectory(), a.entraCheck())
	return cmd
}

// microsoft reads the block of the configuration file; nil without one.
func (a *app) microsoft(file string) (*config.Config, error) {
	if file == "" {
		return &config.Config{}, nil
	}
	return config.Load(config.Sources{Getenv: a.Getenv, File: file})
}

func (a *app) entraSetup() *cobra.Command {
	var o entra.Options
	var file string
	cmd := &cobra.Command{
		Use:   "setup [--tenant ID] [--public-url URL] [--passwords]",
		Short: "Write the two application registrations as commands and JSON",
		Long: "Write the two application registrations that Platen needs, as commands of the Azure CLI or (with --json) as bodies for Microsoft Graph,\n" +
			"and name the one step that an administrator of the tenant must take. It changes nothing by itself.",
		Args: args(),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.microsoft(file)
			if err != nil {
				return err
			}
			if m := c.Microsoft; m != nil {
				o.Tenant, o.Authority, o.Passwords = first(o.Tenant, m.Tenant), first(o.Authority, m.Authority), o.Passwords || m.Passwords
			}
			if c.PublicURL != nil {
				o.PublicURL = first(o.PublicURL, c.PublicURL.String())
			}
			o.AdminURL = adminURL(c.AdminListen)
			p, err := entra.NewPlan(o)
			if err != nil {
				return usage("%w", err)
			}
			return a.print(p, func(w io.Writer) { writePlan(w, p) })
		},
	}
	cmd.Flags().StringVar(&o.Tenant, "tenant", "", "the tenant's id")
	cmd.Flags().StringVar(&o.PublicURL, "public-url", "", "how people reach the server, https://...")
	cmd.Flags().StringVar(&o.Authority, "authority", "", "the cloud the tenant is in (default https://login.microsoftonline.com)")
	cmd.Flags().StringVar(&o.Name, "name", "", "what the registrations are called (default Platen)")
	cmd.Flags().BoolVar(&o.Passwords, "passwords", false, "let people sign in by account and password too; works without multi-factor authentication only")
	cmd.Flags().StringVar(&file, "config", a.Getenv("PLATEN_CONFIG"), "the configuration file to take the above from (PLATEN_CONFIG)")
	return cmd
}

// adminURL is how a browser on the server reaches the administrators' pages.
func adminURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return "https://" + net.JoinHostPort(host, port)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func writePlan(w io.Writer, p entra.Plan) {
	fmt.Fprintln(w, "# Two application registrations, to be made in a POSIX shell with the Azure CLI (az).")
	fmt.Fprintln(w, "# Read them first. As bodies for Microsoft Graph: platen-server entra setup --json")
	for i, s := range p.Steps {
		fmt.Fprintf(w, "\n# %d. %s\n", i+1, s.Title)
		for _, c := range s.Commands {
			fmt.Fprintln(w, c)
		}
	}
	fmt.Fprintf(w, "\n# %d. An administrator of the tenant consents once for everybody, in a browser, with both ids put in:\n", len(p.Steps)+1)
	for _, u := range p.Consent {
		fmt.Fprintln(w, "#    "+u)
	}
	fmt.Fprintf(w, "\n# %d. Into the server's configuration:\n%s", len(p.Steps)+2, p.Config)
	fmt.Fprintf(w, "\n# %d. Then look at it: platen-server entra check --config FILE\n\n# Not needed:\n", len(p.Steps)+3)
	for _, n := range p.NotNeeded {
		fmt.Fprintln(w, "#   - "+n)
	}
}

func (a *app) entraCheck() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Look at the tenant and the registrations as far as that works without rights in it",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usage("say which configuration: --config FILE, or set PLATEN_CONFIG")
			}
			c, err := a.microsoft(file)
			if err != nil {
				return err
			}
			m := c.Microsoft
			if m == nil {
				return usage("%s has no block microsoft:; platen-server entra setup says what belongs there", file)
			}
			client, err := egress.New(egress.Options{Configured: []string{m.Authority}, CAFile: m.CAFile})
			if err != nil {
				return err
			}
			defer client.CloseIdleConnections()
			r := entra.Check(cmd.Context(), m, client, clock.System)
			if err := a.print(r, func(w io.Writer) { writeReport(w, r) }); err != nil {
				return err
			}
			if !r.Right() {
				return &silentError{}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", a.Getenv("PLATEN_CONFIG"), "the configuration file (PLATEN_CONFIG)")
	return cmd
}

func writeReport(w io.Writer, r entra.Report) {
	t := newTable(w, "CHECK", "", "WHAT WAS FOUND")
	for _, f := range r.Findings {
		t.row(f.Check, string(f.Outcome), f.Detail)
	}
	t.flush()
	fmt.Fprintln(w, "\nCannot be checked from outside; the first sign-in shows it:")
	for _, u := range r.Unknown {
		fmt.Fprintln(w, "  - "+u)
	}
}
