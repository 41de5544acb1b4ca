package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) userRole() *cobra.Command {
	var in admin.UserRole
	cmd := &cobra.Command{
		Use: "role [USERNAME]", Short: "Show who may administer, and change it", Args: atMost(1),
		Long: `Show who may administer, and change it.

owner     everything, roles included; the first one ends the set-up
admin     everything but roles
helpdesk  looks after people
auditor   reads, and changes nothing`,
		Example: "  platen-server user role\n  platen-server user role alex@example.org --grant owner",
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				in.User = given[0]
			} else if len(in.Grant)+len(in.Revoke) > 0 {
				return usage("say whose role: platen-server user role USERNAME --grant ROLE")
			}
			var r admin.UserRoles
			if err := a.call(cmd.Context(), admin.VerbUserRole, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				t := newTable(w, "ID", "USERNAME", "ROLES")
				for _, u := range r.Users {
					list := strings.Join(u.Roles, ", ")
					if list == "" {
						list = "none"
					}
					t.row(fmt.Sprint(u.ID), u.Username, list)
				}
				t.flush()
			})
		},
	}
	cmd.Flags().StringArrayVar(&in.Grant, "grant", nil, "give this role; may be given several times")
	cmd.Flags().StringArrayVar(&in.Revoke, "revoke", nil, "take this role; may be given several times")
	return cmd
}
