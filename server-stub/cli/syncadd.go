package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/platenprint/platen/server-stub/admin"
)

// setting is one key of a directory, as a flag and as a question.
type setting struct {
	flag, key string
	doc       string
	question  string // "" is not asked
	must      bool
	list      bool
	path      bool // a file of the server's computer
	yes       bool // a switch
	// secret is the key of a secret that the flag has the file of; with stdin it is read from the standard input.
	secret string
	stdin  bool
}

// kind is a type of directories.
type kind struct {
	name, short, example string
	id                   string // that is proposed
	settings             []setting
}

// kindsOfDirectories are the types that can be added.
var kindsOfDirectories = []kind{
	{
		"ldap", "An Active Directory, OpenLDAP, or Entra Domain Services over LDAPS",
		"  platen-server sync add ldap --id corp --url ldaps://dc1.corp.example.org --bind-dn \"CN=Platen,OU=Services,DC=corp,DC=example,DC=org\" --bind-password-stdin < password",
		"corp",
		[]setting{
			{flag: "url", key: "url", doc: "ldaps://SERVER; may be given several times, the next is tried when one does not answer", question: "Server, such as ldaps://dc1.corp.example.org", must: true, list: true},
			{flag: "bind-dn", key: "bind_dn", doc: "the account that reads", question: "Account that reads (its DN)", must: true},
			{flag: "bind-password-stdin", secret: "bind_password", stdin: true, doc: "read its password from the standard input", question: "Its password"},
			{flag: "bind-password-file", secret: "bind_password", doc: "read its password from this file, now; it is kept sealed"},
			{flag: "ca-file", key: "ca_file", path: true, doc: "PEM file on the server: what the directory's certificate is signed by", question: "File with the CA of its certificate (Enter: the system's)"},
			{flag: "base-dn", key: "base_dn", doc: "where people are looked for; not given: the directory says"},
			{flag: "filter", key: "filter", doc: "an LDAP filter that people must match too"},
			{flag: "start-tls", key: "start_tls", yes: true, doc: "ldap:// with StartTLS"},
			{flag: "product", key: "product", doc: "ad, openldap or entra-ds; not given: asked from the server"},
			{flag: "domain", key: "domain", doc: "the NetBIOS domain of the short names"},
			{flag: "upn-suffix", key: "upn_suffixes", list: true, doc: "a suffix that belongs to this directory; may be given several times"},
		},
	},
	{
		"entra", "A Microsoft Entra ID tenant, over Microsoft Graph",
		"  platen-server sync add entra --id cloud --tenant TENANT-ID --client-id CLIENT-ID --client-secret-stdin < secret",
		"cloud",
		[]setting{
			{flag: "tenant", key: "tenant", doc: "the tenant's id", question: "Tenant (directory) id", must: true},
			{flag: "client-id", key: "client_id", doc: "the application's id", question: "Application (client) id", must: true},
			{flag: "client-secret-stdin", secret: "client_secret", stdin: true, doc: "read its secret from the standard input", question: "Client secret"},
			{flag: "client-secret-file", secret: "client_secret", doc: "read its secret from this file, now; it is kept sealed"},
			{flag: "client-certificate", secret: "client_certificate", doc: "PEM file with certificate and key instead of a secret, read now and kept sealed"},
			{flag: "cloud", key: "cloud", doc: "global, usgov, usdod or china"},
			{flag: "domain", key: "domain", doc: "the NetBIOS domain of the short names"},
			{flag: "upn-suffix", key: "upn_suffixes", list: true, doc: "a suffix that belongs to this directory; may be given several times"},
			{flag: "guests", key: "guests", yes: true, doc: "people of other tenants who were invited, too"},
		},
	},
	{
		"google", "Google Workspace, over its Directory API",
		"  platen-server sync add google --id school --subject admin@example.org --key-file key.json",
		"google",
		[]setting{
			{flag: "subject", key: "subject", doc: "the administrator whom the service account acts for", question: "Administrator whom the service account acts for", must: true},
			{flag: "key-file", secret: "service_account", doc: "JSON key of the service account, read now and kept sealed", question: "File with the JSON key of the service account", must: true},
			{flag: "org-unit", key: "org_units", list: true, doc: "only people of this organisational unit, such as /Staff; may be given several times"},
			{flag: "customer", key: "customer", doc: "the customer's id; not given: the subject's own"},
		},
	},
	{
		"csv", "A CSV file that another program writes",
		"  platen-server sync add csv --id hr --path /srv/export/people.csv",
		"people",
		[]setting{
			{flag: "path", key: "path", path: true, doc: "the file, on the server", question: "File, on the server", must: true},
			{flag: "domain", key: "domain", doc: "the NetBIOS domain of the short names"},
		},
	},
	{
		"scim", "A directory that sends its changes by itself: Entra provisioning, Okta and others",
		"  platen-server sync add scim --id entra",
		"entra", nil,
	},
}

