package deviceauth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/pki"
)

func TestATokenIsGoodForSoManyMachines(t *testing.T) {
	f := newFixture(t, groups)
	kept, token := f.token(t, deviceauth.NewToken{Group: "lab", Uses: 2})
	for i, want := range []error{nil, nil, deviceauth.ErrToken} {
		m := newMachine(t, string(rune('a'+i)))
		e, err := f.ask(t, m, token)
		if !errors.Is(err, want) {
			t.Fatalf("machine %d: %v, want %v", i, err, want)
		}
		if err != nil {
			continue
		}
		m.take(t, e)
		if c := f.caller(t, m); c.Device.Group != "lab" || c.Device.TokenID != kept.ID || c.Device.Hostname != "pc-"+m.id || c.Device.Address != desk.String() {
			t.Errorf("device: %+v", c.Device)
		}
	}
	list, err := f.Tokens(t.Context())
	if err != nil || len(list) != 1 || list[0].Used != 2 || f.TokenState(list[0]) != "used up" || list[0].SecretHash != [32]byte{} {
		t.Errorf("tokens: %+v, %v", list, err)
	}
}

func TestTwoMachinesAtOnceDoNotUseOneTokenTwice(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), groups)
			_, token := f.token(t, deviceauth.NewToken{})
			wantOne(t, 4, deviceauth.ErrToken, func(i int) func() error {
				m := newMachine(t, string(rune('a'+i)))
				in := api.Enrolment{Token: token, CSR: m.csr(t), Machine: m.machineID()}
				return func() error { _, err := f.Enrol(t.Context(), in, desk); return err }
			})
		})
	}
}

// Whoever installs one computer and approves it waits for seconds; a whole company's computers do not ask all the time.
func TestE9_AMachineAsksOftenAtFirstUnlessManyDo(t *testing.T) {
	f := newFixture(t, groups)
	asks := func(m *machine, from int, want int) {
		t.Helper()
		in := api.Enrolment{CSR: m.csr(t), Machine: m.machineID()}
		e, err := f.Enrol(t.Context(), in, netip.AddrFrom4([4]byte{10, 0, byte(from), 1}))
		if err != nil || e.Status != api.EnrolmentPending || e.PollAfter != want {
			t.Errorf("machine %s: %+v, %v; it should ask again after %d s", m.id, e, err, want)
		}
	}
	first := newMachine(t, "first")
	asks(first, 0, 5)
	f.now = f.now.Add(3*time.Minute - time.Second)
	asks(first, 0, 5)
	f.now = f.now.Add(time.Second)
	asks(first, 0, 30)
	last := first
	for i := 1; i < 100; i++ {
		last = newMachine(t, fmt.Sprint("m", i))
		asks(last, i, 5)
	}
	asks(last, 99, 5)
	asks(newMachine(t, "one more"), 100, 30)
	asks(last, 99, 30)
}

// R-TRUST-3, at the same moment.
func TestTwoAssertionsAtOnceDoNotUseOneNonceTwice(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), groups)
			m := newMachine(t, "a")
			f.enrol(t, m, "lab")
			c, body := f.caller(t, m), f.body(t, m, corp("alex"))
			wantOne(t, 4, deviceauth.ErrNonce, func(int) func() error {
				assertion := m.sign(t, body)
				return func() error { _, err := f.Assert(t.Context(), c, assertion, desk); return err }
			})
		})
	}
}

