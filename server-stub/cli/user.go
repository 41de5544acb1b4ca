package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) user() *cobra.Command {
	cmd := group("user", "Add, change and look after people")
	cmd.AddCommand(a.userAdd(), a.userImport(), a.userCredit(), a.userList(), a.userShow(), a.userSet(), a.userAlias(),
		a.userAct("disable", "Keep a person from signing in, and sign them out everywhere", admin.VerbUserDisable, "disabled"),
		a.userAct("enable", "Let a disabled person sign in again", admin.VerbUserEnable, "enabled"),
		a.userCard(), a.userCode(), a.userPIN(), a.userErase(), a.userSessions(), a.userRole(), a.userFreeName(), a.userProposals(), a.userResolve())
	cmd.Long = cmd.Short + ".\n\nUSERNAME is the username, another name that only that person has, or id:NUMBER."
	return cmd
}

func (a *app) userAdd() *cobra.Command {
	var in admin.UserAdd
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "add USERNAME", Short: "Add a local account", Args: args("USERNAME"),
		Example: "  platen-server user add alex@example.org --name \"Alex Test\" --password-stdin < password.txt",
		RunE: func(cmd *cobra.Command, given []string) (err error) {
			in.Username = given[0]
			if fromStdin {
				if in.Password, err = a.password(); err != nil {
					return err
				}
			}
			var u admin.UserAdded
			if err := a.call(cmd.Context(), admin.VerbUserAdd, in, &u); err != nil {
				return err
			}
			return a.print(u, func(w io.Writer) {
				fmt.Fprintf(w, "%s added (id:%d).\n", printable(u.Username), u.ID)
				if u.AccessCode != "" {
					fmt.Fprintf(w, "Access code: %s\n", u.AccessCode)
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.DisplayName, "name", "", "the person's name")
	f.StringVar(&in.Email, "email", "", "e-mail address")
	f.StringVar(&in.Department, "department", "", "department")
	f.StringVar(&in.Office, "office", "", "office")
	f.StringArrayVar(&in.Aliases, "alias", nil, "another name to sign in with; may be given several times")
	f.StringVar(&in.Overdraft, "overdraft", "", "how far the balance may go below zero, such as 5.00")
	f.BoolVar(&fromStdin, "password-stdin", false, "read the password from the standard input")
	return cmd
}

// changeUser asks for something that answers with the person, and says that it was done.
func (a *app) changeUser(cmd *cobra.Command, verb string, in any, done string) error {
	var u admin.User
	if err := a.call(cmd.Context(), verb, in, &u); err != nil {
		return err
	}
	return a.print(u, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s (id:%d).\n", printable(u.Username), done, u.ID)
	})
}

func (a *app) userCredit() *cobra.Command {
	var in admin.UserCredit
	cmd := &cobra.Command{
		Use: "credit USERNAME AMOUNT", Short: "Book a credit, or with a negative amount a debit", Args: args("USERNAME", "AMOUNT"),
		Example: "  platen-server user credit alex@example.org 20 --comment \"Cash desk\"\n  platen-server user credit alex@example.org -- -5.50",
		RunE: func(cmd *cobra.Command, given []string) error {
			in.User, in.Amount = given[0], given[1]
			if in.Key == "" {
				in.Key = "cli:" + strings.ToLower(rand.Text())
			}
			var r admin.Receipt
			err := a.call(cmd.Context(), admin.VerbUserCredit, in, &r)
			if errors.Is(err, admin.ErrUnknownOutcome) {
				return fmt.Errorf("%w: whether it was booked is not known; ask again with --key %s, which books it once at most", err, in.Key)
			}
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s %s %s, balance %s %s (no. %d).\n", printable(r.User), r.Kind, r.Amount, r.Currency, r.Balance, r.Currency, r.Seq)
			})
		},
	}
	cmd.Flags().StringVar(&in.Comment, "comment", "", "what it is for; the person sees it")
	cmd.Flags().StringVar(&in.Key, "key", "", "an idempotency key: with the same key it is booked once")
	return cmd
}

