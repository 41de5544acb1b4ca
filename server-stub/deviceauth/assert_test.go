package deviceauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/store"
)

func secretOf(text string) secret.String { return secret.New(text) }

const groups = `
- {name: lab, role: shared}
- {name: few, users_per_day: 2}
- {name: corponly, domains: [CORP]}
- {name: byname, users: [alex@example.org]}
- {name: here, networks: [10.20.0.0/16]}
- {name: there, networks: [192.0.2.0/24]}
- {name: asks, auth_modes: [microsoft, prompt]}
- {name: listed, local_accounts: {teacher: alex@example.org}}
`

func TestAnEnrolledMachineVouchesForWhoIsLoggedOn(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	sid := corp("whatever")
	sid.SID = "S-1-5-21-1-2-3-1002"
	for name, tt := range map[string]struct {
		account api.OSAccount
		want    string
	}{
		"DOMAIN and name":        {corp("alex"), "alex@example.org"},
		"SID before the name":    {sid, "bea@example.org"},
		"UPN":                    {api.OSAccount{Kind: "azuread", Domain: "AzureAD", Name: "AlexTest", UPN: "alex@example.org"}, "alex@example.org"},
		"S-1-12-1":               {api.OSAccount{Kind: "azuread", Domain: "AzureAD", Name: "BeaTest", SID: oidSID}, "bea@example.org"},
		"another of our domains": {api.OSAccount{Kind: "domain", Domain: "GUEST", Name: "gus", JoinDomain: "CORP"}, "gus@guest.example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			code, err := f.vouch(t, m, tt.account)
			if err != nil {
				t.Fatal(err)
			}
			grant := f.who(t, code)
			if grant.User != f.people[tt.want] || grant.Assurance != core.AssuranceMachine || grant.Device != m.device || grant.Host != "pc-machine-a" ||
				grant.Facts.Name != tt.account.Name {
				t.Errorf("got %+v, want %s", grant, tt.want)
			}
		})
	}
}

func TestTwoUsersOnOneHostAndSeveralSessionsAreEachTheirOwn(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	seen := map[string]bool{}
	for i, name := range []string{"alex", "bea", "alex"} {
		body := f.body(t, m, corp(name))
		body.Session, body.UID = fmt.Sprint("c", i), fmt.Sprint(1000+i)
		code, err := f.Assert(t.Context(), f.caller(t, m), m.sign(t, body), desk)
		if err != nil {
			t.Fatal(err)
		}
		if seen[code.Code] {
			t.Error("two sessions got one code")
		}
		seen[code.Code] = true
		if got := f.who(t, code).User; got != f.people[name+"@example.org"] {
			t.Errorf("%s is user %d", name, got)
		}
	}
	d, err := f.Show(t.Context(), m.device)
	if err != nil || len(d.Users) != 2 {
		t.Errorf("users of the device: %v, %v", d.Users, err)
	}
}