// wantOne runs n at once, of which one must get through and the others lose with that error.
func wantOne(t *testing.T, n int, lose error, prepare func(i int) func() error) {
	t.Helper()
	var won, lost atomic.Int32
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		run := prepare(i)
		all.Go(func() {
			<-begin
			switch err := run(); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, lose):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if won.Load() != 1 || int(lost.Load()) != n-1 {
		t.Errorf("%d got through and %d were refused, want 1 and %d", won.Load(), lost.Load(), n-1)
	}
}

func TestWhatIsWrongWithATokenIsOneAnswer(t *testing.T) {
	for name, run := range map[string]func(f *fixture, token string) string{
		"wrong":   func(*fixture, string) string { return api.EnrolmentSecretPrefix + strings.Repeat("a", 26) },
		"expired": func(f *fixture, token string) string { f.now = f.now.Add(deviceauth.DefaultTokenLife); return token },
		"revoked": func(f *fixture, token string) string {
			list, err := f.Tokens(t.Context())
			if err = errors.Join(err, f.RevokeToken(t.Context(), "admin", list[0].ID)); err != nil {
				t.Error(err)
			}
			return token
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, groups)
			_, token := f.token(t, deviceauth.NewToken{})
			if _, err := f.ask(t, newMachine(t, "a"), run(f, token)); !errors.Is(err, deviceauth.ErrToken) {
				t.Errorf("%v, want ErrToken", err)
			}
		})
	}
	f := newFixture(t, groups)
	if err := f.RevokeToken(t.Context(), "admin", "nope"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("RevokeToken of none: %v", err)
	}
}

func TestACampaignIsLimitedByGroupNetworkAndRate(t *testing.T) {
	f := newFixture(t, groups)
	for name, n := range map[string]deviceauth.NewToken{
		"no group":    {Campaign: true, Networks: "10.20.0.0/16"},
		"no network":  {Campaign: true, Group: "lab"},
		"401 days":    {Campaign: true, Group: "lab", Networks: "10.20.0.0/16", Life: 401 * 24 * time.Hour},
		"31 days":     {Life: 31 * 24 * time.Hour},
		"other group": {Group: "nope"},
		"nonsense":    {Networks: "here"},
	} {
		if _, _, err := f.CreateToken(t.Context(), "admin", n); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v, want core.ErrInvalid", name, err)
		}
	}
	_, token := f.token(t, deviceauth.NewToken{Campaign: true, Group: "lab", Networks: "10.20.0.0/16", Life: 400 * 24 * time.Hour, PerHour: 3})
	ask := func(name string, from netip.Addr) error {
		m := newMachine(t, name)
		_, err := f.Enrol(t.Context(), api.Enrolment{Token: token, CSR: m.csr(t), Machine: m.machineID()}, from)
		return err
	}
	for i, want := range []error{nil, nil, nil, deviceauth.ErrToken} {
		if err := ask(string(rune('a'+i)), desk); !errors.Is(err, want) {
			t.Errorf("machine %d: %v, want %v", i, err, want)
		}
	}
	f.now = f.now.Add(time.Hour)
	if err := ask("x", desk); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	if err := ask("y", netip.MustParseAddr("192.0.2.1")); !errors.Is(err, deviceauth.ErrToken) {
		t.Errorf("from elsewhere: %v, want ErrToken", err)
	}
	_, token = f.token(t, deviceauth.NewToken{Campaign: true, Group: "lab", Networks: "10.20.0.0/16", Uses: 1})
	for _, want := range []error{nil, deviceauth.ErrToken} {
		if err := ask("z"+fmt.Sprint(want), desk); !errors.Is(err, want) {
			t.Errorf("of a number: %v, want %v", err, want)
		}
	}
}