func (a *app) userList() *cobra.Command {
	var in admin.UserList
	var source string
	cmd := &cobra.Command{
		Use: "list [PART]", Short: "List people, all or those whose name or e-mail has PART", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				in.Query = given[0]
			}
			if cmd.Flags().Changed("source") {
				in.Source = &source
			}
			list, err := a.allUsers(cmd, in)
			if err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) {
				t := newTable(w, "ID", "USERNAME", "NAME", "SOURCE", "STATE", "BALANCE")
				for _, u := range list.Users {
					t.row(fmt.Sprint(u.ID), u.Username, u.DisplayName, u.Source, u.State, u.Balance)
				}
				t.flush()
				if list.More {
					fmt.Fprintln(a.Err, "There are more.")
				}
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "only people of this directory, or local")
	cmd.Flags().BoolVar(&in.Deleted, "deleted", false, "also people whom their directory does not list any more")
	cmd.Flags().IntVar(&in.Limit, "limit", 0, "at most so many, 0 for all")
	return cmd
}

// allUsers asks page by page.
func (a *app) allUsers(cmd *cobra.Command, in admin.UserList) (admin.Users, error) {
	all := admin.Users{Users: []admin.User{}}
	wanted := in.Limit
	for {
		if wanted > 0 {
			in.Limit = min(wanted-len(all.Users), admin.MaxList)
		}
		var page admin.Users
		if err := a.call(cmd.Context(), admin.VerbUserList, in, &page); err != nil {
			return all, err
		}
		all.Users, all.More = append(all.Users, page.Users...), page.More
		if !page.More || wanted > 0 && len(all.Users) >= wanted {
			return all, nil
		}
		in.After = page.Users[len(page.Users)-1].ID
	}
}

func (a *app) userShow() *cobra.Command {
	return &cobra.Command{
		Use: "show USERNAME", Short: "Show everything about a person", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			var u admin.UserDetails
			if err := a.call(cmd.Context(), admin.VerbUserShow, admin.UserRef{User: given[0]}, &u); err != nil {
				return err
			}
			return a.print(u, func(w io.Writer) { showUser(w, u) })
		},
	}
}

func showUser(w io.Writer, u admin.UserDetails) {
	password := "none here"
	if u.HasPassword {
		password = "set"
	}
	deleted := ""
	if u.DeletedAt != nil {
		deleted = when(*u.DeletedAt)
	}
	fields(w, [][2]string{
		{"ID", fmt.Sprint(u.ID)},
		{"Username", u.Username},
		{"Name", u.DisplayName},
		{"E-mail", u.Email},
		{"Department", u.Department},
		{"Office", u.Office},
		{"Source", u.Source},
		{"State", u.State},
		{"Deleted", deleted},
		{"Local password", password},
		{"Balance", u.Balance},
		{"Held", u.Held},
		{"Overdraft", u.Overdraft},
		{"Created", when(u.CreatedAt)},
	})
	fmt.Fprintln(w)
	t := newTable(w, "NAME", "KIND", "DOMAIN", "SOURCE", "UNTIL")
	for _, n := range u.Names {
		until := ""
		if n.Until != nil {
			until = when(*n.Until)
		}
		t.row(n.Name, n.Kind, n.Domain, n.Source, until)
	}
	t.flush()
	if len(u.Credentials) > 0 {
		fmt.Fprintln(w)
		t = newTable(w, "ID", "CARD OR CODE", "FROM", "SINCE", "REMARK")
		for _, c := range u.Credentials {
			what, remark := c.Kind, c.Weak
			if c.Ending != "" {
				what += " ..." + c.Ending
			}
			if c.WithPIN {
				remark += "; only with PIN"
			}
			t.row(fmt.Sprint(c.ID), what, origin(c.Origin, c.Source), when(c.Since), remark)
		}
		t.flush()
	}
	if len(u.Identities) > 0 {
		fmt.Fprintln(w)
		t = newTable(w, "DIRECTORY", "KIND", "ID")
		for _, i := range u.Identities {
			t.row(i.Source, i.Kind, i.ID)
		}
		t.flush()
	}
	if len(u.Sessions) > 0 {
		fmt.Fprintln(w)
		showSessions(w, u.Sessions)
	}
}

func showSessions(w io.Writer, list []admin.Session) {
	t := newTable(w, "SESSION", "CLIENT", "COMPUTER", "ADDRESS", "SINCE", "LAST SEEN")
	for _, s := range list {
		t.row(s.ID, s.Client, s.Host, s.Address, when(s.CreatedAt), when(s.LastSeenAt))
	}
	t.flush()
}

