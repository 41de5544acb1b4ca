package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) device() *cobra.Command {
	cmd := group("device", "Enrolled computers")
	cmd.Long = cmd.Short + ".\n\nDEVICE is its id, at least four characters from its beginning, or the computer's name."
	cmd.AddCommand(a.deviceList(), a.deviceShow(), a.deviceApprove(),
		a.deviceAct("revoke", "Take a computer's word no longer, and end the sessions it vouched for", admin.VerbDeviceRevoke, "revoked",
			"Revoke %s and end the sessions it vouched for?"),
		a.deviceForget())
	return cmd
}

func (a *app) deviceList() *cobra.Command {
	var stale string
	cmd := &cobra.Command{
		Use: "list", Short: "List computers, with whom they vouched for and what went wrong", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := parseAge(stale)
			if err != nil {
				return err
			}
			var l admin.Devices
			if err := a.call(cmd.Context(), admin.VerbDeviceList, admin.DeviceList{StaleSeconds: int64(age / time.Second)}, &l); err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) {
				t := newTable(w, "ID", "COMPUTER", "GROUP", "ROLE", "STATE", "VERSION", "LAST SEEN", "USERS", "LAST ERROR")
				for _, d := range l.Devices {
					t.row(d.ID[:min(8, len(d.ID))], d.Hostname, d.Group, d.Role, d.Status, d.Version, whenever(d.LastSeenAt), few(d.Users), d.LastError)
				}
				t.flush()
			})
		},
	}
	cmd.Flags().StringVar(&stale, "stale", "", "only those not seen for so long, such as 30d")
	return cmd
}

// parseAge reads "30d", "12h" or "".
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if age, err := time.ParseDuration(text); err == nil && age >= time.Second || text == "" {
		return age, nil
	}
	return 0, usage("--stale %s: write how long, such as 30d or 12h", text)
}

// few shows the first of a long list.
func few(list []string) string {
	const most = 3
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", join(list[:most]), len(list)-most)
	}
	return join(list)
}

func whenever(t *time.Time) string {
	if t == nil {
		return ""
	}
	return when(*t)
}

func (a *app) deviceShow() *cobra.Command {
	return &cobra.Command{
		Use: "show DEVICE", Short: "Show everything about a computer", Args: args("DEVICE"), ValidArgsFunction: a.completeDevices,
		RunE: func(cmd *cobra.Command, given []string) error {
			var d admin.DeviceDetails
			if err := a.call(cmd.Context(), admin.VerbDeviceShow, admin.DeviceRef{Device: given[0]}, &d); err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) {
				fields(w, [][2]string{
					{"id", d.ID},
					{"computer", d.Hostname},
					{"state", d.Status},
					{"group", d.Group},
					{"role", d.Role},
					{"fingerprint", d.Fingerprint},
					{"takes over", d.Replaces},
					{"platform", d.Platform},
					{"version", d.Version},
					{"domain", d.JoinDomain},
					{"realm", d.JoinRealm},
					{"address", d.Address},
					{"asked first", when(d.CreatedAt)},
					{"enrolled", whenever(d.EnrolledAt)},
					{"by token", d.TokenID},
					{"last seen", whenever(d.LastSeenAt)},
					{"revoked", whenever(d.RevokedAt)},
					{"last error", d.LastError},
					{"sessions", fmt.Sprint(d.Sessions)},
					{"users", join(d.Users)},
				})
				if len(d.Certificates) == 0 {
					return
				}
				fmt.Fprintln(w)
				t := newTable(w, "CERTIFICATE", "ISSUED", "UNTIL", "ENDED", "WHY")
				for _, c := range d.Certificates {
					t.row(c.Serial, when(c.IssuedAt), when(c.ExpiresAt), whenever(c.RevokedAt), c.Reason)
				}
				t.flush()
			})
		},
	}
}