// D4: ten tries a minute from one address, counted in the database; a good token does not help either then.
func TestAnAddressHasTenTriesAMinute(t *testing.T) {
	f := newFixture(t, groups)
	_, good := f.token(t, deviceauth.NewToken{})
	bad := api.EnrolmentSecretPrefix + strings.Repeat("a", 26)
	for range 10 {
		if _, err := f.ask(t, newMachine(t, "a"), bad); !errors.Is(err, deviceauth.ErrToken) {
			t.Fatalf("%v, want ErrToken", err)
		}
	}
	for _, token := range []string{bad, good, ""} {
		var limited *core.LimitedError
		if _, err := f.ask(t, newMachine(t, "a"), token); !errors.As(err, &limited) || !limited.RetryAt.Equal(start.Add(time.Minute)) {
			t.Errorf("%v, want a LimitedError", err)
		}
	}
	elsewhere := newMachine(t, "b")
	if _, err := f.Enrol(t.Context(), api.Enrolment{CSR: elsewhere.csr(t), Machine: elsewhere.machineID()}, netip.MustParseAddr("2001:db8::1")); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	f.now = f.now.Add(time.Minute)
	if _, err := f.ask(t, newMachine(t, "a"), good); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestAMachineWithoutATokenWaitsForTheAdministrator(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	e, err := f.ask(t, m, "")
	request, _ := pki.ParseRequest(m.csr(t))
	if err != nil || e.Status != api.EnrolmentPending || e.Fingerprint != pki.Fingerprint(request.KeyHash) || e.PollAfter != 5 || e.DeviceID != "" || e.Certificate != "" {
		t.Fatalf("%+v, %v", e, err)
	}
	if _, err := f.Approve(t.Context(), "admin", "pc-machine-a", "lab", "0000-0000"); !errors.Is(err, core.ErrConflict) {
		t.Errorf("another fingerprint: %v, want core.ErrConflict", err)
	}
	if e, err := f.ask(t, m, ""); err != nil || e.Status != api.EnrolmentPending {
		t.Errorf("asking again: %+v, %v", e, err)
	}
	if list, err := f.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("asking again makes another device: %v, %v", list, err)
	}
	if _, err := f.Approve(t.Context(), "admin", "pc-machine-a", "nope", ""); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("an unknown group: %v", err)
	}
	if _, err := f.Approve(t.Context(), "admin", "pc-machine-a", "lab", strings.ToUpper(e.Fingerprint)); err != nil {
		t.Fatal(err)
	}
	impostor := newMachine(t, "a") // the same machine's name and ids, but not its key
	if e, err := f.ask(t, impostor, ""); err != nil || e.Status != api.EnrolmentPending {
		t.Errorf("another key: %+v, %v; want it to wait", e, err)
	}
	e, err = f.ask(t, m, "")
	if err != nil || e.Status != api.EnrolmentDone {
		t.Fatalf("after the approval: %+v, %v", e, err)
	}
	m.take(t, e)
	if c := f.caller(t, m); c.Device.Group != "lab" || c.Device.TokenID != "" {
		t.Errorf("device: %+v", c.Device)
	}
	if _, err := f.Approve(t.Context(), "admin", m.device, "lab", ""); !errors.Is(err, core.ErrConflict) {
		t.Errorf("approving a device: %v", err)
	}
}

func TestAMachineThatWaitsMayStillBringAToken(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	if _, err := f.ask(t, m, ""); err != nil {
		t.Fatal(err)
	}
	f.enrol(t, m, "lab")
	if list, err := f.List(t.Context()); err != nil || len(list) != 1 || list[0].Status != core.DeviceEnrolled {
		t.Errorf("devices: %+v, %v", list, err)
	}
}

// A lost reply, or a long summer: asking again with the same key brings a new certificate and uses nothing up.
func TestAskingAgainWithTheSameKeyIsSafe(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	_, token := f.token(t, deviceauth.NewToken{})
	for i, wait := range []time.Duration{0, time.Second, 100 * 24 * time.Hour} { // the certificate lasts 90 days
		f.now = f.now.Add(wait)
		e, err := f.ask(t, m, token)
		if err != nil || e.Status != api.EnrolmentDone || m.device != "" && e.DeviceID != m.device {
			t.Fatalf("time %d: %+v, %v", i, e, err)
		}
		m.take(t, e)
		f.caller(t, m)
	}
	f.now = f.now.Add((90 + 181) * 24 * time.Hour)
	if _, err := f.ask(t, m, ""); !errors.Is(err, deviceauth.ErrKeyUsed) {
		t.Errorf("half a year after the end: %v, want ErrKeyUsed", err)
	}
}

