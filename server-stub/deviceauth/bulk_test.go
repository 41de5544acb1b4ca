package deviceauth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/store"
)

// queue lets a machine ask without a token.
func (f *fixture) queue(t *testing.T, m *machine, host, domain string, from netip.Addr) {
	t.Helper()
	e, err := f.Enrol(t.Context(), api.Enrolment{
		CSR: m.csr(t), Machine: m.machineID(), Report: api.DeviceReport{Hostname: host, Platform: "linux/amd64", Version: "1.0.0", JoinDomain: domain, JoinRealm: strings.ToLower(domain) + ".example.org"},
	}, from)
	if err != nil || e.Status != api.EnrolmentPending {
		t.Fatalf("%s: %+v, %v", host, e, err)
	}
}

func (f *fixture) waiting(t *testing.T, m deviceauth.Match) (hosts []string, chosen []deviceauth.Chosen) {
	t.Helper()
	list, err := f.Waiting(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		hosts = append(hosts, w.Hostname)
		chosen = append(chosen, deviceauth.Chosen{ID: w.ID, Fingerprint: w.Fingerprint, Hostname: w.Hostname, Address: w.Address, Domain: w.JoinDomain, Replaces: w.Replaces})
	}
	return hosts, chosen
}

const uuid = "4c4c4544-0042-3510-8052-b4c04f564231"

