package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/entra"
)

func (a *app) entraDirectory() *cobra.Command {
	var o entra.DirectoryOptions
	cmd := &cobra.Command{
		Use:   "directory [--tenant ID] [--no-groups] [--expiry]",
		Short: "Write the application registration that reads a tenant's people as commands and JSON",
		Long: "Write the application registration with which sync add entra reads the people of a tenant, as commands of the Azure CLI or (with\n" +
			"--json) as a body for Microsoft Graph. It asks for the least permissions that do, and changes nothing by itself.",
		Args: args(),
		RunE: func(*cobra.Command, []string) error {
			p, err := entra.NewDirectoryPlan(o)
			if err != nil {
				return usage("%w", err)
			}
			return a.print(p, func(w io.Writer) { writeDirectoryPlan(w, p) })
		},
	}
	cmd.Flags().StringVar(&o.Tenant, "tenant", "", "the tenant's id")
	cmd.Flags().StringVar(&o.Authority, "authority", "", "the cloud the tenant is in (default https://login.microsoftonline.com)")
	cmd.Flags().StringVar(&o.Name, "name", "", "what the registration is called (default Platen directory)")
	cmd.Flags().BoolVar(&o.NoGroups, "no-groups", false, "people only: one permission less")
	cmd.Flags().BoolVar(&o.Expiry, "expiry", false, "let it also read when its secret ends, to warn before: one permission more")
	return cmd
}

func writeDirectoryPlan(w io.Writer, p entra.DirectoryPlan) {
	fmt.Fprintln(w, "# An application registration that reads the tenant, to be made in a POSIX shell with the Azure CLI (az).")
	fmt.Fprintln(w, "# Read it first. It asks for these application permissions of Microsoft Graph, and no others:")
	for _, permission := range p.Permissions {
		fmt.Fprintf(w, "#   %-22s %s\n", permission.Name, permission.For)
	}
	for i, s := range p.Steps {
		fmt.Fprintf(w, "\n# %d. %s\n", i+1, s.Title)
		for _, c := range s.Commands {
			fmt.Fprintln(w, c)
		}
	}
	fmt.Fprintf(w, "\n# %d. A Privileged Role Administrator consents once, in a browser, with the id put in:\n#    %s\n", len(p.Steps)+1, p.Consent)
	fmt.Fprintf(w, "\n# %d. On the server, with the id put in:\n%s\n", len(p.Steps)+2, p.Add)
}
