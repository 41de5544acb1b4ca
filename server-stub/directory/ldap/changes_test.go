package ldap

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

// bookmarkOf reads everything and returns the bookmark.
func bookmarkOf(t *testing.T, s *Source) directory.Bookmark {
	t.Helper()
	reading, err := s.Read(t.Context(), directory.Request{Groups: true}, directorytest.NewSeen(nil))
	if err != nil || !reading.Complete {
		t.Fatalf("%+v, %v", reading, err)
	}
	return reading.Next
}

// sinceOf reads what changed since a bookmark.
func sinceOf(t *testing.T, s *Source, b directory.Bookmark) (*directorytest.Seen, directory.Bookmark) {
	t.Helper()
	seen := directorytest.NewSeen(nil)
	reading, err := s.Read(t.Context(), directory.Request{Since: b, Groups: true}, seen)
	if err != nil || reading.Complete || reading.Next == nil {
		t.Fatalf("%+v, %v", reading, err)
	}
	return seen, reading.Next
}

// usernames of those who were handed over.
func usernames(seen *directorytest.Seen) []string {
	names := []string{}
	for _, r := range seen.People {
		names = append(names, r.Username)
	}
	slices.Sort(names)
	return names
}

// adChanges is about what the suite for all sources cannot know. cfg is a plain account, seer one that sees deleted objects.
func adChanges(t *testing.T, d *domain, cfg, seer Config) {
	inside, outside := "OU=Inside,"+testenv.SambaBase, "OU=Outside,"+testenv.SambaBase
	for _, way := range []Incremental{IncrementalDirSync, IncrementalUSN} {
		t.Run(string(way), func(t *testing.T) {
			d.unit(inside)
			d.unit(outside)
			d.unit("OU=Team," + inside)
			t.Cleanup(func() {
				for _, dn := range []string{inside, outside} {
					request := goldap.NewDelRequest(dn, []goldap.Control{goldap.NewControlSubtreeDelete()})
					if err := d.admin.Del(request); err != nil {
						t.Error(err)
					}
				}
			})
			for _, name := range []string{"anna", "bea", "carl"} {
				d.user("CN="+name+","+inside, name, nil)
			}
			d.user("CN=dora,OU=Team,"+inside, "dora", nil)
			cfg := seer
			cfg.Incremental, cfg.BaseDN, cfg.Username = way, inside, directory.UsernameSAM
			adChangesBy(t, d, newSource(t, cfg), inside, outside)
			t.Run("another filter means to start over", func(t *testing.T) {
				b := bookmarkOf(t, newSource(t, cfg))
				cfg.Filter = "(&(objectClass=user)(sAMAccountName=a*))"
				if _, err := newSource(t, cfg).Read(t.Context(), directory.Request{Since: b, Groups: true}, directorytest.NewSeen(nil)); !errors.Is(err, directory.ErrStartOver) {
					t.Errorf("%v", err)
				}
			})
		})
	}
	t.Run("another domain controller means to start over", func(t *testing.T) {
		cfg := seer
		cfg.Incremental = IncrementalUSN
		s := newSource(t, cfg)
		for name, change := range map[string]func(*bookmark){
			"another database":     func(b *bookmark) { b.Invocation = []byte("another database") },
			"a restored one":       func(b *bookmark) { b.USN += 1_000_000 },
			"another way":          func(b *bookmark) { b.Way = IncrementalDirSync },
			"other things to read": func(b *bookmark) { b.Read = nil },
		} {
			var b bookmark
			if err := json.Unmarshal(bookmarkOf(t, s), &b); err != nil {
				t.Fatal(err)
			}
			change(&b)
			changed, err := b.encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Read(t.Context(), directory.Request{Since: changed, Groups: true}, directorytest.NewSeen(nil)); !errors.Is(err, directory.ErrStartOver) || !strings.Contains(err.Error(), `"corp"`) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("a plain account may use DirSync", func(t *testing.T) {
		cfg := cfg
		cfg.Incremental, cfg.Username = IncrementalDirSync, directory.UsernameSAM
		s := newSource(t, cfg)
		b := bookmarkOf(t, s)
		modify(t, d.admin, "CN=Person 3,"+adPeople, "department", "Library")
		if seen, _ := sinceOf(t, s, b); !slices.Equal(usernames(seen), []string{"p3"}) {
			t.Errorf("changed: %v", usernames(seen))
		}
	})
	t.Run("a cookie that the server does not know", func(t *testing.T) {
		cfg := cfg
		cfg.Incremental = IncrementalDirSync
		s := newSource(t, cfg)
		var b bookmark
		if err := json.Unmarshal(bookmarkOf(t, s), &b); err != nil {
			t.Fatal(err)
		}
		b.Cookie = []byte("no cookie")
		changed, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(t.Context(), directory.Request{Since: changed, Groups: true}, directorytest.NewSeen(nil)); !errors.Is(err, directory.ErrStartOver) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a filter by memberOf is read whole", func(t *testing.T) {
		cfg := seer
		cfg.Filter = "(&(objectClass=user)(memberOf=CN=Domain Admins,CN=Users," + testenv.SambaBase + "))"
		if b := bookmarkOf(t, newSource(t, cfg)); b != nil {
			t.Errorf("a bookmark: %s", b)
		}
	})
}

func adChangesBy(t *testing.T, d *domain, s *Source, inside, outside string) {
	whole := seeAll(t, s)
	if got := usernames(whole); !slices.Equal(got, []string{"anna", "bea", "carl", "dora"}) {
		t.Fatalf("at first: %v", got)
	}
	keys := map[string]directory.Key{}
	for k, r := range whole.People {
		keys[r.Username] = k
	}
	b := bookmarkOf(t, s)
	move := func(dn, rdn, to string) {
		t.Helper()
		if err := d.admin.ModifyDN(goldap.NewModifyDNRequest(dn, rdn, true, to)); err != nil {
			t.Fatal(err)
		}
	}
	move("CN=anna,"+inside, "CN=Anna Renamed", inside)
	move("CN=bea,"+inside, "CN=bea", outside)
	if err := d.admin.Del(goldap.NewDelRequest("CN=carl,"+inside, nil)); err != nil {
		t.Fatal(err)
	}
	d.user("CN=emil,"+inside, "emil", nil)
	modify(t, d.admin, "CN=emil,"+inside, "userAccountControl", "514")
	seen, b := sinceOf(t, s, b)
	if diff := cmp.Diff([]string{"anna", "emil"}, usernames(seen)); diff != "" {
		t.Errorf("handed over: %s", diff)
	}
	if r := seen.People[keys["anna"]]; r.Where != "CN=Anna Renamed,"+inside {
		t.Errorf("anna stands at %q", r.Where)
	}
	for _, r := range seen.People {
		if r.Username == "emil" && !r.Disabled {
			t.Error("emil is not disabled")
		}
	}
	for _, name := range []string{"bea", "carl"} {
		if !seen.Left[keys[name]] {
			t.Errorf("%s, moved out or deleted, is not gone", name)
		}
	}
	if seen.Left[keys["anna"]] || seen.Left[keys["dora"]] {
		t.Errorf("gone: %v", seen.Left)
	}
	t.Run("who is new is in the primary group", func(t *testing.T) {
		for _, g := range seen.Groups {
			if g.Name == "Domain Users" {
				if !g.Changed || len(g.Removed) > 0 {
					t.Errorf("%+v", g)
				}
				return
			}
		}
		t.Errorf("groups: %v", memberNames(seen))
	})
	t.Run("a moved organisational unit means to start over", func(t *testing.T) {
		move("OU=Team,"+inside, "OU=Team", outside)
		if _, err := s.Read(t.Context(), directory.Request{Since: b, Groups: true}, directorytest.NewSeen(nil)); !errors.Is(err, directory.ErrStartOver) {
			t.Errorf("%v", err)
		}
		if got := usernames(seeAll(t, s)); slices.Contains(got, "dora") {
			t.Errorf("then: %v", got)
		}
	})
}

// adWatch hears of a change at once.
func adWatch(t *testing.T, d *domain, s *Source) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var heard atomic.Int64
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, func() { heard.Add(1) }) }()
	until := time.Now().Add(testenv.Deadline)
	for n := 0; heard.Load() == 0 && time.Now().Before(until); n++ { // again and again: when it begins to listen does not show
		modify(t, d.admin, "CN=Person 4,"+adPeople, "department", strings.Repeat("x", 1+n%9))
		time.Sleep(50 * time.Millisecond)
	}
	if heard.Load() == 0 {
		t.Error("nothing was heard")
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}

func TestOpenLDAPCannotBeWatched(t *testing.T) {
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(3)})
	s := newSource(t, slapdConfig(t, server))
	if err := s.Watch(t.Context(), func() {}); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `"lab"`) {
		t.Errorf("Watch = %v", err)
	}
	if b := bookmarkOf(t, s); b != nil {
		t.Errorf("a bookmark: %s", b)
	}
}