func (a *app) syncAdd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add", Short: "Add a directory: it is tested, kept, and changes nobody yet",
		Long: `Add a directory: it is tested, kept, and changes nobody yet.

On a terminal a type without flags asks question by question. Every key that the configuration file knows can be given by
--set KEY=VALUE. Passwords and secrets are kept sealed with the server's master key.`,
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if len(given) > 0 {
			return usage("there is no type %q: %s", given[0], strings.Join(typesOfDirectories(), ", "))
		}
		if !a.Terminal || a.json {
			return usage("say which type: %s; see platen-server sync add --help", strings.Join(typesOfDirectories(), ", "))
		}
		fmt.Fprintln(a.Err, "Which directory?")
		for i, k := range kindsOfDirectories {
			fmt.Fprintf(a.Err, "  %d  %-7s %s\n", i+1, k.name, k.short)
		}
		q := a.questions()
		for {
			answer, err := q.ask("Number or name", "")
			if err != nil {
				return err
			}
			for i, k := range kindsOfDirectories {
				if answer == k.name || answer == fmt.Sprint(i+1) {
					return a.interview(cmd, q, k)
				}
			}
			fmt.Fprintln(a.Err, "There is no such one.")
		}
	}
	for _, k := range kindsOfDirectories {
		cmd.AddCommand(a.syncAddKind(k))
	}
	return cmd
}

func typesOfDirectories() (names []string) {
	for _, k := range kindsOfDirectories {
		names = append(names, k.name)
	}
	return names
}

// common are the flags of every type.
type common struct {
	id, every, username, notify, replaces string
	groups, set                           []string
	manual, untested, apply               bool
}

func (a *app) syncAddKind(k kind) *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: k.name, Short: k.short, Args: args(), Example: k.example,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.LocalNonPersistentFlags().NFlag() == 0 && onlyData(cmd) && a.Terminal && !a.json && len(k.settings) > 0 {
				return a.interview(cmd, a.questions(), k)
			}
			in, err := a.fromFlags(cmd.Flags(), k, c)
			if err != nil {
				return err
			}
			return a.addDirectory(cmd, in, c.apply)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.id, "id", "", "names the directory for good: small letters, digits, dot, hyphen (default "+k.id+")")
	for _, s := range k.settings {
		switch {
		case s.list:
			f.StringArray(s.flag, nil, s.doc)
		case s.yes || s.stdin:
			f.Bool(s.flag, false, s.doc)
		default:
			f.String(s.flag, "", s.doc)
		}
	}
	if k.name != "scim" {
		f.StringVar(&c.every, "every", "", "the time between synchronisations, such as 30m")
		f.BoolVar(&c.manual, "manual", false, "synchronise only when an administrator says so")
		f.BoolVar(&c.apply, "apply", false, "synchronise at once, without a look at the plan; the brake holds")
		f.BoolVar(&c.untested, "untested", false, "keep it although it does not answer")
	}
	f.StringVar(&c.username, "username", "", "which name is the username: upn, sam, nickname, mail or auto")
	f.StringArrayVar(&c.groups, "group", nil, "only members of this group, and of groups within; may be given several times")
	f.StringVar(&c.replaces, "replaces", "", "the directory that this one takes over from")
	f.StringVar(&c.notify, "notify", "", "e-mail address that hears of failures")
	f.StringArrayVar(&c.set, "set", nil, "KEY=VALUE, any key of the configuration file; may be given several times")
	return cmd
}

// onlyData tells that no flag but those of every command was given.
func onlyData(cmd *cobra.Command) bool {
	only := true
	cmd.Flags().Visit(func(f *pflag.Flag) { only = only && (f.Name == "data" || f.Name == "json") })
	return only
}