func TestADeviceGetsTenCertificatesAnHour(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	var limited *core.LimitedError
	for i := range 10 {
		if _, err := f.ask(t, m, ""); errors.As(err, &limited) != (i == 9) {
			t.Fatalf("time %d: %v", i, err)
		}
	}
	if _, err := f.Renew(t.Context(), f.caller(t, m), api.Renewal{CSR: m.csr(t), Machine: m.machineID()}, desk); !errors.As(err, &limited) {
		t.Errorf("a renewal: %v", err)
	}
	f.now = f.now.Add(time.Hour)
	if _, err := f.ask(t, m, ""); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestACloneMustEnrolWithAKeyOfItsOwn(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	clone := *m
	clone.id, clone.hardware = "machine-clone", "hardware-clone"
	body := f.body(t, &clone, corp("alex"))
	if _, err := f.Assert(t.Context(), f.caller(t, &clone), clone.sign(t, body), desk); !errors.Is(err, deviceauth.ErrUnknown) {
		t.Errorf("an assertion: %v, want ErrUnknown", err)
	}
	if _, err := f.Renew(t.Context(), f.caller(t, &clone), api.Renewal{CSR: clone.csr(t), Machine: clone.machineID()}, desk); !errors.Is(err, deviceauth.ErrUnknown) {
		t.Errorf("a renewal: %v, want ErrUnknown", err)
	}
	if _, err := f.Report(t.Context(), f.caller(t, &clone), api.DeviceReport{MachineID: clone.id}, desk); !errors.Is(err, deviceauth.ErrUnknown) {
		t.Errorf("a report: %v, want ErrUnknown", err)
	}
	_, token := f.token(t, deviceauth.NewToken{Uses: 5})
	if _, err := f.ask(t, &clone, token); !errors.Is(err, deviceauth.ErrKeyUsed) {
		t.Errorf("enrolling with the old key: %v, want ErrKeyUsed", err)
	}
	clone.newKey(t)
	e, err := f.ask(t, &clone, token)
	if err != nil || e.DeviceID == m.device {
		t.Fatalf("enrolling with a new key: %+v, %v", e, err)
	}
	if _, err := f.vouch(t, m, corp("alex")); err != nil {
		t.Errorf("the original: %v", err)
	}
}

func TestAMachineInstalledAnewReplacesItsRecord(t *testing.T) {
	for _, way := range []string{"token", "approval"} {
		t.Run(way, func(t *testing.T) {
			f := newFixture(t, groups)
			m := newMachine(t, "a")
			f.enrol(t, m, "lab")
			if _, err := f.vouch(t, m, corp("alex")); err != nil {
				t.Fatal(err)
			}
			anew := newMachine(t, "anew")
			anew.hardware = m.hardware
			f.now = f.now.Add(time.Hour)
			if way == "token" {
				f.enrol(t, anew, "lab")
			} else {
				if _, err := f.ask(t, anew, ""); err != nil {
					t.Fatal(err)
				}
				if d, err := f.Show(t.Context(), "pc-machine-anew"); err != nil || d.Replaces != m.device {
					t.Errorf("the administrator is not told what it replaces: %+v, %v", d, err)
				}
				f.caller(t, m) // nothing happens before the approval
				if _, err := f.Approve(t.Context(), "admin", "pc-machine-anew", "", ""); err != nil {
					t.Fatal(err)
				}
				e, err := f.ask(t, anew, "")
				if err != nil {
					t.Fatal(err)
				}
				anew.take(t, e)
			}
			if _, err := f.Authenticate(t.Context(), m.cert); !errors.Is(err, deviceauth.ErrUnknown) {
				t.Errorf("the old certificate: %v, want ErrUnknown", err)
			}
			d, err := f.Show(t.Context(), anew.device)
			if err != nil || anew.device != m.device || d.Group != "lab" || !d.CreatedAt.Equal(start) || len(d.Certificates) != 2 || len(d.Users) != 1 ||
				d.Certificates[1].Reason != "replaced" {
				t.Errorf("its history: %+v, %v", d, err)
			}
			if len(f.revoked) != 1 || f.revoked[0] != m.device {
				t.Errorf("OnRevoke was told of %v", f.revoked)
			}
			if list, err := f.List(t.Context()); err != nil || len(list) != 1 {
				t.Errorf("devices: %v, %v", list, err)
			}
		})
	}
}

// R-TRUST-1 begins here: what is not (any more) a device of ours is nobody. The listener's part is in package deviceapi.
func TestFault_F18_ACertificateThatIsOfNoUse(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, f *fixture, m *machine){
		"revoked": func(t *testing.T, f *fixture, m *machine) {
			if _, err := f.Revoke(t.Context(), "admin", m.device); err != nil {
				t.Error(err)
			}
		},
		"forgotten": func(t *testing.T, f *fixture, m *machine) {
			if _, err := f.Forget(t.Context(), "admin", m.device); err != nil {
				t.Error(err)
			}
		},
		"expired":       func(_ *testing.T, f *fixture, _ *machine) { f.now = f.now.Add(pki.DeviceValid + time.Second) },
		"of another CA": func(t *testing.T, _ *fixture, m *machine) { newFixture(t, groups).enrol(t, m, "lab") },
		"of another database": func(t *testing.T, f *fixture, m *machine) { // the CA is ours, but the store knows nothing of it
			if err := f.forgetCertificates(t, m); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, groups)
			m := newMachine(t, "a")
			f.enrol(t, m, "lab")
			caller := f.caller(t, m)
			body := f.body(t, m, corp("alex"))
			run(t, f, m)
			if _, err := f.Authenticate(t.Context(), m.cert); !errors.Is(err, deviceauth.ErrUnknown) {
				t.Errorf("Authenticate: %v, want ErrUnknown", err)
			}
			if name == "expired" || name == "of another CA" {
				return
			}
			// A request that was authenticated a moment before.
			if _, err := f.Assert(t.Context(), caller, m.sign(t, body), desk); !errors.Is(err, deviceauth.ErrUnknown) {
				t.Errorf("Assert: %v, want ErrUnknown", err)
			}
			if _, err := f.Renew(t.Context(), caller, api.Renewal{CSR: m.csr(t), Machine: m.machineID()}, desk); !errors.Is(err, deviceauth.ErrUnknown) {
				t.Errorf("Renew: %v, want ErrUnknown", err)
			}
		})
	}
}

