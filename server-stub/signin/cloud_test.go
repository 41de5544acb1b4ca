package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
)

// tenant is an identity provider: what it answers by UPN, and whose account that is here.
type tenant struct {
	mu     sync.Mutex
	tries  []string
	answer map[string]error
	owner  map[string]core.UserID
}

func (c *tenant) CheckUPN(_ context.Context, upn string, password secret.String) (core.UserID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries = append(c.tries, upn)
	if err := c.answer[upn]; err != nil {
		return 0, err
	}
	if password.Reveal() != right {
		return 0, fmt.Errorf("%w: %w", core.ErrWrongCredentials, aadsts.Classify(aadsts.Response{Error: "invalid_grant", Codes: []int{50126}}))
	}
	return c.owner[upn], nil
}

func verdict(kind error, oauth string, code int) error {
	return fmt.Errorf("%w: %w", kind, aadsts.Classify(aadsts.Response{Error: oauth, Codes: []int{code}}))
}

// withCloud has a directory that lists people without checking passwords, and a tenant in which they are.
func withCloud(f *fixture, checker signin.CloudChecker) {
	suffix, err := usermap.ParseRules("corp.example.net")
	if err != nil {
		f.t.Fatal(err)
	}
	f.rules = names.Rules{Suffix: suffix, Domains: []names.Domain{
		{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "corp"},
		{NetBIOS: "CLOUD", Suffixes: []string{"cloud.example.org"}, Source: "list"},
	}}
	s, err := signin.New(signin.Deps{
		Store: f.store, Clock: f.now, Hasher: f.hasher, Rules: f.rules, Key: secret.New(strings.Repeat("k", 32)), Link: signin.LinkOff,
		Directories: []signin.Directory{{Checker: f.domain}},
		Cloud: &signin.Cloud{
			Checker: checker, Sources: []core.SourceID{"idp:microsoft", "list"}, Domains: []string{"cloud.example.org"},
			Lockout: signin.Lockout{Threshold: 9, Window: 10 * time.Minute},
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.s = s
}

// listed adds a person of a source that checks no passwords.
func (f *fixture) listed(source core.SourceID, upn string, identities ...core.ExternalIdentity) core.UserID {
	f.t.Helper()
	id := f.addDirectory(upn, strings.Split(upn, "@")[0])
	f.update(func(tx store.Tx) error {
		u, err := tx.User(context.Background(), id)
		if err != nil {
			return err
		}
		u.Source = source
		for _, e := range identities {
			e.UserID = id
			if err := tx.PutIdentity(context.Background(), e); err != nil {
				return err
			}
		}
		return tx.UpdateUser(context.Background(), u)
	})
	return id
}

func attempt(name, password string) signin.Attempt {
	return signin.Attempt{Name: name, Password: secret.New(password), Address: netip.MustParseAddr("192.0.2.7")}
}

func TestMicrosoftChecksPasswordsOfItsPeople(t *testing.T) {
	f := newFixture(t)
	c := &tenant{answer: map[string]error{}, owner: map[string]core.UserID{}}
	withCloud(f, c)
	mia := f.listed("list", "mia@cloud.example.org")
	jit := f.listed("idp:microsoft", "jit@cloud.example.org")
	tied := f.listed("sheet", "tied@elsewhere.example.org", core.ExternalIdentity{Source: "idp:microsoft", Kind: core.IdentityEntraOID, ImmutableID: "t/o"})
	corp := f.addDirectory("corp@example.org", "corp")
	local := f.addLocal("local@cloud.example.org")
	for upn, id := range map[string]core.UserID{"mia@cloud.example.org": mia, "jit@cloud.example.org": jit, "tied@elsewhere.example.org": tied} {
		c.owner[upn] = id
		if got, err := f.s.Password(t.Context(), attempt(upn, right)); err != nil || got.User.ID != id {
			t.Errorf("%s: %d, %v", upn, got.User.ID, err)
		}
	}
	for upn, id := range map[string]core.UserID{"corp@example.org": corp, "local@cloud.example.org": local} {
		if got, err := f.s.Password(t.Context(), attempt(upn, right)); err != nil || got.User.ID != id {
			t.Errorf("%s: %d, %v", upn, got.User.ID, err)
		}
	}
	if len(c.tries) != 3 {
		t.Errorf("Microsoft was asked about %v: a source that checks by itself comes first", c.tries)
	}
	if f.domain.binds != 1 {
		t.Errorf("%d binds", f.domain.binds)
	}
	if _, err := f.s.Password(t.Context(), attempt("nobody@cloud.example.org", right)); !errors.Is(err, core.ErrWrongCredentials) || errors.Is(err, signin.ErrElsewhere) {
		t.Errorf("%v", err)
	}
	if len(c.tries) != 3 {
		t.Error("Microsoft was asked about a name that nobody has")
	}
}

func TestAnAccountThatIsAnotherPersonsByNow(t *testing.T) {
	f := newFixture(t)
	c := &tenant{owner: map[string]core.UserID{}}
	withCloud(f, c)
	f.listed("list", "mia@cloud.example.org")
	c.owner["mia@cloud.example.org"] = 99
	if got, err := f.s.Password(t.Context(), attempt("mia@cloud.example.org", right)); !errors.Is(err, core.ErrWrongCredentials) {
		t.Errorf("user %d, %v", got.User.ID, err)
	}
}

func TestWhatMicrosoftSaysCountsAsItDidOverThere(t *testing.T) {
	tests := []struct {
		name   string
		answer error
		counts bool
	}{
		{"a second factor is wanted", verdict(core.ErrMFARequired, "interaction_required", 50076), false},
		{"the password has expired", verdict(core.ErrPasswordExpired, "invalid_grant", 50055), false},
		{"the device is not managed", verdict(core.ErrForbidden, "interaction_required", 53000), false},
		{"disabled", verdict(core.ErrDisabled, "invalid_grant", 50057), true},
		{"wrong", verdict(core.ErrWrongCredentials, "invalid_grant", 50126), true},
		{"not known", verdict(core.ErrUnavailable, "invalid_grant", 59999), true},
		{"the registration is wrong", verdict(core.ErrUnavailable, "invalid_client", 7000218), false},
		{"a fault over there", verdict(core.ErrUnavailable, "temporarily_unavailable", 90033), false},
		{"no answer", core.ErrUnavailable, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			c := &tenant{answer: map[string]error{"mia@cloud.example.org": tt.answer}}
			withCloud(f, c)
			f.listed("list", "mia@cloud.example.org")
			var err error
			for range 12 {
				if _, err = f.s.Password(t.Context(), attempt("mia@cloud.example.org", right)); err == nil {
					t.Fatal("signed in")
				}
			}
			if limited := errors.Is(err, core.ErrLimited); limited != tt.counts {
				t.Errorf("after twelve tries: %v", err)
			}
			if !tt.counts && !errors.Is(err, tt.answer) {
				t.Errorf("the answer is lost: %v", err)
			}
			if tt.counts && len(c.tries) > 8 {
				t.Errorf("Microsoft was asked %d times: its own lockout is at 10", len(c.tries))
			}
		})
	}
}

// With passwords off nobody may learn from the answers which names of the tenant's domains exist.
func TestNamesOfADomainThatProvesItselfElsewhereAllReadTheSame(t *testing.T) {
	f := newFixture(t)
	withCloud(f, nil)
	f.listed("list", "mia@cloud.example.org")
	f.listed("idp:microsoft", "jit@cloud.example.org")
	f.addLocal("local@cloud.example.org")
	for _, name := range []string{
		"mia@cloud.example.org", "MIA@Cloud.Example.Org", "jit@cloud.example.org", "local@cloud.example.org", "nobody@cloud.example.org", `CLOUD\mia`, `CLOUD\nobody`,
	} {
		if _, err := f.s.Password(t.Context(), attempt(name, wrong)); !errors.Is(err, signin.ErrElsewhere) || !errors.Is(err, core.ErrWrongCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"nobody@example.org", "mia", "nobody", "nobody@elsewhere.example.org", `CORP\nobody`} {
		if _, err := f.s.Password(t.Context(), attempt(name, wrong)); errors.Is(err, signin.ErrElsewhere) || !errors.Is(err, core.ErrWrongCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.s.Password(t.Context(), attempt("local@cloud.example.org", right)); err != nil {
		t.Errorf("a local account of that domain: %v", err)
	}
	// And they are limited alike: nine failures in an hour from one network, with waits from the third on.
	for _, name := range []string{"mia@cloud.example.org", "local@cloud.example.org", "nobody@cloud.example.org"} {
		f.advance(13 * time.Hour)
		failures := 0
		for {
			_, err := f.s.Password(t.Context(), attempt(name, wrong))
			var limited *core.LimitedError
			if errors.As(err, &limited) {
				if failures >= 9 {
					break
				}
				f.advance(limited.RetryAt.Sub(f.now()))
				continue
			}
			failures++
		}
		if failures != 9 {
			t.Errorf("%s: %d failures", name, failures)
		}
	}
}

func TestR_RATE_1_EveryVerbIsLimitedByItself(t *testing.T) {
	f := newFixture(t)
	here, there := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.7")
	bad := fmt.Errorf("forged: %w", core.ErrUnauthenticated)
	fails := func(context.Context) error { return bad }
	for verb, limit := range map[signin.Verb]int{signin.VerbToken: 100, signin.VerbCode: 100, signin.VerbRefresh: 300} {
		for i := range limit {
			if err := f.s.Limited(t.Context(), verb, here, fails); !errors.Is(err, bad) {
				t.Fatalf("%s %d: %v", verb, i, err)
			}
		}
		var limited *core.LimitedError
		err := f.s.Limited(t.Context(), verb, netip.MustParseAddr("192.0.2.200"), func(context.Context) error { t.Error("it was tried"); return nil })
		if !errors.As(err, &limited) || !limited.RetryAt.Equal(f.now().Add(time.Hour)) {
			t.Errorf("%s: %v", verb, err)
		}
		if err := f.s.Limited(t.Context(), verb, there, func(context.Context) error { return nil }); err != nil {
			t.Errorf("%s from elsewhere: %v", verb, err)
		}
		f.start() // it holds over a restart
		if err := f.s.Limited(t.Context(), verb, here, fails); !errors.Is(err, core.ErrLimited) {
			t.Errorf("%s after a restart: %v", verb, err)
		}
	}
	f.addLocal("alex@example.net")
	if _, err := f.s.Password(t.Context(), attempt("alex@example.net", right)); err != nil {
		t.Errorf("a password from there: %v", err)
	}
	if err := f.s.Limited(t.Context(), "another", here, func(context.Context) error { t.Error("it was tried"); return nil }); !errors.Is(err, core.ErrForbidden) {
		t.Errorf("a verb without a limit: %v", err)
	}
	f.advance(time.Hour)
	if err := f.s.Limited(t.Context(), signin.VerbToken, here, fails); !errors.Is(err, bad) {
		t.Errorf("an hour later: %v", err)
	}
}

func TestWhatIsProvenIsNoFailure(t *testing.T) {
	f := newFixture(t)
	here := netip.MustParseAddr("192.0.2.7")
	for _, err := range []error{nil, core.ErrForbidden, core.ErrDisabled, core.ErrAmbiguous, core.ErrUnavailable} {
		for range 101 {
			if got := f.s.Limited(t.Context(), signin.VerbToken, here, func(context.Context) error { return err }); !errors.Is(got, err) {
				t.Fatalf("%v became %v", err, got)
			}
		}
	}
}
