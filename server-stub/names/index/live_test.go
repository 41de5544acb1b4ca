package index

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func database(t testing.TB, s store.Store) Database {
	t.Helper()
	db, ok := s.(Database)
	if !ok {
		t.Fatal("the store counts no commits")
	}
	return db
}

// follow returns an index that is ready.
func follow(t *testing.T, db Database) *Live {
	t.Helper()
	live := Follow(db)
	if err := live.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return live
}

func site() names.Rules {
	suffix, err := usermap.ParseRules("example.org; SALES=sales.example.org")
	if err != nil {
		panic(err)
	}
	return names.Rules{Suffix: suffix, Domains: []names.Domain{{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "corp", Truncates: true}, {NetBIOS: "SALES", Source: "sales"}}}
}

var questions = []string{"alex", "sam", `CORP\alex`, `SALES\sam`, "alex@example.org", "sam@example.org", "sam@sales.example.org", "strasse", `AzureAD\alex`, "nobody"}

// same asks everything both ways, and tells how often somebody was found.
func same(t interface{ Fatalf(string, ...any) }, db Database, live *Live, at time.Time) (found int) {
	ctx := context.Background()
	for _, text := range questions {
		for _, occasion := range []names.Context{names.Prompt, names.PrintProvider} {
			q := names.Query{Context: occasion, Text: text}
			var want names.Answer
			err := db.View(ctx, func(tx store.Tx) (err error) {
				want, err = names.Find(ctx, tx, q, site(), at)
				return err
			})
			if err != nil {
				t.Fatalf("%v", err)
			}
			got, err := live.Find(ctx, q, site(), at)
			// The explanations are in the same words, but people with other names may come in another order in them.
			if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Why" }, cmp.Ignore())); err != nil || diff != "" {
				t.Fatalf("%q: %v (-database +index)\n%s\n%q\n%q", text, err, diff, want.Why, got.Why)
			}
			if want.User != 0 {
				found++
			}
		}
	}
	return found
}

// Whatever is written, by whichever way: the very next answer is the database's.
func TestPropertyTheNextAnswerIsNeverOlderThanWhatWasWritten(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := follow(t, db)
	ctx := t.Context()
	name := rapid.SampledFrom([]string{"alex", "Alex", "sam", "alex@example.org", "Sam@example.org", "sam@sales.example.org", "straße", "strasse"})
	found := 0
	var people []core.UserID
	rapid.Check(t, func(t *rapid.T) {
		people = newPeople(t, db, people)
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			what := rapid.IntRange(1, 9).Draw(t, "what")
			who := rapid.SampledFrom(people).Draw(t, "who")
			err := db.Update(ctx, func(tx store.Tx) error {
				u, err := tx.User(ctx, who)
				if err != nil {
					return err
				}
				have, err := tx.UserNames(ctx, who)
				if err != nil {
					return err
				}
				n := core.LoginName{UserID: who, Name: name.Draw(t, "name"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Source: u.Source, ValidFrom: noon}
				n.Folded, _ = auth.Canon(n.Name)
				if n.Kind == core.NameSAM {
					n.Domain = rapid.SampledFrom([]auth.Folded{"", "corp", "sales"}).Draw(t, "domain")
				}
				switch {
				case what <= 2 || what >= 8 || len(have) == 0:
					return tx.PutName(ctx, n)
				case what == 3:
					return tx.EndName(ctx, have[len(have)-1].ID, noon.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "days"))*24*time.Hour))
				case what == 4:
					u.Disabled = !u.Disabled
					return tx.UpdateUser(ctx, u)
				case what == 5:
					return tx.DeleteName(ctx, have[0].ID)
				case what == 6:
					u.Source = rapid.SampledFrom([]core.SourceID{"", "corp", "sales"}).Draw(t, "source")
					return tx.UpdateUser(ctx, u)
				}
				if u.ErasedAt.IsZero() && rapid.Bool().Draw(t, "erase") {
					u.ErasedAt = noon
				} else {
					u.DeletedAt = noon
				}
				return tx.UpdateUser(ctx, u)
			})
			if err != nil {
				t.Fatal(err)
			}
			found += same(t, db, live, noon)
		}
	})
	if people, bytes := live.Size(); bytes == 0 || found < 100 {
		t.Errorf("the index was not asked: %d people, %d bytes, somebody was found %d times", people, bytes, found)
	}
}

