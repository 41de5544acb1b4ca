package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) groups() *cobra.Command {
	cmd := group("group", "Look at the groups of directories: who is in them, and why")
	cmd.AddCommand(a.groupList(), a.groupShow(), a.groupWhy(), a.groupsOf())
	cmd.Long = cmd.Short + ".\n\nGROUP is the name of a group, SOURCE:NAME, its SID, or id:NUMBER. Whoever is in a group within a group is in both."
	return cmd
}

func (a *app) groupList() *cobra.Command {
	var in admin.GroupList
	cmd := &cobra.Command{
		Use: "list [PART]", Short: "List groups, all or those whose name has PART", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				in.Query = given[0]
			}
			list := []admin.Group{}
			if err := a.call(cmd.Context(), admin.VerbGroupList, in, &list); err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) {
				t := newTable(w, "ID", "NAME", "SOURCE")
				for _, g := range list {
					t.row(fmt.Sprint(g.ID), g.Name, g.Source)
				}
				t.flush()
			})
		},
	}
	cmd.Flags().StringVar(&in.Source, "source", "", "only groups of this directory")
	return cmd
}

func (a *app) groupShow() *cobra.Command {
	var in admin.GroupRef
	cmd := &cobra.Command{
		Use: "show GROUP", Short: "List who is in a group", Args: args("GROUP"),
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Group = given[0]
			var g admin.GroupDetails
			if err := a.call(cmd.Context(), admin.VerbGroupShow, in, &g); err != nil {
				return err
			}
			return a.print(g, func(w io.Writer) {
				fmt.Fprintf(w, "%s (id:%d, %s)\n", printable(g.Name), g.ID, g.Source)
				t := newTable(w, "KIND", "ID", "NAME", "MEMBER")
				for _, m := range g.Members {
					how := "directly"
					if !m.Direct {
						how = "by " + m.Via
					}
					if m.Disabled {
						how += ", disabled"
					}
					t.row(m.Kind, fmt.Sprint(m.ID), m.Name, how)
				}
				t.flush()
				if g.Unknown > 0 {
					fmt.Fprintf(w, "And %d members who are not here: computers, or people whom no synchronisation brings.\n", g.Unknown)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&in.Direct, "direct", false, "only members whom the group itself lists")
	return cmd
}

func (a *app) groupsOf() *cobra.Command {
	return &cobra.Command{
		Use: "of USERNAME", Short: "List the groups that a person is in", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			var list admin.GroupsOf
			if err := a.call(cmd.Context(), admin.VerbGroupsOf, admin.UserRef{User: given[0]}, &list); err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) {
				t := newTable(w, "ID", "NAME", "SOURCE", "MEMBER")
				for _, g := range list.Groups {
					how := "directly"
					if !g.Direct {
						how = "by " + path(g.Path[:len(g.Path)-1])
					}
					t.row(fmt.Sprint(g.ID), g.Name, g.Source, how)
				}
				t.flush()
			})
		},
	}
}

func (a *app) groupWhy() *cobra.Command {
	var in admin.GroupWhy
	cmd := &cobra.Command{
		Use: "why USERNAME GROUP", Short: "Say why a person is in a group", Args: args("USERNAME", "GROUP"),
		RunE: func(cmd *cobra.Command, given []string) error {
			in.User, in.Group = given[0], given[1]
			var r admin.GroupReason
			if err := a.call(cmd.Context(), admin.VerbGroupWhy, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { showReason(w, r) })
		},
	}
	cmd.Flags().IntVar(&in.Limit, "limit", 10, "show at most so many ways")
	return cmd
}

func showReason(w io.Writer, r admin.GroupReason) {
	if !r.In {
		fmt.Fprintf(w, "%s is not in %s.\n", printable(r.User.Username), printable(r.Group.Name))
		return
	}
	fmt.Fprintf(w, "%s is in %s:\n", printable(r.User.Username), printable(r.Group.Name))
	for _, p := range r.Paths {
		fmt.Fprintf(w, "  %s\n", printable(r.User.Username+" > "+path(p)))
	}
	if r.More {
		fmt.Fprintln(w, "There are more ways (--limit).")
	}
}

func path(groups []admin.Group) string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	return strings.Join(names, " > ")
}