func TestWaitingMachinesAreChosenByWhatIsKnownOfThem(t *testing.T) {
	f := newFixture(t, groups)
	a, b, c := newMachine(t, "a"), newMachine(t, "b"), newMachine(t, "c")
	c.hardware = deviceauth.HardwareID(strings.ToUpper("{" + uuid + "}"))
	f.queue(t, a, "PC-1", "CORP", netip.MustParseAddr("10.20.0.1"))
	f.queue(t, b, "PC-2", "GUEST", netip.MustParseAddr("10.30.0.1"))
	f.queue(t, c, "mac-3", "", netip.MustParseAddr("2001:db8::3"))
	f.enrol(t, newMachine(t, "d"), "lab") // waits for nothing
	_, all := f.waiting(t, deviceauth.Match{})
	fingerprint := map[string]string{}
	for _, x := range all {
		fingerprint[x.Hostname] = x.Fingerprint
	}
	for name, tt := range map[string]struct {
		match deviceauth.Match
		want  []string
	}{
		"all":                      {deviceauth.Match{}, []string{"PC-1", "PC-2", "mac-3"}},
		"a network":                {deviceauth.Match{Networks: []string{"10.20.0.0/16", "2001:db8::/32"}}, []string{"PC-1", "mac-3"}},
		"a domain":                 {deviceauth.Match{Domain: "corp"}, []string{"PC-1"}},
		"a realm":                  {deviceauth.Match{Domain: "GUEST.example.org"}, []string{"PC-2"}},
		"a name":                   {deviceauth.Match{Name: "pc-?"}, []string{"PC-1", "PC-2"}},
		"all of it":                {deviceauth.Match{Name: "pc-*", Domain: "CORP", Networks: []string{"10.30.0.0/16"}}, nil},
		"a fingerprint":            {deviceauth.Match{List: []deviceauth.Listed{{Fingerprint: strings.ToUpper(fingerprint["PC-2"])}}}, []string{"PC-2"}},
		"a UUID":                   {deviceauth.Match{List: []deviceauth.Listed{{UUID: uuid}}}, []string{"mac-3"}},
		"both, of two machines":    {deviceauth.Match{List: []deviceauth.Listed{{Fingerprint: fingerprint["PC-2"], UUID: uuid}}}, nil},
		"a list within a network":  {deviceauth.Match{Networks: []string{"10.0.0.0/8"}, List: []deviceauth.Listed{{UUID: uuid}, {Fingerprint: fingerprint["PC-1"]}}}, []string{"PC-1"}},
		"a list of nobody that is": {deviceauth.Match{List: []deviceauth.Listed{{Fingerprint: "0000-0000-0000-0000-0000-0000-0000-0000"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := f.waiting(t, tt.match)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, m := range map[string]deviceauth.Match{
		"network": {Networks: []string{"here"}}, "name": {Name: "pc-["}, "list": {List: []deviceauth.Listed{{}}}, "long list": {List: make([]deviceauth.Listed, deviceauth.MostListed+1)},
	} {
		if _, err := f.Waiting(t.Context(), m); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
}

// A machine whose hardware id is empty is not that of an empty UUID.
func TestMachinesWithoutAFirmwareIDAreInNoList(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	m.hardware = ""
	f.queue(t, m, "PC-1", "CORP", desk)
	if got, _ := f.waiting(t, deviceauth.Match{List: []deviceauth.Listed{{UUID: uuid}}}); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

func TestE9_ExactlyThoseThatWereShownAreApproved(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), groups)
			machines := map[string]*machine{}
			for i := range 7 {
				host := fmt.Sprintf("pc-%d", i)
				machines[host] = newMachine(t, host)
				f.queue(t, machines[host], host, "CORP", desk)
			}
			_, shown := f.waiting(t, deviceauth.Match{})
			// Between the list and the answer:
			f.queue(t, machines["pc-1"], "pc-one", "CORP", desk)                            // another name
			f.queue(t, machines["pc-2"], "pc-2", "CORP", netip.MustParseAddr("192.0.2.1"))  // another place
			f.queue(t, machines["pc-6"], "pc-6", "GUEST", desk)                             // another domain
			f.queue(t, newMachine(t, "new"), "pc-new", "CORP", desk)                        // one that was not shown
			if _, err := f.Approve(t.Context(), "admin", shown[3].ID, "", ""); err != nil { // approved by somebody else
				t.Fatal(err)
			}
			if _, err := f.Forget(t.Context(), "admin", shown[4].ID); err != nil {
				t.Fatal(err)
			}
			shown[5].Fingerprint = "0000-0000-0000-0000-0000-0000-0000-0000" // another key asks in its name
			var progress []int
			done, left, err := f.ApproveAll(t.Context(), "admin", "lab", shown, func(n int) { progress = append(progress, n) })
			if err != nil || len(done) != 1 || done[0].Hostname != "pc-0" || done[0].Group != "lab" {
				t.Fatalf("approved %+v, %v", done, err)
			}
			why := map[string]string{}
			for _, l := range left {
				why[l.Hostname] = l.Why
			}
			want := map[string]string{
				"pc-1": "it calls itself pc-one by now", "pc-2": "it is at 192.0.2.1 by now", "pc-3": "it is approved by now",
				"pc-4": "it does not wait any more", "pc-5": "it has another key by now", "pc-6": "it says that it joined GUEST by now",
			}
			if diff := cmp.Diff(want, why); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]int{7}, progress); diff != "" {
				t.Error(diff)
			}
			if e, err := f.ask(t, machines["pc-0"], ""); err != nil || e.Status != api.EnrolmentDone {
				t.Errorf("the approved one: %+v, %v", e, err)
			}
			for _, host := range []string{"pc-1", "pc-2", "pc-5", "pc-6"} {
				if e, err := f.ask(t, machines[host], ""); err != nil || e.Status != api.EnrolmentPending {
					t.Errorf("%s: %+v, %v", host, e, err)
				}
			}
			if got := f.audited(t, "device.approve"); len(got) != 2 || got[0] != "in bulk" {
				t.Errorf("audit: %q", got)
			}
			if _, _, err := f.ApproveAll(t.Context(), "admin", "nope", shown, func(int) {}); !errors.Is(err, core.ErrInvalid) {
				t.Errorf("an unknown group: %v", err)
			}
		})
	}
}

func TestApprovedInBulkAMachineKeepsTheGroupOfTheRecordItTakesOver(t *testing.T) {
	f := newFixture(t, groups)
	old := newMachine(t, "a")
	f.enrol(t, old, "lab")
	again := newMachine(t, "a")
	again.id = "machine-a-installed-anew"
	f.queue(t, again, "pc-a", "CORP", desk)
	list, err := f.Waiting(t.Context(), deviceauth.Match{})
	if err != nil || len(list) != 1 || list[0].Replaces != old.device {
		t.Fatalf("waiting: %+v, %v", list, err)
	}
	_, chosen := f.waiting(t, deviceauth.Match{})
	if done, left, err := f.ApproveAll(t.Context(), "admin", "", chosen, func(int) {}); err != nil || len(done) != 1 || done[0].Group != "lab" {
		t.Errorf("%+v, %+v, %v", done, left, err)
	}
}

