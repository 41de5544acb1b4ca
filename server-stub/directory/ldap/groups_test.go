package ldap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

// seeAll reads everything, groups too.
func seeAll(t *testing.T, s *Source) *directorytest.Seen {
	t.Helper()
	seen := directorytest.NewSeen(nil)
	if _, err := s.Read(t.Context(), directory.Request{Groups: true}, seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

// memberNames are the members of each group by name: people by username, groups by "@name", who is not listed by "?".
func memberNames(seen *directorytest.Seen) map[string][]string {
	names := map[directory.Key]string{}
	for k, r := range seen.People {
		names[k] = r.Username
	}
	for k, g := range seen.Groups {
		names[k] = "@" + g.Name
	}
	all := map[string][]string{}
	for _, g := range seen.Groups {
		list := []string{}
		for _, m := range g.Members {
			if names[m] == "" {
				list = append(list, "?")
			} else {
				list = append(list, names[m])
			}
		}
		slices.Sort(list)
		all[g.Name] = list
	}
	return all
}

// closure is who is in a group or in a group within it, as a check of the edges: it is dirsync that does it for real.
func closure(members map[string][]string, name string, seen map[string]bool) []string {
	var all []string
	if seen[name] {
		return nil
	}
	seen[name] = true
	for _, m := range members[name] {
		if inner, isGroup := strings.CutPrefix(m, "@"); isGroup {
			all = append(all, closure(members, inner, seen)...)
		} else {
			all = append(all, m)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestOpenLDAPGroups(t *testing.T) {
	ldif := slapdPeople(6) +
		"dn: ou=groups,dc=example,dc=org\nobjectClass: organizationalUnit\nou: groups\n\n" +
		// An outer group is listed before its inner one; the member's DN is written differently from the person's own.
		"dn: cn=Outer,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: Outer\nmember: cn=Inner,ou=groups,dc=example,dc=org\nmember: UID=User0 , ou=People,dc=example,dc=org\n\n" +
		"dn: cn=Inner,ou=groups,dc=example,dc=org\nobjectClass: groupOfUniqueNames\ncn: Inner\nuniqueMember: uid=user1,ou=people,dc=example,dc=org\nuniqueMember: cn=Outer,ou=groups,dc=example,dc=org\n" +
		"uniqueMember: uid=user4,ou=people,dc=example,dc=org#'0101'B\nuniqueMember: uid=gone,ou=people,dc=example,dc=org\n\n" +
		"dn: cn=Unix,ou=groups,dc=example,dc=org\nobjectClass: posixGroup\ncn: Unix\ngidNumber: 100\nmemberUid: USER2\nmemberUid: nobody\n\n" +
		"dn: uid=posix,ou=people,dc=example,dc=org\nobjectClass: account\nobjectClass: posixAccount\nuid: posix\ncn: Posix\nuidNumber: 1\ngidNumber: 100\nhomeDirectory: /\n\n"
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: ldif})
	cfg := slapdConfig(t, server)
	seen := seeAll(t, newSource(t, cfg))
	got := memberNames(seen)
	want := map[string][]string{"Outer": {"@Inner", "user0"}, "Inner": {"@Outer", "user1", "user4"}, "Unix": {"posix", "user2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members: -want +got\n%s", diff)
	}
	t.Run("A2_22 nested groups, also in a circle", func(t *testing.T) {
		if diff := cmp.Diff([]string{"user0", "user1", "user4"}, closure(got, "Outer", map[string]bool{})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("by an id of one's own", func(t *testing.T) {
		cfg := cfg
		cfg.Attributes = map[string][]string{"id": {"mail"}}
		cfg.Filter = "(uid=user*)"
		if diff := cmp.Diff([]string{"@Inner", "user0"}, memberNames(seeAll(t, newSource(t, cfg)))["Outer"]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("own base and filter of groups", func(t *testing.T) {
		cfg := cfg
		cfg.GroupBaseDN, cfg.GroupFilter = "cn=Unix,ou=groups,"+testenv.SlapdBase, "(cn=*)"
		if got := memberNames(seeAll(t, newSource(t, cfg))); len(got) != 1 || len(got["Unix"]) != 2 {
			t.Errorf("%v", got)
		}
	})
}

// adGroups reads nested groups of a real domain controller.
func adGroups(t *testing.T, d *domain, cfg Config) {
	base := "OU=Groups," + testenv.SambaBase
	d.unit(base)
	group := func(name string, members ...string) string {
		request := goldap.NewAddRequest("CN="+name+","+base, nil)
		request.Attribute("objectClass", []string{"group"})
		request.Attribute("sAMAccountName", []string{name})
		if err := d.admin.Add(request); err != nil {
			t.Fatal(err)
		}
		if len(members) > 0 {
			d.join("CN="+name+","+base, members...)
		}
		return "CN=" + name + "," + base
	}
	inner := group("Inner", "CN=Alexander Test,"+adPeople, "CN=Person 1,"+adPeople)
	middle := group("Middle", inner, "CN=Person 2,"+adPeople)
	outer := group("Outer", middle)
	d.join(inner, outer) // a circle
	var crowd []string
	for i := range 12 {
		crowd = append(crowd, fmt.Sprintf("CN=Person %d,%s", i, adPeople))
	}
	group("Crowd", crowd...)

	cfg.Username = directory.UsernameSAM
	seen := seeAll(t, newSource(t, cfg))
	got := memberNames(seen)
	t.Run("A2_22 A1_05 nested groups", func(t *testing.T) {
		if diff := cmp.Diff([]string{"alex", "p1", "p2"}, closure(got, "Outer", map[string]bool{})); diff != "" {
			t.Errorf("in Outer: %s", diff)
		}
		if diff := cmp.Diff([]string{"@Inner", "p2"}, got["Middle"]); diff != "" {
			t.Errorf("direct members of Middle: %s", diff)
		}
	})
	t.Run("the primary group counts", func(t *testing.T) {
		if all := got["Domain Users"]; !slices.Contains(all, "alex") || len(all) < len(seen.People) {
			t.Errorf("Domain Users has %d members of %d people: %v", len(all), len(seen.People), all)
		}
	})
	t.Run("a group has its SID", func(t *testing.T) {
		for _, g := range seen.Groups {
			if g.Name == "Inner" && (g.SID == "" || g.Where != inner || d.value("<SID="+g.SID+">", "cn") != "Inner") {
				t.Errorf("%+v", g)
			}
		}
	})
	t.Run("large groups come in parts", func(t *testing.T) {
		// Samba gives all members at once, Windows 1500; a server in between asks Samba for 5 at a time.
		cfg := cfg
		cfg.URLs, cfg.CAFile = inParts(t, cfg, 5)
		if diff := cmp.Diff(got, memberNames(seeAll(t, newSource(t, cfg)))); diff != "" {
			t.Errorf("in parts: -whole +parts\n%s", diff)
		}
	})
}
