package signin_test

import (
	"testing"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
)

func (f *fixture) resolve(name string) core.UserID {
	f.t.Helper()
	var a names.Answer
	err := f.store.View(f.t.Context(), func(tx store.Tx) (err error) {
		a, err = names.Find(f.t.Context(), tx, names.Query{Text: name}, f.rules, f.now())
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return a.User
}

// The old name of a migrated site, and what must never be linked (UX 8).
func TestLinkingTheNameOfTheOSAccount(t *testing.T) {
	old := func(domain, name string) usermap.Facts {
		return usermap.Facts{Kind: usermap.KindDomain, Domain: domain, Name: name, Hostname: "PC-7", JoinDomain: domain}
	}
	for _, tt := range []struct {
		name    string
		attempt signin.Attempt
		linked  string
	}{
		{"A1_57_old_name_of_a_domain_account", signin.Attempt{Facts: old("OLDDOM", "atest")}, "atest"},
		{"unqualified name on a joined computer", signin.Attempt{Facts: usermap.Facts{Kind: usermap.KindDomain, Name: "atest", JoinDomain: "OLDDOM"}}, "atest"},
		{"shared computer", signin.Attempt{Facts: old("OLDDOM", "atest"), Shared: true}, ""},
		{"local account", signin.Attempt{Facts: usermap.Facts{Kind: usermap.KindLocal, Domain: "PC-7", Name: "atest", Hostname: "PC-7"}}, ""},
		{"the computer's own name as domain", signin.Attempt{Facts: old("PC-7", "atest")}, ""},
		{"unknown origin", signin.Attempt{Facts: usermap.Facts{Name: "atest", Domain: "OLDDOM"}}, ""},
		{"AzureAD name", signin.Attempt{Facts: usermap.Facts{Kind: usermap.KindAzureAD, Domain: "AzureAD", Name: "atest"}}, ""},
		{"generic account", signin.Attempt{Facts: old("OLDDOM", "Student")}, ""},
		{"generic account by configuration", signin.Attempt{Facts: old("OLDDOM", "pool")}, ""},
		{"built-in administrator by SID", signin.Attempt{Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "OLDDOM", Name: "chef", SID: "S-1-5-21-1-2-3-500"}}, ""},
		{"somebody else's short name", signin.Attempt{Facts: old("OLDDOM", "sam")}, ""},
		{"somebody else's by the suffix", signin.Attempt{Facts: old("OLDDOM", "sam.hill")}, ""},
		{"the directory calls the person otherwise", signin.Attempt{Facts: old("CORP", "other")}, ""},
		{"the person's own already", signin.Attempt{Facts: old("CORP", "alex")}, ""},
		{"nothing said", signin.Attempt{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			id := f.addDirectory("alex.test@example.org", "alex")
			f.addDirectory("sam.hill@example.org", "sam")
			tt.attempt.Name, tt.attempt.Password = "alex.test@example.org", secret.New(right)
			r, err := f.s.Password(t.Context(), tt.attempt)
			if err != nil || r.User.ID != id {
				t.Fatalf("Password = %+v, %v", r, err)
			}
			if r.LinkedName != tt.linked {
				t.Errorf("linked %q, want %q; log:\n%s", r.LinkedName, tt.linked, f.log)
			}
			if tt.linked != "" && f.resolve(`OLDDOM\`+tt.linked) != id {
				t.Error("the linked name leads nowhere")
			}
			if d, err := f.users.Show(t.Context(), id); err != nil || (len(d.Names) > 2) != (tt.linked != "") {
				t.Errorf("names %+v, %v", d.Names, err)
			}
		})
	}
}

func TestLinkPolicies(t *testing.T) {
	attempt := signin.Attempt{Name: "alex.test@example.org", Password: secret.New(right), Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "OLDDOM", Name: "atest"}}
	for policy, waiting := range map[signin.LinkPolicy]int{signin.LinkReview: 1, signin.LinkOff: 0} {
		f := newFixture(t)
		f.link = policy
		f.start()
		f.addDirectory("alex.test@example.org", "alex")
		r, err := f.s.Password(t.Context(), attempt)
		if err != nil || r.LinkedName != "" {
			t.Errorf("%s: %+v, %v", policy, r, err)
		}
		if list, err := f.users.Proposals(t.Context()); len(list) != waiting || err != nil {
			t.Errorf("%s: proposals %v, %v", policy, list, err)
		}
	}
}

func TestAWrongPasswordLinksNothing(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectory("alex.test@example.org", "alex")
	_, err := f.s.Password(t.Context(), signin.Attempt{Name: "alex.test@example.org", Password: secret.New(wrong), Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "OLDDOM", Name: "atest"}})
	wantErr(t, "wrong", err, core.ErrWrongCredentials)
	if d, err := f.users.Show(t.Context(), id); err != nil || len(d.Names) != 2 {
		t.Errorf("names %+v, %v", d.Names, err)
	}
}