func (a *app) userSet() *cobra.Command {
	var username, name, email, department, office, overdraft string
	var fromStdin, noPassword bool
	cmd := &cobra.Command{Use: "set USERNAME", Short: "Change a person", Args: args("USERNAME")}
	f := cmd.Flags()
	f.StringVar(&username, "username", "", "another username; the old one stays as an alias")
	f.StringVar(&name, "name", "", "the person's name")
	f.StringVar(&email, "email", "", "e-mail address, empty to remove it")
	f.StringVar(&department, "department", "", "department")
	f.StringVar(&office, "office", "", "office")
	f.StringVar(&overdraft, "overdraft", "", "how far the balance may go below zero")
	f.BoolVar(&fromStdin, "password-stdin", false, "read a new password from the standard input")
	f.BoolVar(&noPassword, "no-password", false, "remove the local password")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in := admin.UserSet{User: given[0]}
		changed := 0
		for flag, to := range map[string]struct {
			value *string
			field **string
		}{
			"username": {&username, &in.Username}, "name": {&name, &in.DisplayName}, "email": {&email, &in.Email},
			"department": {&department, &in.Department}, "office": {&office, &in.Office}, "overdraft": {&overdraft, &in.Overdraft},
		} {
			if f.Changed(flag) {
				*to.field = to.value
				changed++
			}
		}
		if fromStdin && noPassword {
			return usage("--password-stdin and --no-password exclude each other")
		}
		if fromStdin || noPassword {
			password := ""
			if fromStdin {
				var err error
				if password, err = a.password(); err != nil {
					return err
				}
			}
			in.Password = &password
			changed++
		}
		if changed == 0 {
			return usage("say what to change; see platen-server user set --help")
		}
		return a.changeUser(cmd, admin.VerbUserSet, in, "changed")
	}
	return cmd
}

func (a *app) userAlias() *cobra.Command {
	var in admin.UserAlias
	cmd := &cobra.Command{
		Use: "alias USERNAME ALIAS", Short: "Give a person another name to sign in with", Args: args("USERNAME", "ALIAS"),
		RunE: func(cmd *cobra.Command, given []string) error {
			in.User, in.Alias = given[0], given[1]
			done := "has the alias " + printable(in.Alias)
			if in.Remove {
				done = "lost the alias " + printable(in.Alias)
			}
			return a.changeUser(cmd, admin.VerbUserAlias, in, done)
		},
	}
	cmd.Flags().BoolVar(&in.Remove, "remove", false, "take the alias away")
	return cmd
}

func (a *app) userAct(name, short, verb, done string) *cobra.Command {
	return &cobra.Command{
		Use: name + " USERNAME", Short: short, Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.changeUser(cmd, verb, admin.UserRef{User: given[0]}, done)
		},
	}
}

func (a *app) userErase() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "erase USERNAME", Short: "Remove who a person was, for good; amounts and the ledger's chain stay", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.confirm(yes, fmt.Sprintf("Erasing %s cannot be undone.", printable(given[0]))); err != nil {
				return err
			}
			var out admin.Nothing
			if err := a.call(cmd.Context(), admin.VerbUserErase, admin.UserRef{User: given[0]}, &out); err != nil {
				return err
			}
			return a.print(out, func(w io.Writer) { fmt.Fprintf(w, "%s erased.\n", printable(given[0])) })
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) userSessions() *cobra.Command {
	var in admin.SessionRevoke
	cmd := &cobra.Command{
		Use: "sessions USERNAME", Short: "List where a person is signed in, or end it", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if in.User = given[0]; in.ID == "" && !in.All {
				list := []admin.Session{}
				if err := a.call(cmd.Context(), admin.VerbUserSessions, admin.UserRef{User: in.User}, &list); err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) { showSessions(w, list) })
			}
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbSessionRevoke, in, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintf(w, "%d ended.\n", n.Count) })
		},
	}
	cmd.Flags().StringVar(&in.ID, "revoke", "", "end this session")
	cmd.Flags().BoolVar(&in.All, "revoke-all", false, "end all of them")
	cmd.MarkFlagsMutuallyExclusive("revoke", "revoke-all")
	return cmd
}

func (a *app) userFreeName() *cobra.Command {
	return &cobra.Command{
		Use: "free-name NAME", Short: "Let a name that is kept for its former holder be given to somebody else", Args: args("NAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbNameFree, admin.NameFree{Name: given[0]}, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintf(w, "%s is free.\n", printable(given[0])) })
		},
	}
}

