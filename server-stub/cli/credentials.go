package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) userCard() *cobra.Command {
	cmd := group("card", "Show, add and remove a person's cards")
	cmd.Long = cmd.Short + ".\n\nA card is what a reader at a device gives of it: a number, usually. Spaces, hyphens, colons and dots do not matter, nor do\n" +
		"capital and small letters; leading zeros do. Cards that a directory gives are changed there."
	cmd.AddCommand(a.userCardList(), a.userCardAdd(), a.userCardRemove())
	return cmd
}

func (a *app) userCardList() *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use: "list USERNAME", Short: "Show a person's cards", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.cards(cmd, admin.UserCard{User: given[0], Reveal: reveal}, "")
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "show the whole numbers, where they are kept (cards: {keep: reveal}); it is written to the audit log")
	return cmd
}

func (a *app) userCardAdd() *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "add USERNAME [NUMBER]", Short: "Give a person another card", Args: atMost(2),
		Example: "  platen-server user card add alex@example.org 04:A2:3B:91\n  platen-server user card add alex@example.org --stdin < number.txt",
		RunE: func(cmd *cobra.Command, given []string) error {
			number, err := a.valueOf(given, fromStdin, "user card add USERNAME NUMBER")
			if err != nil {
				return err
			}
			return a.cards(cmd, admin.UserCard{User: given[0], Add: number}, "The card was added.")
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "stdin", false, "read the number from the standard input")
	return cmd
}

func (a *app) userCardRemove() *cobra.Command {
	var id int64
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "remove USERNAME [NUMBER]", Short: "Take a card away: it stops working at once", Args: atMost(2),
		Example: "  platen-server user card remove alex@example.org --id 17",
		RunE: func(cmd *cobra.Command, given []string) (err error) {
			in := admin.UserCard{ID: id}
			if id == 0 {
				if in.Remove, err = a.valueOf(given, fromStdin, "user card remove USERNAME NUMBER, or --id ID"); err != nil {
					return err
				}
			} else if len(given) != 1 {
				return usage("say whose card: platen-server user card remove USERNAME --id ID")
			}
			in.User = given[0]
			return a.cards(cmd, in, "The card was removed.")
		},
	}
	cmd.Flags().Int64Var(&id, "id", 0, "the card with this id (user card list) instead of its number")
	cmd.Flags().BoolVar(&fromStdin, "stdin", false, "read the number from the standard input")
	return cmd
}

// valueOf takes USERNAME VALUE, or with fromStdin USERNAME and the value from the standard input.
func (a *app) valueOf(given []string, fromStdin bool, how string) (string, error) {
	switch {
	case fromStdin && len(given) == 1:
		return a.line("number")
	case !fromStdin && len(given) == 2:
		return given[1], nil
	}
	return "", usage("write platen-server %s", how)
}

// cards asks for something that answers with a person's cards.
func (a *app) cards(cmd *cobra.Command, in admin.UserCard, done string) error {
	var r admin.Credentials
	if err := a.call(cmd.Context(), admin.VerbUserCard, in, &r); err != nil {
		return err
	}
	return a.print(r, func(w io.Writer) {
		if done != "" {
			fmt.Fprintln(w, done)
		}
		writeCredentials(w, r, "has no card", in.Reveal, "cards: {keep: reveal}")
	})
}

// writeCredentials shows a person's cards or codes.
func writeCredentials(w io.Writer, r admin.Credentials, none string, reveal bool, setting string) {
	if len(r.Credentials) == 0 {
		fmt.Fprintf(w, "%s %s.\n", printable(r.Username), none)
		return
	}
	t := newTable(w, "ID", "VALUE", "FROM", "SINCE", "REMARK")
	missing := false
	for _, c := range r.Credentials {
		value := c.Value
		if value == "" {
			value = "not shown"
			if c.Ending != "" {
				value = "..." + c.Ending
			}
			missing = missing || reveal
		}
		remark := c.Weak
		if c.WithPIN {
			remark = strings.TrimPrefix(remark+"; only with PIN", "; ")
		}
		t.row(fmt.Sprint(c.ID), value, origin(c.Origin, c.Source), when(c.Since), remark)
	}
	t.flush()
	if missing && !r.Kept {
		fmt.Fprintf(w, "Values are not kept, so they cannot be shown. To keep those that come from now on: %s\n", setting)
	}
}

// origin says where a credential came from.
func origin(origin, source string) string {
	switch origin {
	case "source":
		return "directory " + source
	case "generated":
		return "made here"
	case "admin":
		return "administrator"
	case "self":
		return "the person"
	}
	return origin
}

