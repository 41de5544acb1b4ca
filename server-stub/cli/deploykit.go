package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/deploykit"
)

// kitRequest is what a kit is asked for with.
type kitRequest struct {
	out, packages, teamID      string
	upnSuffix, authMode, role  string
	enforced, recommended      []string // NAME=VALUE
	withToken                  bool
	token                      admin.EnrolmentCreate
	enforcedValues, recommends []policy.Value
}

// kitDone is the answer in JSON.
type kitDone struct {
	Out       string              `json:"out"`
	ServerURL string              `json:"server_url"`
	CAPin     string              `json:"ca_pin,omitempty"`
	TokenID   string              `json:"token_id,omitempty"`
	Notes     []string            `json:"notes"`
	Files     []deploykit.Written `json:"files"`
}

func (a *app) deployKit() *cobra.Command {
	var in kitRequest
	cmd := &cobra.Command{
		Use: "deploy-kit --out DIR", Short: "Write what IT needs to roll Platen out: policies, profiles, packages, instructions", Args: args(),
		Long: "Write what IT needs to roll Platen out, all of it for this server and with the pin of its certificate authority:\n" +
			"Group Policy templates, a macOS profile, settings and a Debian package for Linux, scripts for Intune and SCCM, the packages under names\n" +
			"that tell the server, and README.md with the very lines to type.\n\n" +
			"The server must know its public_url. Nothing in the kit is secret, unless --with-token asks for an enrolment token; computers without one\n" +
			"wait until an administrator approves them (platen-server device approve --all-waiting).",
		Example: "  platen-server deploy-kit --out kit --packages ~/platen-1.2.3\n" +
			"  platen-server deploy-kit --out lab --role shared --auth-mode trust --set SharedOSUsers=kiosk,guest\n" +
			"  platen-server deploy-kit --out campus --with-token --group lab --network 10.20.0.0/16 --days 90",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := in.read(); err != nil {
				return err
			}
			done, err := a.writeKit(cmd.Context(), in)
			if err != nil {
				return err
			}
			return a.print(done, func(w io.Writer) {
				t := newTable(w, "FILE", "WHAT")
				for _, f := range done.Files {
					t.row(f.Path, f.About)
				}
				t.flush()
				fmt.Fprintf(w, "\nThe kit for %s is in %s; begin with its README.md.\n", printable(done.ServerURL), printable(done.Out))
				for _, note := range done.Notes {
					fmt.Fprintln(w, printable(note))
				}
				if done.TokenID != "" {
					fmt.Fprintf(w, "The folder secret has the enrolment token %s: keep it away from everybody else.\n", printable(done.TokenID))
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.out, "out", "", "the folder to write; it must not have anything but an earlier kit")
	f.StringVar(&in.packages, "packages", "", "the folder with the packages of a release; they are copied under names that tell the server")
	f.StringVar(&in.upnSuffix, "upn-suffix", "", "set UPNSuffix on the computers (the server tells them its own anyway)")
	f.StringVar(&in.authMode, "auth-mode", "", "set AuthMode: auto, trust, microsoft, browser or prompt")
	f.StringVar(&in.role, "role", "", "set DeviceRole: personal or shared")
	f.StringArrayVar(&in.enforced, "set", nil, "NAME=VALUE: a setting that nobody at a computer can change; may be given several times")
	f.StringArrayVar(&in.recommended, "recommend", nil, "NAME=VALUE: a setting that people may change; may be given several times")
	f.StringVar(&in.teamID, "team-id", "", "the Apple team identifier of whoever signed the package")
	f.BoolVar(&in.withToken, "with-token", false, "put an enrolment token into the kit: a secret")
	f.StringVar(&in.token.Group, "group", "", "the group of the computers that enrol by the token")
	f.StringArrayVar(&in.token.Networks, "network", nil, "where the token is good, such as 10.20.0.0/16; may be given several times")
	f.IntVar(&in.token.Days, "days", 0, "how many days the token is good for (default 3)")
	f.IntVar(&in.token.Uses, "uses", 0, "how many computers may enrol by the token (needed without --network)")
	return cmd
}

// read checks what can be checked without the server.
func (in *kitRequest) read() error {
	if in.out == "" {
		return usage("say where to: --out DIR")
	}
	short := map[string]string{"UPNSuffix": in.upnSuffix, "AuthMode": in.authMode, "DeviceRole": in.role}
	for _, s := range settings.Table() {
		if text := short[s.Name]; text != "" {
			in.enforcedValues = append(in.enforcedValues, policy.Value{Name: s.Name, Text: text})
		}
	}
	for _, list := range []struct {
		flag  string
		texts []string
		to    *[]policy.Value
	}{{"--set", in.enforced, &in.enforcedValues}, {"--recommend", in.recommended, &in.recommends}} {
		for _, text := range list.texts {
			name, value, ok := strings.Cut(text, "=")
			if !ok {
				return usage("%s %s: write NAME=VALUE, such as HideBalance=yes", list.flag, text)
			}
			if strings.EqualFold(name, "ServerURL") || strings.EqualFold(name, "CAPin") {
				return usage("%s %s: the server says that itself", list.flag, text)
			}
			*list.to = append(*list.to, policy.Value{Name: name, Text: value})
		}
		if _, err := policy.Check(*list.to); err != nil {
			return &usageError{err}
		}
	}
	switch {
	case !in.withToken && (in.token.Group != "" || len(in.token.Networks) > 0 || in.token.Days != 0 || in.token.Uses != 0):
		return usage("--group, --network, --days and --uses are for a token; say --with-token, too")
	case in.withToken && len(in.token.Networks) == 0 && in.token.Uses == 0:
		return usage("an enrolment token in a kit is for many computers; say where it is good with --network, or for how many with --uses")
	}
	in.token.Campaign = len(in.token.Networks) > 0
	in.token.Description = "deploy-kit"
	return nil
}

// writeKit asks the server and writes the kit. The token is made last, when nothing else can go wrong but the disk.
func (a *app) writeKit(ctx context.Context, in kitRequest) (*kitDone, error) {
	if err := deploykit.Free(in.out); err != nil {
		return nil, err
	}
	var site admin.Kit
	if err := a.call(ctx, admin.VerbKit, admin.Nothing{}, &site); err != nil {
		return nil, err
	}
	kit, err := deploykit.New(deploykit.Options{
		Site: deploykit.Site(site), Enforced: in.enforcedValues, Recommended: in.recommends, Packages: in.packages, TeamID: in.teamID, Time: clock.System(),
	})
	if err != nil {
		return nil, err
	}
	done := &kitDone{Out: in.out, ServerURL: site.ServerURL, CAPin: site.CAPin, Notes: append([]string{}, kit.Notes()...)}
	if in.withToken {
		if done.TokenID, err = a.tokenFor(ctx, kit, in.token); err != nil {
			return nil, err
		}
	}
	if done.Files, err = kit.Write(in.out); err != nil && done.TokenID != "" {
		err = errors.Join(err, fmt.Errorf("the enrolment token %s was made for it and is not needed now; end it with platen-server enrolment revoke %s", done.TokenID, done.TokenID))
	}
	return done, err
}

// tokenFor makes an enrolment token and puts it into the kit.
func (a *app) tokenFor(ctx context.Context, kit *deploykit.Kit, in admin.EnrolmentCreate) (id string, err error) {
	var t admin.EnrolmentToken
	if err := a.call(ctx, admin.VerbEnrolmentCreate, in, &t); err != nil {
		return "", err
	}
	return t.ID, kit.AddToken(deploykit.Token{Text: secret.New(t.Token), ID: t.ID, Until: t.ExpiresAt, For: machines(t)})
}