func (a *app) userProposals() *cobra.Command {
	var in admin.Decide
	var drop bool
	cmd := &cobra.Command{
		Use: "proposals [USERNAME NAME --accept|--drop]", Short: "List the names that computers call people by and that wait for you, or decide on one",
		Long: "With `sign_in.link: review` the short name of a computer's account is not linked to the person who signed in with it, but waits here.",
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 && !in.Accept && !drop {
				list := []admin.Proposal{}
				if err := a.call(cmd.Context(), admin.VerbProposals, admin.Nothing{}, &list); err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) {
					t := newTable(w, "USER", "USERNAME", "NAME", "DOMAIN", "SINCE")
					for _, p := range list {
						t.row(p.User, p.Username, p.Name, p.Domain, when(p.At))
					}
					t.flush()
				})
			}
			if len(given) != 2 || in.Accept == drop {
				return usage("to decide, say USERNAME NAME and either --accept or --drop")
			}
			in.User, in.Name = given[0], given[1]
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbDecide, in, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintf(w, "%d decided.\n", n.Count) })
		},
	}
	cmd.Flags().BoolVar(&in.Accept, "accept", false, "the name is theirs")
	cmd.Flags().BoolVar(&drop, "drop", false, "it is not")
	return cmd
}

func (a *app) userImport() *cobra.Command {
	var in admin.UserImport
	var yes bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Add and change people from a file: all of it or nothing", Args: args("FILE"),
		Long: "Add and change people from a file: all of it or nothing. What it would do is shown before it is done.\n\n" +
			"The file is ours (the first line names the columns: username, display_name, email, department, office, aliases, cards, access_code,\n" +
			"pin, password, overdraft, balance, disabled) or PaperCut's tab-delimited batch import. An empty column changes nothing, so a file can be imported again.",
		RunE: func(cmd *cobra.Command, given []string) (err error) {
			if in.File, err = readImport(given[0]); err != nil {
				return err
			}
			onlyPreview := in.Preview
			in.Preview = true
			var preview admin.Imported
			if err := a.call(cmd.Context(), admin.VerbUserImport, in, &preview); err != nil {
				return err
			}
			if onlyPreview {
				return a.print(preview, func(w io.Writer) { showImport(w, preview) })
			}
			if !a.json && !yes {
				showImport(a.Out, preview)
			}
			if err := a.confirm(yes, "Import this?"); err != nil {
				return err
			}
			in.Preview = false
			var done admin.Imported
			if err := a.call(cmd.Context(), admin.VerbUserImport, in, &done); err != nil {
				return err
			}
			return a.print(done, func(w io.Writer) { showImport(w, done) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Format, "format", "", "csv, papercut or papercut-internal; recognised when not given")
	f.BoolVar(&in.UpdateOnly, "update-only", false, "skip people who do not exist instead of adding them")
	f.BoolVar(&in.Welcome, "welcome", false, "send the welcome mail to people who are added, with their access code")
	f.BoolVar(&in.Preview, "preview", false, "only show what it would do")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func readImport(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("read the file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<20+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if len(text) > 64<<20 {
		return nil, usage("%s is larger than 64 MiB; split it", name)
	}
	return text, nil
}

// shownLines is how many lines of an import people see.
const shownLines = 20

func showImport(w io.Writer, r admin.Imported) {
	t := newTable(w, "LINE", "USERNAME", "ACTION", "WHAT")
	shown := 0
	for _, l := range r.Lines {
		if l.Action == "unchanged" {
			continue
		}
		if shown++; shown > shownLines {
			t.row("...", fmt.Sprintf("and more: %d lines in all (--json shows each)", len(r.Lines)))
			break
		}
		what := join(l.Fields)
		if l.Note != "" {
			what += "; " + l.Note
		}
		t.row(fmt.Sprint(l.Line), l.Username, l.Action, strings.TrimPrefix(what, "; "))
	}
	t.flush()
	verb := "Done"
	if r.Preview {
		verb = "Preview"
	}
	fmt.Fprintf(w, "%s (%s): %d added, %d changed, %d unchanged, %d skipped, %d balances booked.\n", verb, r.Format, r.Created, r.Updated, r.Unchanged, r.Skipped, r.Booked)
	if len(r.Ignored) > 0 {
		fmt.Fprintf(w, "Not imported: %s.\n", join(r.Ignored))
	}
}