func (a *app) userCode() *cobra.Command {
	cmd := group("code", "Show a person's access code, and make a new one")
	code := func(use, short, do, yesText string) *cobra.Command {
		var yes bool
		c := &cobra.Command{
			Use: use + " USERNAME", Short: short, Args: args("USERNAME"),
			RunE: func(cmd *cobra.Command, given []string) error {
				if yesText != "" {
					if err := a.confirm(yes, yesText); err != nil {
						return err
					}
				}
				return a.code(cmd, admin.UserCode{User: given[0], Do: do})
			},
		}
		if yesText != "" {
			c.Flags().BoolVar(&yes, "yes", false, "do not ask")
		}
		return c
	}
	set := &cobra.Command{
		Use: "set USERNAME", Short: "Give a person a code of your choice, read from the standard input", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			text, err := a.line("code")
			if err != nil {
				return err
			}
			return a.code(cmd, admin.UserCode{User: given[0], Do: admin.CodeSet, Code: text})
		},
	}
	cmd.AddCommand(
		code("show", "Show a person's access codes, where they are kept; it is written to the audit log", admin.CodeShow, ""),
		code("new", "Make a new code; the ones before stop working at once, and the person is told by mail", admin.CodeNew, "The present code stops working. Make a new one?"),
		set,
		code("clear", "End a person's codes; where everybody has one, a new one is made at once", admin.CodeClear, "The present code stops working. Go on?"))
	return cmd
}

// code asks for something that answers with a person's codes.
func (a *app) code(cmd *cobra.Command, in admin.UserCode) error {
	var r admin.UserCodes
	if err := a.call(cmd.Context(), admin.VerbUserCode, in, &r); err != nil {
		return err
	}
	return a.print(r, func(w io.Writer) {
		if r.New != "" {
			fmt.Fprintf(w, "The new access code of %s: %s\nIt is not shown again unless codes are kept.\n", printable(r.Username), r.New)
			return
		}
		if r.Weak != "" {
			fmt.Fprintf(w, "Careful: %s.\n", r.Weak)
		}
		writeCredentials(w, r.Credentials, "has no access code", in.Do == admin.CodeShow, "access_codes: {keep: reveal}")
	})
}

func (a *app) userPIN() *cobra.Command {
	cmd := group("pin", "Set or end a person's PIN, which goes with a card or a code")
	set := &cobra.Command{
		Use: "set USERNAME", Short: "Set the PIN, read from the standard input: 4 to 16 digits", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			pin, err := a.line("PIN")
			if err != nil {
				return err
			}
			return a.pin(cmd, admin.UserPIN{User: given[0], PIN: pin}, "has a new PIN")
		},
	}
	clear := &cobra.Command{
		Use: "clear USERNAME", Short: "End the PIN", Args: args("USERNAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.pin(cmd, admin.UserPIN{User: given[0]}, "has no PIN any more")
		},
	}
	cmd.AddCommand(set, clear)
	return cmd
}

func (a *app) pin(cmd *cobra.Command, in admin.UserPIN, done string) error {
	return a.changeUser(cmd, admin.VerbUserPIN, in, done)
}

func (a *app) codes() *cobra.Command {
	cmd := group("codes", "See how good the access codes are")
	cmd.AddCommand(a.codesReport(), a.codesMake())
	return cmd
}

func (a *app) codesReport() *cobra.Command {
	var in admin.CodeReport
	var asCSV bool
	cmd := &cobra.Command{
		Use: "report", Short: "List weak codes and people without one", Args: args(),
		Long: "List weak codes and people without one. Codes that the server makes are never weak; those of directories, files and administrators may be.\n" +
			"What becomes of weak ones is access_codes.weak in the configuration: pin, accept or refuse.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asCSV && a.json {
				return usage("--csv and --json exclude each other")
			}
			var r admin.CodeReported
			if err := a.call(cmd.Context(), admin.VerbCodeReport, in, &r); err != nil {
				return err
			}
			if asCSV {
				return codesCSV(a.Out, r)
			}
			return a.print(r, func(w io.Writer) { writeCodes(w, r) })
		},
	}
	cmd.Flags().BoolVar(&in.All, "all", false, "every code, good ones too")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "write CSV for a spreadsheet")
	return cmd
}

func writeCodes(w io.Writer, r admin.CodeReported) {
	if len(r.Lines) > 0 {
		t := newTable(w, "ID", "USERNAME", "FROM", "WORKS", "WEAK BECAUSE")
		for _, l := range r.Lines {
			from := ""
			if l.Origin != "" {
				from = origin(l.Origin, l.Source)
			}
			t.row(fmt.Sprint(l.ID), l.Username, from, l.Works, l.Weak)
		}
		t.flush()
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d people, %d codes, %d of them weak, %d people without one. A code made now has %d characters.\n", r.People, r.Codes, r.Weak, r.None, r.Length)
}

func codesCSV(w io.Writer, r admin.CodeReported) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "username", "from", "since", "works", "weak"})
	for _, l := range r.Lines {
		since, from := "", ""
		if l.Origin != "" {
			since, from = l.Since.UTC().Format("2006-01-02"), origin(l.Origin, l.Source)
		}
		_ = out.Write(formulaSafe([]string{strconv.FormatInt(l.ID, 10), l.Username, from, since, l.Works, l.Weak}))
	}
	out.Flush()
	return out.Error()
}

func (a *app) codesMake() *cobra.Command {
	var in admin.CodesMake
	var yes bool
	cmd := &cobra.Command{
		Use: "make", Short: "Make a code for everybody who has none", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.confirm(yes, "Make a code for everybody who has none?"); err != nil {
				return err
			}
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbCodesMake, in, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintf(w, "%d codes were made.\n", n.Count) })
		},
	}
	cmd.Flags().BoolVar(&in.Tell, "tell", false, "send people their code by mail")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