// fromFlags is what the flags say.
func (a *app) fromFlags(f *pflag.FlagSet, k kind, c common) (admin.DirectoryAdd, error) {
	in := admin.DirectoryAdd{ID: first(c.id, k.id), Type: k.name, Untested: c.untested, Secrets: map[string]string{}}
	var missing []string
	for _, s := range k.settings {
		if !f.Changed(s.flag) {
			if s.must {
				missing = append(missing, "--"+s.flag)
			}
			continue
		}
		if err := a.take(&in, f, s); err != nil {
			return in, err
		}
	}
	if len(missing) > 0 {
		return in, usage("give %s too; on a terminal, without any flag, you are asked", strings.Join(missing, ", "))
	}
	for key, value := range map[string]string{"interval": c.every, "username": c.username, "notify": c.notify, "replaces": c.replaces} {
		if value != "" {
			in.Set = append(in.Set, assigned(key, value))
		}
	}
	if c.manual {
		in.Set = append(in.Set, "manual=yes")
	}
	if len(c.groups) > 0 {
		in.Set = append(in.Set, assigned("scope.groups", c.groups))
	}
	in.Set = append(in.Set, c.set...)
	return in, nil
}

// take takes one setting from its flag.
func (a *app) take(in *admin.DirectoryAdd, f *pflag.FlagSet, s setting) error {
	switch {
	case s.list:
		values, err := f.GetStringArray(s.flag)
		in.Set = append(in.Set, assigned(s.key, values))
		return err
	case s.yes:
		in.Set = append(in.Set, s.key+"=yes")
		return nil
	case s.stdin:
		password, err := a.password()
		in.Secrets[s.secret] = password
		return err
	}
	value, err := f.GetString(s.flag)
	if err != nil {
		return err
	}
	return takeText(in, s, value)
}

// takeText takes one setting from a text.
func takeText(in *admin.DirectoryAdd, s setting, value string) (err error) {
	if s.secret != "" {
		text, err := os.ReadFile(value)
		if err != nil {
			return fmt.Errorf("read the secret for --%s: %w", s.flag, err)
		}
		in.Secrets[s.secret] = strings.TrimRight(string(text), "\r\n")
		return nil
	}
	if s.path {
		if value, err = filepath.Abs(value); err != nil {
			return fmt.Errorf("--%s: %w", s.flag, err)
		}
	}
	in.Set = append(in.Set, assigned(s.key, value))
	return nil
}

// assigned is KEY=VALUE with the value quoted, so that nothing in it is taken for more than a text.
func assigned(key string, value any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // texts and lists of texts can be written
	return key + "=" + strings.TrimSpace(b.String())
}

// questions asks a person.
type questions struct {
	a  *app
	in *bufio.Reader
}

func (a *app) questions() *questions { return &questions{a, bufio.NewReader(a.In)} }

// ask asks for a line; what stands in brackets is taken when only Enter comes.
func (q *questions) ask(question, fallback string) (string, error) {
	if fallback != "" {
		question += " [" + fallback + "]"
	}
	fmt.Fprintf(q.a.Err, "%s: ", question)
	line, err := q.in.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", errors.New("nothing was done: your answers ended")
	}
	return first(strings.TrimSpace(line), fallback), nil
}

// secret asks for a line that is not shown.
func (q *questions) secret(question string) (string, error) {
	f, ok := q.a.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return q.ask(question, "")
	}
	fmt.Fprintf(q.a.Err, "%s (not shown): ", question)
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(q.a.Err)
	return string(text), err
}

// interview asks for everything that a type needs.
func (a *app) interview(cmd *cobra.Command, q *questions, k kind) error {
	id, err := q.ask("Its id here, for good", k.id)
	if err != nil {
		return err
	}
	in := admin.DirectoryAdd{ID: id, Type: k.name, Secrets: map[string]string{}}
	for _, s := range k.settings {
		if s.question == "" {
			continue
		}
		for {
			var answer string
			if s.stdin {
				answer, err = q.secret(s.question)
			} else {
				answer, err = q.ask(s.question, "")
			}
			if err != nil {
				return err
			}
			if answer == "" && s.must {
				fmt.Fprintln(a.Err, "This is needed.")
				continue
			}
			switch {
			case answer == "":
			case s.stdin:
				in.Secrets[s.secret] = answer
			default:
				err = takeText(&in, s, answer)
			}
			if err != nil {
				return err
			}
			break
		}
	}
	return a.addDirectory(cmd, in, false)
}