// What a machine says of its hardware decides whose record, and with it whose group, it takes over.
func TestInBulkNoMachineTakesOverARecordThatWasNotShown(t *testing.T) {
	f := newFixture(t, groups)
	victim, rogue := newMachine(t, "a"), newMachine(t, "a")
	rogue.id = "machine-rogue"
	f.queue(t, rogue, "pc-r", "CORP", desk)
	_, shown := f.waiting(t, deviceauth.Match{})
	f.enrol(t, victim, "lab") // between the list and the answer
	done, left, err := f.ApproveAll(t.Context(), "admin", "", shown, func(int) {})
	if err != nil || len(done) != 0 || len(left) != 1 || left[0].Why != "it would take over the record of "+victim.device+" by now" {
		t.Fatalf("%+v, %+v, %v", done, left, err)
	}
	_, shown = f.waiting(t, deviceauth.Match{})
	if _, err := f.Forget(t.Context(), "admin", victim.device); err != nil {
		t.Fatal(err)
	}
	if done, left, err := f.ApproveAll(t.Context(), "admin", "", shown, func(int) {}); err != nil || len(done) != 0 || len(left) != 1 {
		t.Errorf("shown with a record that is gone: %+v, %+v, %v", done, left, err)
	}
	_, shown = f.waiting(t, deviceauth.Match{})
	if done, left, err := f.ApproveAll(t.Context(), "admin", "", shown, func(int) {}); err != nil || len(done) != 1 || len(left) != 0 {
		t.Errorf("as shown: %+v, %+v, %v", done, left, err)
	}
}

func TestAMachineThatWaitsClaimsNoOtherHardwareLater(t *testing.T) {
	f := newFixture(t, groups)
	victim, rogue := newMachine(t, "a"), newMachine(t, "r")
	f.enrol(t, victim, "lab")
	f.queue(t, rogue, "pc-r", "CORP", desk)
	_, shown := f.waiting(t, deviceauth.Match{})
	if done, _, err := f.ApproveAll(t.Context(), "admin", "", shown, func(int) {}); err != nil || len(done) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	rogue.hardware = victim.hardware
	f.now = f.now.Add(time.Minute) // the newest record of a hardware is the one that is taken over
	if e, err := f.ask(t, rogue, ""); err != nil || e.Status != api.EnrolmentDone {
		t.Fatalf("%+v, %v", e, err)
	}
	again := newMachine(t, "a")
	again.id = "machine-a-installed-anew"
	f.queue(t, again, "pc-a", "CORP", desk)
	list, err := f.Waiting(t.Context(), deviceauth.Match{})
	if err != nil || len(list) != 1 || list[0].Replaces != victim.device {
		t.Errorf("the victim, installed anew, takes over %+v instead of %s: %v", list, victim.device, err)
	}
}

