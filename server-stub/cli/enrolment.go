package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) enrolment() *cobra.Command {
	cmd := group("enrolment", "Tokens by which computers enrol")
	cmd.AddCommand(a.enrolmentCreate(), a.enrolmentList(), a.enrolmentRevoke())
	return cmd
}

func (a *app) enrolmentCreate() *cobra.Command {
	var in admin.EnrolmentCreate
	cmd := &cobra.Command{
		Use: "create", Short: "Make an enrolment token and show it, this once", Args: args(),
		Long: "Make an enrolment token and show it, this once.\n\nHand it to platen-deploy on its standard input or in a file that only root can read,\n" +
			"never on a command line: other people on the computer can see those.",
		Example: "  platen-server enrolment create --uses 30 --group lab\n" +
			"  platen-server enrolment create --campaign --group lab --network 10.20.0.0/16 --days 365",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var t admin.EnrolmentToken
			if err := a.call(cmd.Context(), admin.VerbEnrolmentCreate, in, &t); err != nil {
				return err
			}
			return a.print(t, func(w io.Writer) {
				fmt.Fprintln(w, t.Token)
				fmt.Fprintf(a.Err, "Token %s is good for %s until %s. It is not shown again.\n", printable(t.ID), printable(machines(t)), when(t.ExpiresAt))
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&in.Uses, "uses", 0, "how many computers may enrol by it (default 1; a campaign: any number)")
	f.IntVar(&in.Days, "days", 0, "how many days it is good for (default 3; up to 30, a campaign 400)")
	f.StringVar(&in.Group, "group", "", "the group of the computers, of device_groups in the configuration")
	f.StringArrayVar(&in.Networks, "network", nil, "only computers from this network, such as 10.20.0.0/16; may be given several times")
	f.BoolVar(&in.Campaign, "campaign", false, "for months: computers of one group and network, so many an hour")
	f.IntVar(&in.PerHour, "per-hour", 0, "how many computers may enrol by it in an hour (default 100 for a campaign)")
	f.StringVar(&in.Description, "description", "", "what it is for")
	return cmd
}

// machines says in words which computers may enrol by a token.
func machines(t admin.EnrolmentToken) string {
	text := fmt.Sprintf("%d computers", t.Uses)
	switch t.Uses {
	case 0:
		text = "any number of computers"
	case 1:
		text = "one computer"
	}
	if t.Networks != "" {
		text += " in " + t.Networks
	}
	if t.PerHour > 0 {
		text += fmt.Sprintf(", %d an hour,", t.PerHour)
	}
	return text + " of group " + t.Group
}

func (a *app) enrolmentList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the enrolment tokens, without their secrets", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var l admin.EnrolmentTokens
			if err := a.call(cmd.Context(), admin.VerbEnrolmentList, admin.Nothing{}, &l); err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) {
				t := newTable(w, "ID", "GROUP", "STATE", "USED", "NETWORKS", "UNTIL", "FOR")
				for _, x := range l.Tokens {
					used := fmt.Sprintf("%d of %d", x.Used, x.Uses)
					if x.Uses == 0 {
						used = fmt.Sprint(x.Used)
					}
					t.row(x.ID, x.Group, x.State, used, x.Networks, when(x.ExpiresAt), x.Description)
				}
				t.flush()
			})
		},
	}
}

func (a *app) enrolmentRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End an enrolment token; computers that enrolled by it stay", Args: args("ID"),
		ValidArgsFunction: a.completeTokens,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.call(cmd.Context(), admin.VerbEnrolmentRevoke, admin.EnrolmentRef{ID: given[0]}, &admin.Nothing{}); err != nil {
				return err
			}
			return a.print(map[string]string{"id": given[0], "state": "revoked"}, func(w io.Writer) {
				fmt.Fprintf(w, "Token %s is revoked.\n", printable(given[0]))
			})
		},
	}
}

// completeTokens completes the ids of tokens.
func (a *app) completeTokens(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	var l admin.EnrolmentTokens
	if len(given) > 0 || a.call(cmd.Context(), admin.VerbEnrolmentList, admin.Nothing{}, &l) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, t := range l.Tokens {
		ids = append(ids, t.ID+"\t"+printable(t.Group+" "+t.State+" "+t.Description))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