func TestARevokedDeviceComesBackOnlyByWhatWasMadeSince(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	_, campaign := f.token(t, deviceauth.NewToken{Campaign: true, Group: "lab", Networks: "10.0.0.0/8"})
	e, err := f.ask(t, m, campaign)
	if err != nil {
		t.Fatal(err)
	}
	m.take(t, e)
	f.now = f.now.Add(time.Minute)
	if d, err := f.Revoke(t.Context(), "admin", m.device); err != nil || d.Status != core.DeviceRevoked {
		t.Fatal(d, err)
	}
	if _, err := f.ask(t, m, campaign); !errors.Is(err, deviceauth.ErrKeyUsed) {
		t.Errorf("with its old key: %v, want ErrKeyUsed", err)
	}
	m.newKey(t)
	if _, err := f.ask(t, m, campaign); !errors.Is(err, deviceauth.ErrToken) {
		t.Errorf("by a token from before: %v, want ErrToken", err)
	}
	f.now = f.now.Add(time.Minute)
	old := m.device
	f.enrol(t, m, "lab")
	if m.device != old {
		t.Error("it got another record")
	}
	if len(f.revoked) != 2 { // by the administrator, and what was left by the new enrolment
		t.Errorf("OnRevoke was told of %v", f.revoked)
	}
}

