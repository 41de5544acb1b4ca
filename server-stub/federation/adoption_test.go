package federation_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/federation"
	"github.com/platenprint/platen/server-stub/store"
)

// tree is a directory.
type tree []directory.Record

func (tree) ID() core.SourceID                     { return "cloud" }
func (tree) Check(context.Context) (string, error) { return "", nil }

func (l tree) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	for _, r := range l {
		if err := sink.Person(r); err != nil {
			return directory.Reading{}, err
		}
	}
	return directory.Reading{Complete: true}, nil
}

func listed(objectID, upn string) directory.Record {
	return directory.Record{Key: tenant + "/" + objectID, KeyKind: core.IdentityEntraOID, UPN: upn, Username: upn}
}

func (s *site) sync(records ...directory.Record) core.SyncRun {
	s.t.Helper()
	s.at = s.at.Add(time.Hour)
	syncer := dirsync.New(s.store, func() time.Time { return s.at }, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})
	run, err := syncer.Run(s.t.Context(), tree(records), dirsync.Settings{Full: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

func (s *site) user(id core.UserID) (u core.User) {
	s.t.Helper()
	err := s.store.View(s.t.Context(), func(tx store.Tx) (err error) {
		u, err = tx.User(s.t.Context(), id)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func jit() federation.Policy {
	return federation.Policy{Provider: "microsoft", Tenant: tenant, Match: federation.MatchUPN, Create: true, Domains: []string{"example.org"}}
}

func proof(objectID, upn string) federation.Claims {
	return federation.Claims{Provider: "microsoft", Issuer: "https://login.example/v2.0", Subject: "s-" + objectID, TenantID: tenant, ObjectID: objectID, UPN: upn, Name: "Alex"}
}

// Whoever signed in first and is listed later is one person for good, whichever comes next: a sign-in, a rename, another run.
func TestA1_48_SignedInFirstListedLater(t *testing.T) {
	s := newSite(t)
	svc := s.service(jit())
	first, err := svc.Person(t.Context(), proof(oid, "alex@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if run := s.sync(listed(oid, "alexandra@example.org")); run.Created != 0 || run.Conflicts != 0 {
		t.Errorf("the run is %+v", run)
	}
	if u := s.user(first.ID); u.Source != "cloud" || u.Username != "alexandra@example.org" {
		t.Errorf("after the directory came: %+v", u)
	}
	for _, upn := range []string{"alexandra@example.org", "alex@example.org"} { // a token may be older than the rename
		if u, err := svc.Person(t.Context(), proof(oid, upn)); err != nil || u.ID != first.ID {
			t.Errorf("signing in as %s: user %d, %v", upn, u.ID, err)
		}
	}
	s.sync(listed(oid2, "other@example.org"), listed(oid, "alexandra@example.org"))
	if u, err := svc.Person(t.Context(), proof(oid2, "other@example.org")); err != nil || u.ID == first.ID {
		t.Errorf("somebody else signs in as user %d, %v", u.ID, err)
	}
}

// Whoever is listed first and signs in later is the listed person, also when the provider calls them differently.
func TestA1_48_ListedFirstSignedInLater(t *testing.T) {
	s := newSite(t)
	svc := s.service(jit())
	s.sync(listed(oid, "alex@example.org"))
	for _, upn := range []string{"alex@example.org", "renamed@example.org", ""} {
		if u, err := svc.Person(t.Context(), proof(oid, upn)); err != nil || u.ID != 1 || u.Source != "cloud" {
			t.Errorf("as %q: %+v, %v", upn, u, err)
		}
	}
}

// The UPN of somebody who left was given to a new person: neither the run nor the sign-in makes one of the two.
func TestA1_48_AnAddressGivenToSomebodyElseInheritsNothing(t *testing.T) {
	s := newSite(t)
	svc := s.service(jit())
	first, err := svc.Person(t.Context(), proof(oid, "alex@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	run := s.sync(listed(oid2, "alex@example.org"))
	if u := s.user(first.ID); u.Source == "cloud" {
		t.Errorf("the new alex got user %d, who is known by another id of the same tenant: %+v", first.ID, run)
	}
	if u, err := svc.Person(t.Context(), proof(oid2, "alex@example.org")); err == nil && u.ID == first.ID {
		t.Error("the new alex signed in as the old one")
	}
	if u, err := svc.Person(t.Context(), proof(oid, "alex.old@example.org")); err != nil || u.ID != first.ID {
		t.Errorf("the old one signs in as user %d, %v", u.ID, err)
	}
}

// What cannot be made says what to do.
func TestConflictsOfNewPeopleSayWhatToDo(t *testing.T) {
	tests := []struct {
		name  string
		facts []string
		of    core.SourceID
		want  string
	}{
		{"somebody's in force", []string{"upn:alex@example.org", "oid:" + tenant + "/" + oid2}, "cloud", "of the directory \"cloud\""},
		{"of a local account", []string{"email:alex@example.org"}, "", "platen-server user"},
		{"kept for the one before", []string{"upn-ended:alex@example.org"}, "cloud", "user free-name alex@example.org"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			p := jit()
			p.Match = federation.MatchNone
			s.person(tt.of, tt.facts...)
			_, err := s.service(p).Person(t.Context(), proof(oid, "alex@example.org"))
			if !errors.Is(err, federation.ErrOtherPerson) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