// newPeople erases the ones before and makes new ones.
func newPeople(t *rapid.T, db Database, old []core.UserID) (ids []core.UserID) {
	ctx := context.Background()
	err := db.Update(ctx, func(tx store.Tx) error {
		for _, id := range old {
			u, err := tx.User(ctx, id)
			if err != nil {
				return err
			}
			u.ErasedAt = noon
			if err := tx.UpdateUser(ctx, u); err != nil {
				return err
			}
		}
		ids = nil
		for _, source := range []core.SourceID{"corp", "corp", "sales", ""} {
			id, err := tx.CreateUser(ctx, core.User{Username: "x", Source: source})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// What fails is not written, and leaves the index as it was.
func TestAWriteThatFailsChangesNothing(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := follow(t, db)
	ctx := t.Context()
	put := func(user core.UserID, name string, fail error) {
		err := db.Update(ctx, func(tx store.Tx) error {
			if user == 0 {
				var err error
				if user, err = tx.CreateUser(ctx, core.User{Username: name, Source: "corp"}); err != nil {
					return err
				}
			}
			if err := tx.PutName(ctx, core.LoginName{UserID: user, Name: name, Folded: auth.Folded(name), Kind: core.NameUPN, Source: "corp", ValidFrom: noon}); err != nil {
				return err
			}
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	put(0, "alex@example.org", nil)
	same(t, db, live, noon)
	put(1, "sam@example.org", errors.New("changed my mind"))
	same(t, db, live, noon)
	put(0, "sam@example.org", nil)
	same(t, db, live, noon)
}

// What cannot be made sure of is not answered.
func TestAnIndexThatCannotCatchUpDoesNotAnswer(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := follow(t, db)
	same(t, db, live, noon)
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.CreateUser(t.Context(), core.User{Username: "x"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := live.Find(ctx, names.Query{Text: "alex"}, site(), noon); err == nil {
		t.Errorf("answered %v while the database could not be read", a)
	}
	same(t, db, live, noon)
}

func TestPostgreSQLIsAskedItself(t *testing.T) {
	db := database(t, storetest.OpenPostgres(t))
	live := follow(t, db)
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		id, err := tx.CreateUser(t.Context(), core.User{Username: "alex@example.org", Source: "corp"})
		if err != nil {
			return err
		}
		return tx.PutName(t.Context(), core.LoginName{UserID: id, Name: "alex@example.org", Folded: "alex@example.org", Kind: core.NameUPN, Source: "corp", ValidFrom: noon})
	}); err != nil {
		t.Fatal(err)
	}
	same(t, db, live, noon)
	if people, _ := live.Size(); people != 0 {
		t.Error("an index was made where other nodes write")
	}
}

// Before it is ready, and after something that it cannot keep, the database is asked.
func TestWithoutAnIndexTheDatabaseIsAsked(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := Follow(db)
	same(t, db, live, noon)
	if people, _ := live.Size(); people != 0 {
		t.Error("an index was made unasked")
	}
	if err := live.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		id, err := tx.CreateUser(t.Context(), core.User{Username: "alex@example.org", Source: "corp"})
		if err != nil {
			return err
		}
		return tx.PutName(t.Context(), core.LoginName{UserID: id, Name: "alex@example.org", Folded: "alex@example.org", Kind: "of a later version", Source: "corp", ValidFrom: noon})
	}); err != nil {
		t.Fatal(err)
	}
	same(t, db, live, noon)
}

func TestManyAskAtOnceWhileNamesChange(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := follow(t, db)
	ctx := t.Context()
	var id core.UserID
	write := func(fn func(tx store.Tx) error) {
		t.Helper()
		if err := db.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx store.Tx) (err error) {
		id, err = tx.CreateUser(ctx, core.User{Username: "alex", Source: "corp"})
		return err
	})
	done := make(chan error, 4)
	stop := make(chan struct{})
	for range cap(done) {
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if _, err := live.Find(ctx, names.Query{Text: "alex0@example.org"}, site(), noon); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for i := range 100 {
		name := fmt.Sprintf("alex%d@example.org", i)
		write(func(tx store.Tx) error {
			return tx.PutName(ctx, core.LoginName{UserID: id, Name: name, Folded: auth.Folded(name), Kind: core.NameUPN, Source: "corp", ValidFrom: noon})
		})
		if a, err := live.Find(ctx, names.Query{Text: name}, site(), noon); err != nil || a.User != id {
			t.Errorf("%s was written, but the answer is %v, %v", name, a, err)
		}
	}
	close(stop)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestJobOwnerAndIdsAreAsked(t *testing.T) {
	db := database(t, storetest.OpenSQLite(t))
	live := follow(t, db)
	ctx := t.Context()
	if err := db.Update(ctx, func(tx store.Tx) error {
		id, err := tx.CreateUser(ctx, core.User{Username: "alex@example.org", Source: "corp"})
		if err != nil {
			return err
		}
		if err := tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "corp", Kind: core.IdentitySID, ImmutableID: "S-1-5-21-1-2-3-1104"}); err != nil {
			return err
		}
		return tx.PutName(ctx, core.LoginName{UserID: id, Name: "alex@example.org", Folded: "alex@example.org", Kind: core.NameUPN, Source: "corp", ValidFrom: noon})
	}); err != nil {
		t.Fatal(err)
	}
	a, err := live.FindOwner(ctx, names.Job{Owner: "alex", Provider: "print1"}, site(), names.Providers{{Name: "print1"}}, noon)
	if err != nil || a.User != 1 || a.Why[0] != "the job came through the print provider print1" {
		t.Errorf("A1_31: %+v, %v", a, err)
	}
	q := names.Query{Context: names.Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "renamed", SID: "S-1-5-21-1-2-3-1104"}}
	if a, err = live.Find(ctx, q, site(), noon); err != nil || a.User != 1 {
		t.Errorf("by its SID: %+v, %v", a, err)
	}
}