func (a *app) deviceApprove() *cobra.Command {
	var in admin.DeviceRef
	var many waiting
	var yes bool
	cmd := &cobra.Command{
		Use: "approve DEVICE | --all-waiting | --file FILE", Short: "Let computers that wait become devices", Args: many.args, ValidArgsFunction: a.completeDevices,
		Long: "Let a computer that waits become a device, or many at once.\n\n" +
			"Compare the fingerprint with the one that platen-deploy status shows on the computer:\n" +
			"it is what tells the computer from another that asks in its name.\n\n" + waitingHelp,
		Example: "  platen-server device approve 3x7qk2p\n" +
			"  platen-server device approve --all-waiting --network 10.20.0.0/16 --domain CORP --name 'PC-*'\n" +
			"  platen-server device approve --file fingerprints.csv --group office --yes",
		RunE: func(cmd *cobra.Command, given []string) error {
			if many.wanted() && in.Fingerprint != "" {
				return usage("--fingerprint is of one computer; many are in a list, for --file")
			}
			if many.wanted() {
				return a.approveMany(cmd, many, in.Group, yes)
			}
			in.Device = given[0]
			if in.Fingerprint == "" {
				// The very key that was looked at is the one that is approved.
				var d admin.DeviceDetails
				if err := a.call(cmd.Context(), admin.VerbDeviceShow, in, &d); err != nil {
					return err
				}
				in.Device, in.Fingerprint = d.ID, d.Fingerprint
				name := printable(d.Hostname)
				if d.Replaces != "" {
					name += ", which takes over the record of " + printable(d.Replaces) + ","
				}
				if err := a.confirm(yes, fmt.Sprintf("%s at %s has the fingerprint %s. Does the computer itself show the same?", name, printable(d.Address), d.Fingerprint)); err != nil {
					return err
				}
			}
			return a.changeDevice(cmd, admin.VerbDeviceApprove, in, "approved; it fetches its certificate within a minute")
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Group, "group", "", "its group, of device_groups in the configuration")
	f.StringVar(&in.Fingerprint, "fingerprint", "", "the fingerprint that the computer shows")
	f.BoolVar(&yes, "yes", false, "do not ask whether the fingerprints are the same")
	many.flags(cmd)
	return cmd
}

func (a *app) deviceAct(name, short, verb, done, question string) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: name + " DEVICE", Short: short, Args: args("DEVICE"), ValidArgsFunction: a.completeDevices,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.confirm(yes, fmt.Sprintf(question, given[0])); err != nil {
				return err
			}
			return a.changeDevice(cmd, verb, admin.DeviceRef{Device: given[0]}, done)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) deviceForget() *cobra.Command {
	var many waiting
	cmd := a.deviceAct("forget", "Revoke a computer and remove its record, or turn away those that wait", admin.VerbDeviceForget, "forgotten",
		"Revoke %s and remove its record?")
	one := cmd.RunE
	cmd.Use, cmd.Args = "forget DEVICE | --all-waiting | --file FILE", many.args
	cmd.Long = cmd.Short + ".\n\nA computer that goes on asking waits again, unless Enrol=no is set for it.\n\n" + waitingHelp
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if !many.wanted() {
			return one(cmd, given)
		}
		yes, err := cmd.Flags().GetBool("yes")
		if err != nil {
			return err
		}
		return a.forgetMany(cmd, many, yes)
	}
	many.flags(cmd)
	return cmd
}

// changeDevice asks for something that answers with the device, and says that it was done.
func (a *app) changeDevice(cmd *cobra.Command, verb string, in admin.DeviceRef, done string) error {
	var d admin.Device
	if err := a.call(cmd.Context(), verb, in, &d); err != nil {
		return err
	}
	return a.print(d, func(w io.Writer) { fmt.Fprintf(w, "%s (%s) is %s.\n", printable(d.Hostname), printable(d.ID), done) })
}

// completeDevices completes the ids of devices.
func (a *app) completeDevices(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	var l admin.Devices
	if len(given) > 0 || a.call(cmd.Context(), admin.VerbDeviceList, admin.DeviceList{}, &l) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, d := range l.Devices {
		ids = append(ids, d.ID+"\t"+printable(d.Hostname+" "+d.Status))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
