package admin

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// site is a server over a database with two domains: alex and sam of CORP, another sam of SALES.
func site(t *testing.T) *Server {
	db := storetest.OpenSQLite(t)
	rule := func(text string) usermap.Rules {
		r, err := usermap.ParseRules(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	s := &Server{Deps: Deps{
		Store: db, Clock: clock.Fixed(noon),
		Users: users.New(users.Deps{Store: db, Clock: clock.Fixed(noon), Hasher: passhash.New(passhash.DefaultParams())}),
		Naming: Naming{
			Rules: func() names.Rules {
				return names.Rules{Domains: []names.Domain{{NetBIOS: "CORP", Source: "corp"}, {NetBIOS: "SALES", Source: "sales"}}}
			},
			Providers:    names.Providers{{Name: "print1", Suffix: rule("organization.com"), Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}},
			UsernameRule: func(core.SourceID) string { return "upn" },
		},
	}}
	put := func(username string, source core.SourceID, domain auth.Folded, short, upn string) {
		err := db.Update(t.Context(), func(tx store.Tx) error {
			id, err := tx.CreateUser(t.Context(), core.User{Username: username, Source: source, CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			all := []core.LoginName{{Name: short, Kind: core.NameSAM, Domain: domain}, {Name: upn, Kind: core.NameUPN}}
			if username == short {
				all = append(all, core.LoginName{Name: username, Kind: core.NameUsername})
			}
			for i := range all {
				all[i].UserID, all[i].Source, all[i].ValidFrom = id, source, noon
				if all[i].Folded, err = auth.Canon(all[i].Name); err != nil {
					return err
				}
			}
			if err := tx.PutName(t.Context(), all...); err != nil {
				return err
			}
			key := store.Key{Kind: core.IdentityObjectGUID, ID: "guid-" + upn}
			if err := tx.PutIdentity(t.Context(), core.ExternalIdentity{UserID: id, Source: source, Kind: key.Kind, ImmutableID: key.ID}); err != nil {
				return err
			}
			for group, member := range map[string]store.Key{"class": key, "school": {Kind: core.IdentityObjectGUID, ID: "class"}} {
				g, err := tx.PutGroup(t.Context(), store.DirectoryGroup{Group: core.Group{Source: source, Kind: core.IdentityObjectGUID, ImmutableID: group, Name: group}})
				if err != nil {
					return err
				}
				if err := tx.PutGroupMembers(t.Context(), g, member); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("alex.test", "corp", "corp", "alex.test", "alex.test@organization.com")
	put("sam", "corp", "corp", "sam", "sam@organization.com")
	put("sam@sales.organization.com", "sales", "sales", "sam", "sam@sales.organization.com")
	return s
}

func TestA1_32_UserResolve(t *testing.T) {
	s := site(t)
	tests := []struct {
		name    string
		in      UserResolve
		outcome string
		want    string
	}{
		{"A1_31 in its domain", UserResolve{Name: `CORP\alex.test`}, "one", "alex.test"},
		{"A1_32 through a provider", UserResolve{Name: "sam", Provider: "print1"}, "one", "sam"},
		{"A1_32 from the provider's network", UserResolve{Name: "sam", From: "10.1.2.3"}, "one", "sam"},
		{"shared short name", UserResolve{Name: "sam"}, "ambiguous", ""},
		{"at the window", UserResolve{Name: "sam@sales.organization.com", As: "prompt"}, "one", "sam@sales.organization.com"},
		{"an enrolled computer", UserResolve{Name: `SALES\sam`, As: "trust"}, "one", "sam@sales.organization.com"},
		{"nobody", UserResolve{Name: "kim"}, "unknown", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.userResolve(t.Context(), tt.in)
			if err != nil || got.Outcome != tt.outcome || len(got.Why) == 0 {
				t.Fatalf("%+v, %v", got, err)
			}
			username := ""
			if got.User != nil {
				username = got.User.Username
			}
			if username != tt.want || (got.Outcome == "ambiguous") != (len(got.Candidates) == 2) {
				t.Errorf("%+v", got)
			}
		})
	}
	for _, in := range []UserResolve{{Name: "sam", As: "printer"}, {Name: "sam", From: "everywhere"}, {Name: "sam", As: "prompt", Provider: "print1"}} {
		if _, err := s.userResolve(t.Context(), in); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if _, err := s.userResolve(t.Context(), UserResolve{Name: "sam", Provider: "print9"}); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a provider that does not exist: %v", err)
	}
}

func TestA1_30_A1_43_NamesReview(t *testing.T) {
	s := site(t)
	states := map[string]string{}
	in := NamesReview{To: "upn", Limit: 2}
	for {
		page, err := s.namesReview(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			states[l.Username] = l.State
		}
		if !page.More {
			break
		}
		in.After = page.Next
	}
	if diff := cmp.Diff(map[string]string{"alex.test": "gains alias", "sam": "ambiguous", "sam@sales.organization.com": "ambiguous"}, states); diff != "" {
		t.Error(diff)
	}
	page, err := s.namesReview(t.Context(), NamesReview{To: "upn", Domain: "CORP", From: "10.1.2.3"})
	if err != nil || len(page.Lines) != 2 || page.Lines[1].State != "gains alias" {
		t.Errorf("A1_32: from the network of a provider: %+v, %v", page, err)
	}
	if _, err := s.namesReview(t.Context(), NamesReview{To: "nickname"}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("to something else: %v", err)
	}
}

func TestA1_48_A1_57_NamesMigrate(t *testing.T) {
	s := site(t)
	var progress []Progress
	tell := func(p Progress) { progress = append(progress, p) }
	m, err := s.namesMigrate(t.Context(), NamesMigrate{To: "upn"}, tell)
	if err != nil || !m.Preview || m.Renamed != 2 || m.Run != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	if m, err = s.namesMigrate(t.Context(), NamesMigrate{To: "upn", Apply: true}, tell); err != nil || m.Renamed != 2 || len(progress) == 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	if u, err := s.Users.Find(t.Context(), "alex.test@organization.com"); err != nil || u.Username != "alex.test@organization.com" {
		t.Errorf("%+v, %v", u, err)
	}
	back, err := s.namesUndo(t.Context(), NamesUndo{Run: m.Run}, tell)
	if err != nil || back.Renamed != 2 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestA2_22_Groups(t *testing.T) {
	s := site(t)
	why, err := s.groupWhy(t.Context(), GroupWhy{User: "alex.test", Group: "corp:school"})
	if err != nil || !why.In || len(why.Paths) != 1 || why.Paths[0][0].Name != "class" || why.Paths[0][1].Name != "school" {
		t.Errorf("%+v, %v", why, err)
	}
	of, err := s.groupsOf(t.Context(), UserRef{User: "alex.test"})
	if err != nil || len(of.Groups) != 2 || !of.Groups[0].Direct || of.Groups[1].Direct {
		t.Errorf("%+v, %v", of, err)
	}
	show, err := s.groupShow(t.Context(), GroupRef{Group: "corp:school"})
	if err != nil || len(show.Members) != 3 {
		t.Errorf("%+v, %v", show, err)
	}
	list, err := s.groupList(context.Background(), GroupList{Source: "sales"})
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := s.groupShow(t.Context(), GroupRef{Group: "school"}); !errors.Is(err, core.ErrAmbiguous) || !strings.Contains(err.Error(), "id:") {
		t.Errorf("two groups of one name: %v", err)
	}
}
