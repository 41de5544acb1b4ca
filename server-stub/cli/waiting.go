package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/deviceauth"
)

const waitingHelp = "--all-waiting is about all that wait; --network, --domain and --name leave only those to which all of it applies. What computers\n" +
	"say of themselves can be said by others too. --file is a list that your management system wrote: fingerprints, which nobody\n" +
	"else has, or the UUIDs of firmwares, which others can claim; one computer a line, other columns do not matter. The computers are\n" +
	"shown first, and exactly these are taken: one that changed meanwhile, or claims the hardware of another that waits, is left out and named."

// waiting says which of the computers that wait are meant.
type waiting struct {
	all   bool
	file  string
	match admin.DeviceMatch
}

func (m *waiting) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&m.all, "all-waiting", false, "all computers that wait for approval")
	f.StringVar(&m.file, "file", "", "those of a list with fingerprints or UUIDs; - for the standard input")
	f.StringArrayVar(&m.match.Networks, "network", nil, "only those in this network, such as 10.20.0.0/16; may be given several times")
	f.StringVar(&m.match.Domain, "domain", "", "only those that joined this domain")
	f.StringVar(&m.match.Name, "name", "", "only those called so, such as 'PC-*'")
}

func (m *waiting) wanted() bool { return m.all || m.file != "" }

// args wants a device, or to be told which of those that wait.
func (m *waiting) args(cmd *cobra.Command, given []string) error {
	switch {
	case m.wanted() && len(given) > 0:
		return usage("say DEVICE, or --all-waiting or --file, not both")
	case m.wanted():
		return nil
	case len(m.match.Networks) > 0 || m.match.Domain != "" || m.match.Name != "":
		return usage("--network, --domain and --name go with --all-waiting or --file")
	}
	return args("DEVICE")(cmd, given)
}

// find asks for the computers and shows them to people.
func (a *app) waiting(ctx context.Context, m waiting) ([]admin.DeviceWaiting, error) {
	if m.file != "" {
		list, err := a.readListed(m.file)
		if err != nil {
			return nil, err
		}
		m.match.List = list
	}
	var found admin.DevicesWaiting
	if err := a.call(ctx, admin.VerbDeviceWaiting, m.match, &found); err != nil {
		return nil, err
	}
	if a.json {
		return found.Waiting, nil
	}
	if len(found.Waiting) == 0 {
		fmt.Fprintln(a.Out, "No such computer waits.")
		return nil, nil
	}
	t := newTable(a.Out, "COMPUTER", "ADDRESS", "DOMAIN", "FINGERPRINT", "ASKED FIRST", "TAKES OVER")
	for _, d := range found.Waiting {
		t.row(d.Hostname, d.Address, d.Domain, d.Fingerprint, when(d.CreatedAt), d.Replaces[:min(8, len(d.Replaces))])
	}
	t.flush()
	return found.Waiting, nil
}

func (a *app) approveMany(cmd *cobra.Command, m waiting, group string, yes bool) error {
	return a.many(cmd.Context(), m, yes, "Approve %s?", admin.VerbDeviceApproveAll, group, "approved; they fetch their certificates within a minute")
}

func (a *app) forgetMany(cmd *cobra.Command, m waiting, yes bool) error {
	return a.many(cmd.Context(), m, yes, "Turn %s away?", admin.VerbDeviceForgetAll, "", "turned away")
}

// many shows the computers, asks once, and does it to exactly these.
func (a *app) many(ctx context.Context, m waiting, yes bool, question, verb, group, done string) error {
	list, err := a.waiting(ctx, m)
	if err != nil {
		return err
	}
	all := admin.DevicesDone{Done: []admin.Device{}, Left: []deviceauth.Left{}}
	if len(list) > 0 {
		if err := a.confirm(yes, fmt.Sprintf(question, plural(len(list), "this computer", "computers"))); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(list, admin.MostChosen) {
		in := admin.DevicesChosen{Group: group}
		for _, d := range part {
			in.Devices = append(in.Devices, d.Chosen)
		}
		var out admin.DevicesDone
		if err := a.call(ctx, verb, in, &out); err != nil {
			if n := len(all.Done); n > 0 {
				err = fmt.Errorf("%w; %s were %s before, the rest waits: do it again", err, plural(n, "one computer", "computers"), strings.TrimSpace(strings.Split(done, ";")[0]))
			}
			return err
		}
		all.Done, all.Left = append(all.Done, out.Done...), append(all.Left, out.Left...)
	}
	err = a.print(all, func(w io.Writer) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(w, "%s %s.\n", plural(len(all.Done), "One computer", "computers"), done)
		for _, l := range all.Left {
			fmt.Fprintf(w, "left out: %s (%s): %s\n", printable(l.Hostname), printable(l.Fingerprint), printable(l.Why))
		}
	})
	if err == nil && len(all.Left) > 0 {
		return &silentError{}
	}
	return err
}

// The most that a list may be, in bytes.
const mostList = 4 << 20

func (a *app) readListed(name string) ([]deviceauth.Listed, error) {
	in := a.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostList+1))
	if err != nil {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	if len(text) > mostList {
		return nil, usage("%s is larger than a list of %d computers can be", name, deviceauth.MostListed)
	}
	list, err := parseListed(text)
	if err != nil {
		return nil, usage("%s: %w", name, err)
	}
	return list, nil
}

var (
	fingerprintText = regexp.MustCompile(`(?i)(?:^|[^0-9a-f-])((?:[0-9a-f]{4}[-:]){7}[0-9a-f]{4})(?:$|[^0-9a-f-])`)
	uuidText        = regexp.MustCompile(`(?i)(?:^|[^0-9a-f-])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:$|[^0-9a-f-])`)
)

// parseListed finds the fingerprint or the UUID, or both, in each line. Windows' programs write UTF-16, too. The first line may be
// a heading.
func parseListed(text []byte) ([]deviceauth.Listed, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if wide, ok := bytes.CutPrefix(text, []byte(mark)); ok {
			units := make([]uint16, len(wide)/2)
			for i := range units {
				units[i] = order.Uint16(wide[2*i:])
			}
			text = []byte(string(utf16.Decode(units)))
			break
		}
	}
	var list []deviceauth.Listed
	heading := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var l deviceauth.Listed
		if m := fingerprintText.FindStringSubmatch(line); m != nil {
			l.Fingerprint = m[1]
		}
		if m := uuidText.FindStringSubmatch(line); m != nil {
			l.UUID = m[1]
		}
		switch {
		case l != deviceauth.Listed{}:
			list = append(list, l)
		case len(list) == 0 && !heading:
			heading = true
		default:
			return nil, fmt.Errorf("line %d has neither a fingerprint (eight groups of four: 1a2b-3c4d-...) nor a UUID", n)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("there is no fingerprint and no UUID in it")
	}
	return list, nil
}