// R-TRUST-2: the certificate of one device with the assertion of another.
func TestR_TRUST_2_AnAssertionOfAnotherDeviceProvesNothing(t *testing.T) {
	f := newFixture(t, groups)
	a, b := newMachine(t, "a"), newMachine(t, "b")
	f.enrol(t, a, "lab")
	f.enrol(t, b, "lab")
	signedByB := b.sign(t, f.body(t, b, corp("alex")))
	nameOfB := f.body(t, a, corp("alex"))
	nameOfB.Device = b.device
	nonceOfB := f.body(t, a, corp("alex"))
	nonceOfB.Nonce = f.Nonce(f.caller(t, b)).Nonce
	changed := a.sign(t, f.body(t, a, corp("alex")))
	changed.Body = []byte(strings.Replace(string(changed.Body), "alex", "beaa", 1))
	for name, tt := range map[string]struct {
		assertion api.Assertion
		want      error
	}{
		"signed by B":         {signedByB, deviceauth.ErrAssertion},
		"naming B":            {a.sign(t, nameOfB), deviceauth.ErrAssertion},
		"with a nonce of B":   {a.sign(t, nonceOfB), deviceauth.ErrNonce},
		"changed after":       {changed, deviceauth.ErrAssertion},
		"without a signature": {api.Assertion{Body: changed.Body}, deviceauth.ErrAssertion},
	} {
		_, err := f.Assert(t.Context(), f.caller(t, a), tt.assertion, desk)
		if !errors.Is(err, tt.want) || !errors.Is(err, core.ErrUnauthenticated) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// R-TRUST-3: a nonce is good once, for a minute, for one device, and only if it is ours.
func TestR_TRUST_3_AReplayedNonceProvesNothing(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	body := f.body(t, m, corp("alex"))
	assertion := m.sign(t, body)
	if _, err := f.Assert(t.Context(), f.caller(t, m), assertion, desk); err != nil {
		t.Fatal(err)
	}
	again := m.sign(t, body) // another signature over the same nonce
	old := f.body(t, m, corp("alex"))
	forged := f.body(t, m, corp("alex"))
	forged.Nonce = forged.Nonce[:20] + old.Nonce[20:30] + forged.Nonce[30:] // with other random bytes
	check := func(name string, a api.Assertion) {
		t.Helper()
		if _, err := f.Assert(t.Context(), f.caller(t, m), a, desk); !errors.Is(err, deviceauth.ErrNonce) {
			t.Errorf("%s: %v, want ErrNonce", name, err)
		}
	}
	check("the same assertion", assertion)
	check("the same nonce", again)
	check("a forged nonce", m.sign(t, forged))
	f.now = f.now.Add(api.NonceLife)
	check("after a minute", m.sign(t, old))
	if err := f.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after it was forgotten", assertion)
}

// R-TRUST-4: whoever the device may not vouch for is refused, whatever the reason with one answer, and the audit log has it.
func TestR_TRUST_4_WhoIsOutsideThePolicyIsRefused(t *testing.T) {
	admin := corp("alex")
	admin.SID = "S-1-5-21-1-2-3-500"
	for name, tt := range map[string]struct {
		group   string
		account api.OSAccount
		reason  string
	}{
		"unknown":                     {"lab", corp("nobody"), "unknown"},
		"unknown by its name only":    {"lab", api.OSAccount{Kind: "azuread", Domain: "AzureAD", Name: "alex"}, "unknown"},
		"of another forest":           {"lab", api.OSAccount{Kind: "domain", Domain: "OTHER", Name: "alex"}, "unknown"},
		"ambiguous":                   {"lab", api.OSAccount{Kind: "domain", Name: "twin"}, "ambiguous"},
		"a local account":             {"lab", api.OSAccount{Kind: "local", Domain: "PC1", Name: "alex", Hostname: "pc1"}, "not_a_directory_account"},
		"an account of unknown kind":  {"lab", api.OSAccount{Name: "alex"}, "not_a_directory_account"},
		"a job's owner":               {"lab", api.OSAccount{Kind: "job", Name: "alex"}, "not_a_directory_account"},
		"a shared account":            {"lab", corp("Kiosk"), "shared_account"},
		"the administrator":           {"lab", admin, "shared_account"},
		"of a domain not allowed":     {"corponly", api.OSAccount{Kind: "domain", Domain: "GUEST", Name: "gus", JoinDomain: "CORP"}, "domain"},
		"not one of the people":       {"byname", corp("bea"), "user"},
		"where trust is off":          {"asks", corp("alex"), "method_off"},
		"from another network":        {"there", corp("alex"), "network"},
		"a local account not listed":  {"listed", api.OSAccount{Kind: "local", Domain: "PC1", Name: "alex", Hostname: "pc1"}, "not_a_directory_account"},
		"a listed name of the domain": {"listed", corp("teacher"), "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, groups)
			m := newMachine(t, "a")
			f.enrol(t, m, tt.group)
			_, err := f.vouch(t, m, tt.account)
			if !errors.Is(err, deviceauth.ErrRefused) || !errors.Is(err, core.ErrForbidden) {
				t.Fatalf("%v, want ErrRefused", err)
			}
			if want := "check an assertion: " + deviceauth.ErrRefused.Error(); err.Error() != want {
				t.Errorf("the answer tells why: %s", err)
			}
			if got := f.audited(t, "trust.refuse"); len(got) != 1 || got[0] != "reason "+tt.reason {
				t.Errorf("audit log: %q, want reason %s", got, tt.reason)
			}
			if log := f.log.String(); strings.Contains(strings.ToLower(log), strings.ToLower(tt.account.Name)) {
				t.Errorf("the log has the name: %s", log)
			}
		})
	}
}

func TestDisabledPeopleAreRefusedAndNotReplaced(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	f.update(t, func(tx store.Tx) error {
		u, err := tx.User(t.Context(), f.people["alex@example.org"])
		u.Disabled = true
		return errors.Join(err, tx.UpdateUser(t.Context(), u))
	})
	if _, err := f.vouch(t, m, corp("alex")); !errors.Is(err, deviceauth.ErrRefused) {
		t.Errorf("%v, want ErrRefused", err)
	}
	if got := f.audited(t, "trust.refuse"); len(got) != 1 || got[0] != "reason disabled" {
		t.Errorf("audit log: %q", got)
	}
}

func TestWhoIsWithinThePolicyIsVouchedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		group   string
		account api.OSAccount
		want    string
	}{
		"of the domain":       {"corponly", corp("alex"), "alex@example.org"},
		"one of the people":   {"byname", corp("alex"), "alex@example.org"},
		"from the network":    {"here", corp("bea"), "bea@example.org"},
		"a listed local one":  {"listed", api.OSAccount{Kind: "local", Domain: "PC1", Name: "Teacher", Hostname: "pc1"}, "alex@example.org"},
		"in no group at all":  {"", corp("alex"), "alex@example.org"},
		"beside a listed one": {"listed", corp("bea"), "bea@example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, groups)
			m := newMachine(t, "a")
			f.enrol(t, m, tt.group)
			code, err := f.vouch(t, m, tt.account)
			if err != nil {
				t.Fatalf("%v, audit log %q", err, f.audited(t, "trust.refuse"))
			}
			if got := f.who(t, code).User; got != f.people[tt.want] {
				t.Errorf("user %d, want %s", got, tt.want)
			}
		})
	}
}