// addDirectory adds it, says what was seen and how to go on.
func (a *app) addDirectory(cmd *cobra.Command, in admin.DirectoryAdd, apply bool) error {
	if a.Terminal && !a.json && in.Type != "scim" && !in.Untested {
		fmt.Fprintf(a.Err, "Asking %s ...\n", printable(in.ID))
	}
	var r admin.DirectoryAdded
	if err := a.call(cmd.Context(), admin.VerbSyncAdd, in, &r); err != nil {
		return err
	}
	if apply {
		if !a.json {
			fmt.Fprintf(a.Out, "%s is added: %s\n", printable(in.ID), printable(r.Says))
		}
		var runs admin.SyncRuns
		if err := a.call(cmd.Context(), admin.VerbSyncRun, admin.SyncRef{Source: in.ID}, &runs); err != nil {
			return err
		}
		return a.showRuns(runs, true)
	}
	return a.print(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s is added.\n", printable(in.ID))
		if r.Says != "" {
			fmt.Fprintf(w, "It answers: %s\n", printable(r.Says))
		}
		if r.Note != "" {
			fmt.Fprintln(w, printable(r.Note))
		}
		if in.Type == "scim" {
			a.showTenant(w, r)
			return
		}
		fmt.Fprintf(w, "\nNobody was changed yet. See what its first synchronisation would do:\n  %s\n", a.hint("sync plan %s", in.ID))
	})
}

// showTenant says what the other side's provisioning needs.
func (a *app) showTenant(w io.Writer, r admin.DirectoryAdded) {
	fmt.Fprintf(w, "\nInto the provisioning of the other side, under Admin Credentials:\n  Tenant URL    %s\n", printable(r.Directory.TenantURL))
	if r.Token != "" {
		fmt.Fprintf(w, "  Secret Token  %s\n\nThe token is not shown again. Another one: %s\n", r.Token, a.hint("sync token %s --rotate", r.Directory.ID))
	}
	fmt.Fprintf(w, "What it sends, as it comes: %s\n", a.hint("sync log %s", r.Directory.ID))
}

func (a *app) syncSet() *cobra.Command {
	var in admin.DirectorySet
	var stdin, fromFile, forget string
	cmd := &cobra.Command{
		Use: "set DIRECTORY KEY=VALUE...", Short: "Change a directory that was added from the command line", ValidArgsFunction: a.completeDirectories,
		Long: `Change a directory that was added from the command line.

KEY=VALUE is as the configuration file has it; KEY= takes the key away. What the directory itself has a part in is tested first,
and nothing is changed when it does not answer.`,
		Example: "  platen-server sync set corp interval=30m\n  platen-server sync set corp scope.groups='[Staff, Students]'\n" +
			"  platen-server sync set corp --secret-stdin bind_password < new-password",
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) == 0 {
				return usage("say which directory, and KEY=VALUE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, given []string) error {
			in.ID, in.Set, in.Secrets = given[0], given[1:], map[string]string{}
			if stdin != "" {
				value, err := a.line(stdin)
				if err != nil {
					return err
				}
				in.Secrets[stdin] = value
			}
			if fromFile != "" {
				key, name, ok := strings.Cut(fromFile, "=")
				if !ok {
					return usage("write --secret-file KEY=FILE")
				}
				text, err := os.ReadFile(name)
				if err != nil {
					return fmt.Errorf("read the secret: %w", err)
				}
				in.Secrets[key] = strings.TrimRight(string(text), "\r\n")
			}
			if forget != "" {
				in.Secrets[forget] = ""
			}
			if len(in.Set)+len(in.Secrets) == 0 {
				return usage("say what to change: KEY=VALUE; platen-server sync show %s shows what is set", given[0])
			}
			var r admin.DirectoryAdded
			if err := a.call(cmd.Context(), admin.VerbSyncSet, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s is changed.\n", printable(in.ID))
				if r.Says != "" {
					fmt.Fprintf(w, "It answers: %s\n", printable(r.Says))
				}
				if r.Directory.Type != "scim" {
					fmt.Fprintf(w, "See what it changes: %s\n", a.hint("sync plan %s", in.ID))
				}
				if next := r.Directory.NextRun; next != nil {
					fmt.Fprintf(w, "It is synchronised next at %s.\n", when(*next))
				}
			})
		},
	}
	cmd.Flags().StringVar(&stdin, "secret-stdin", "", "read this secret from the standard input, such as bind_password")
	cmd.Flags().StringVar(&fromFile, "secret-file", "", "KEY=FILE: read a secret from a file, now")
	cmd.Flags().StringVar(&forget, "forget-secret", "", "forget this secret")
	cmd.Flags().BoolVar(&in.Untested, "untested", false, "change it although it does not answer")
	return cmd
}