// A list of UUIDs, a copied disk, or somebody who has read the label: only one of those that claim a hardware has it.
func TestInBulkNoneOfThoseIsApprovedThatClaimTheSameHardware(t *testing.T) {
	f := newFixture(t, groups)
	real, copied, other := newMachine(t, "a"), newMachine(t, "b"), newMachine(t, "c")
	real.hardware = deviceauth.HardwareID(uuid)
	copied.hardware = real.hardware
	f.queue(t, real, "pc-1", "CORP", desk)
	f.queue(t, other, "pc-3", "CORP", desk)
	f.queue(t, copied, "pc-2", "CORP", desk)
	listed, _ := f.waiting(t, deviceauth.Match{List: []deviceauth.Listed{{UUID: uuid}}})
	if diff := cmp.Diff([]string{"pc-1", "pc-2"}, listed); diff != "" {
		t.Fatal(diff)
	}
	approve := func() (approved, leftOut []string) {
		t.Helper()
		_, shown := f.waiting(t, deviceauth.Match{})
		done, left, err := f.ApproveAll(t.Context(), "admin", "", shown, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range done {
			approved = append(approved, d.Hostname)
		}
		for _, l := range left {
			leftOut = append(leftOut, l.Hostname)
			if !strings.Contains(l.Why, "same hardware") {
				t.Errorf("%s: %s", l.Hostname, l.Why)
			}
		}
		return approved, leftOut
	}
	approved, leftOut := approve()
	if diff := cmp.Diff([][]string{{"pc-3"}, {"pc-1", "pc-2"}}, [][]string{approved, leftOut}); diff != "" {
		t.Error(diff)
	}
	if _, err := f.Approve(t.Context(), "admin", "pc-1", "", ""); err != nil {
		t.Fatal(err)
	}
	if approved, leftOut := approve(); len(approved) != 0 || len(leftOut) != 1 {
		t.Errorf("beside one that is approved and not a device yet: %q, %q", approved, leftOut)
	}
	// Both may be the same computer, installed anew while it waited: then the first one is silent.
	f.now = f.now.Add(2 * time.Hour)
	f.queue(t, copied, "pc-2", "CORP", desk)
	if approved, leftOut := approve(); len(approved) != 1 || len(leftOut) != 0 {
		t.Errorf("two hours later: %q, %q", approved, leftOut)
	}
}

// A whole company at once: several transactions, and a queue that somebody has filled.
func TestManyMachinesWaitAreApprovedAndTurnedAway(t *testing.T) {
	f := newFixture(t, groups)
	const many, part = 5000, 500
	put := func(n int, seen time.Time) {
		f.update(t, func(tx store.Tx) error {
			for i := range n {
				id := fmt.Sprintf("%s-%04d", seen.Format("150405"), i)
				if err := tx.CreateDevice(t.Context(), core.Device{
					ID: id, Status: core.DevicePending, MachineID: id, KeyHash: [32]byte{byte(i), byte(i >> 8), byte(seen.Minute())}, Hostname: "pc-" + id, Address: desk.String(),
					CreatedAt: seen, LastSeenAt: seen,
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	put(many, start)
	var limited *core.LimitedError
	if _, err := f.ask(t, newMachine(t, "late"), ""); !errors.As(err, &limited) {
		t.Errorf("the queue is full: %v", err)
	}
	_, chosen := f.waiting(t, deviceauth.Match{})
	if len(chosen) != many {
		t.Fatalf("%d wait", len(chosen))
	}
	steps := 0
	done, left, err := f.ApproveAll(t.Context(), "admin", "", chosen[:part], func(int) { steps++ })
	if err != nil || len(done) != part || len(left) != 0 || steps != part/100 {
		t.Errorf("approved %d, left %d, %d steps, %v", len(done), len(left), steps, err)
	}
	gone, left, err := f.ForgetAll(t.Context(), "admin", chosen[:2*part], func(int) {})
	if err != nil || len(gone) != part || len(left) != part {
		t.Errorf("turned away %d, left %d, %v", len(gone), len(left), err)
	}
	if hosts, _ := f.waiting(t, deviceauth.Match{}); len(hosts) != many-2*part {
		t.Errorf("%d wait still", len(hosts))
	}

	// Who filled the queue and went away gives way to those that ask.
	put(2*part, start.Add(time.Minute))
	f.now = start.Add(30 * time.Minute)
	if _, err := f.ask(t, newMachine(t, "patient"), ""); !errors.As(err, &limited) {
		t.Errorf("they may still be there: %v", err)
	}
	f.now = start.Add(2 * time.Hour)
	if e, err := f.ask(t, newMachine(t, "patient"), ""); err != nil || e.Status != api.EnrolmentPending {
		t.Errorf("two hours later: %+v, %v", e, err)
	}
	if hosts, _ := f.waiting(t, deviceauth.Match{}); len(hosts) != 1 {
		t.Errorf("%d wait", len(hosts))
	}
}