func TestADeviceVouchesForSoManyDifferentPeopleADay(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "few")
	gus := api.OSAccount{Kind: "domain", Domain: "GUEST", Name: "gus", JoinDomain: "CORP"}
	step := func(account api.OSAccount, want error) {
		t.Helper()
		if _, err := f.vouch(t, m, account); !errors.Is(err, want) {
			t.Errorf("%s at %v: %v, want %v", account.Name, f.now, err, want)
		}
	}
	step(corp("alex"), nil)
	f.now = f.now.Add(time.Hour)
	step(corp("bea"), nil)
	step(gus, deviceauth.ErrRefused)
	step(corp("alex"), nil) // not a new one
	f.now = f.now.Add(24*time.Hour - time.Second)
	step(gus, deviceauth.ErrRefused)
	f.now = f.now.Add(time.Second)
	step(gus, nil) // the others were there a day ago
}

// A clock that is wrong by more than a minute is told, whatever else is right.
func TestAClockThatIsFiveMinutesOffIsNamed(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	for name, tt := range map[string]struct {
		off, life time.Duration
		want      error
	}{
		"five minutes slow": {-5 * time.Minute, time.Minute, deviceauth.ErrClock},
		"five minutes fast": {5 * time.Minute, time.Minute, deviceauth.ErrClock},
		"a minute fast":     {time.Minute, time.Minute, nil},
		"two minutes slow":  {-2 * time.Minute, time.Minute, nil}, // ends a minute ago
		"more than that":    {-2*time.Minute - time.Second, time.Minute, deviceauth.ErrClock},
		"a long life":       {0, time.Hour, deviceauth.ErrClock},
		"no life":           {0, 0, deviceauth.ErrClock},
	} {
		body := f.body(t, m, corp("alex"))
		body.IssuedAt = f.now.Add(tt.off)
		body.ExpiresAt = body.IssuedAt.Add(tt.life)
		if _, err := f.Assert(t.Context(), f.caller(t, m), m.sign(t, body), desk); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestWhatIsNoAssertionIsInvalid(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	for name, change := range map[string]func(*api.AssertionBody){
		"a field":   nil,
		"version":   func(b *api.AssertionBody) { b.Version = 2 },
		"challenge": func(b *api.AssertionBody) { b.Challenge = "x" },
		"name":      func(b *api.AssertionBody) { b.OSAccount.Name = strings.Repeat("x", 256) },
		"controls":  func(b *api.AssertionBody) { b.OSAccount.Domain = "a\nb" },
	} {
		body := f.body(t, m, corp("alex"))
		assertion := m.sign(t, body)
		if change == nil {
			assertion = m.signText(t, append([]byte(`{"root":true,`), assertion.Body[1:]...))
		} else {
			change(&body)
			assertion = m.sign(t, body)
		}
		if _, err := f.Assert(t.Context(), f.caller(t, m), assertion, desk); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v, want core.ErrInvalid", name, err)
		}
	}
}

func TestADeviceIsHeldBack(t *testing.T) {
	f := newFixture(t, groups)
	m, other := newMachine(t, "a"), newMachine(t, "b")
	f.enrol(t, m, "lab")
	f.enrol(t, other, "lab")
	c := f.caller(t, m)
	var limited *core.LimitedError
	for i := range 601 {
		_, err := f.Assert(t.Context(), c, api.Assertion{}, desk)
		if errors.As(err, &limited) != (i == 600) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := f.vouch(t, other, corp("alex")); err != nil {
		t.Errorf("another device: %v", err)
	}
	f.now = f.now.Add(time.Minute)
	if _, err := f.vouch(t, m, corp("alex")); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}