func TestRenewal(t *testing.T) {
	for _, way := range []string{"same key", "new key"} {
		t.Run(way, func(t *testing.T) {
			f := newFixture(t, groups)
			m := newMachine(t, "a")
			f.enrol(t, m, "lab")
			report := api.DeviceReport{Hostname: "pc1", MachineID: m.id, LastError: "none"}
			state := func(m *machine) api.DeviceState {
				t.Helper()
				st, err := f.Report(t.Context(), f.caller(t, m), report, desk)
				if err != nil {
					t.Fatal(err)
				}
				return st
			}
			if state(m).Renew {
				t.Error("a new certificate is to be renewed")
			}
			f.now = f.now.Add(60 * 24 * time.Hour)
			if !state(m).Renew {
				t.Error("a certificate of 60 days is not to be renewed")
			}
			next := *m
			if way == "new key" {
				next.newKey(t)
			}
			e, err := f.Renew(t.Context(), f.caller(t, m), api.Renewal{CSR: next.csr(t), Machine: next.machineID()}, desk)
			if err != nil {
				t.Fatal(err)
			}
			next.take(t, e)
			f.caller(t, m) // the reply may be lost: the old one is good until the new one is used
			if state(&next).Renew {
				t.Error("the renewed certificate is to be renewed")
			}
			if _, err := f.Authenticate(t.Context(), m.cert); !errors.Is(err, deviceauth.ErrUnknown) {
				t.Errorf("the old certificate: %v, want ErrUnknown", err)
			}
			if _, err := f.vouch(t, &next, corp("alex")); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("the key of another machine", func(t *testing.T) {
		f := newFixture(t, groups)
		a, b := newMachine(t, "a"), newMachine(t, "b")
		f.enrol(t, a, "lab")
		f.enrol(t, b, "lab")
		if _, err := f.Renew(t.Context(), f.caller(t, a), api.Renewal{CSR: b.csr(t), Machine: a.machineID()}, desk); !errors.Is(err, deviceauth.ErrKeyUsed) {
			t.Errorf("%v, want ErrKeyUsed", err)
		}
	})
}

func TestWhatADeviceIsTold(t *testing.T) {
	f := newFixture(t, "- {name: lab, role: shared, auth_modes: [trust, prompt]}\n- {name: gone}\n")
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	st, err := f.Report(t.Context(), f.caller(t, m), api.DeviceReport{Hostname: "new-name", LastError: "disk"}, desk)
	if err != nil || st.DeviceID != m.device || st.Group != "lab" || st.Role != "shared" || len(st.AuthModes) != 2 || len(st.SharedOSUsers) != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	if d, err := f.Show(t.Context(), "NEW-NAME"); err != nil || d.LastError != "disk" || d.Fingerprint == "" {
		t.Errorf("%+v, %v", d, err)
	}
	plain := newMachine(t, "b")
	f.enrol(t, plain, "")
	if st, err := f.Report(t.Context(), f.caller(t, plain), api.DeviceReport{}, desk); err != nil || st.Group != "default" || st.Role != "personal" || st.AuthModes == nil {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := f.Report(t.Context(), f.caller(t, m), api.DeviceReport{Hostname: strings.Repeat("x", 256)}, desk); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a long name: %v", err)
	}
}

func TestWhatIsNoEnrolment(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	for name, in := range map[string]api.Enrolment{
		"no request":     {Machine: m.machineID()},
		"no machine":     {CSR: m.csr(t)},
		"a long machine": {CSR: m.csr(t), Machine: api.MachineID{ID: strings.Repeat("x", 129)}},
		"controls":       {CSR: m.csr(t), Machine: m.machineID(), Report: api.DeviceReport{Hostname: "a\x1b[2J"}},
	} {
		if _, err := f.Enrol(t.Context(), in, desk); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v, want core.ErrInvalid", name, err)
		}
	}
}

func TestPurgeForgetsWhoDoesNotWaitAnyMore(t *testing.T) {
	f := newFixture(t, groups)
	if _, err := f.ask(t, newMachine(t, "a"), ""); err != nil {
		t.Fatal(err)
	}
	f.token(t, deviceauth.NewToken{})
	for _, tt := range []struct {
		after           time.Duration
		devices, tokens int
	}{{13 * 24 * time.Hour, 1, 1}, {40 * 24 * time.Hour, 0, 0}} {
		f.now = start.Add(tt.after)
		if err := f.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		devices, err := f.List(t.Context())
		tokens, err2 := f.Tokens(t.Context())
		if len(devices) != tt.devices || len(tokens) != tt.tokens || err != nil || err2 != nil {
			t.Errorf("after %v: %v, %v", tt.after, devices, tokens)
		}
	}
}

func TestStaleDevices(t *testing.T) {
	f := newFixture(t, groups)
	a, b := newMachine(t, "a"), newMachine(t, "b")
	f.enrol(t, a, "lab")
	f.now = f.now.Add(30 * 24 * time.Hour)
	f.enrol(t, b, "lab")
	list, err := f.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stale := f.Stale(list, 30*24*time.Hour); len(stale) != 1 || stale[0].ID != a.device {
		t.Errorf("stale: %+v", stale)
	}
}
