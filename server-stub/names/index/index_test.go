package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

// drawNames draws all names of one person.
func drawNames(t *rapid.T, user core.UserID, ids *int64) []core.NameHolder {
	active, source := rapid.Bool().Draw(t, "active"), rapid.SampledFrom([]core.SourceID{"", "corp", "sales"}).Draw(t, "source")
	text := rapid.OneOf(rapid.SampledFrom([]string{"alex", "Alex", "alex@example.org", "ALEX@Example.org", "a@b@c", "@x", "x@", "straße", "田中", "alex@sales.example.org"}), rapid.StringMatching(`[a-zA-Z@.]{1,12}`))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) core.NameHolder {
		name := text.Draw(t, "name")
		folded, err := auth.Canon(name)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		*ids++
		n := core.LoginName{ID: *ids, UserID: user, Name: name, Folded: folded, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Source: rapid.SampledFrom([]core.SourceID{"", "corp", source}).Draw(t, "giver")}
		if n.Kind == core.NameSAM {
			n.Domain = rapid.SampledFrom([]auth.Folded{"", "corp", "sales"}).Draw(t, "domain")
		}
		if rapid.IntRange(0, 3).Draw(t, "ended") == 0 {
			n.ValidTo = noon.Add(-time.Duration(rapid.IntRange(-5, 300).Draw(t, "days")) * 24 * time.Hour)
		}
		return core.NameHolder{LoginName: n, Active: active, UserSource: source}
	}), 0, 5).Draw(t, "names")
}

// However often people change, the index knows of a name exactly what a list of all names does.
func TestPropertyTheIndexIsAListOfAllNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, ids, list := New(), int64(0), map[core.UserID][]core.NameHolder{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			user := core.UserID(rapid.IntRange(1, 6).Draw(t, "user"))
			list[user] = drawNames(t, user, &ids)
			if err := x.Put(user, list[user]); err != nil {
				t.Fatal(err)
			}
		}
		var folds []auth.Folded
		for _, all := range list {
			for _, n := range all {
				folds = append(folds, n.Folded)
			}
		}
		slices.Sort(folds)
		folds = append(slices.Compact(folds), "nobody")
		asked := []auth.Folded{rapid.SampledFrom(folds).Draw(t, "asked"), rapid.SampledFrom(folds).Draw(t, "asked, too")}
		var want []core.NameHolder
		for _, all := range list {
			asks := func(n core.NameHolder) bool { return slices.Contains(asked, n.Folded) }
			if !slices.ContainsFunc(all, asks) {
				continue
			}
			for _, n := range all {
				if asks(n) || n.Kind == core.NameSAM || n.Kind == core.NameUPN {
					want = append(want, n)
				}
			}
		}
		slices.SortFunc(want, func(a, b core.NameHolder) int { return int(a.ID - b.ID) })
		if diff := cmp.Diff(want, x.Known(asked).Holders); diff != "" {
			t.Fatalf("of %q (-list +index):\n%s", asked, diff)
		}
	})
}

func TestTidyingGivesMemoryBackAndKeepsEverybody(t *testing.T) {
	x := New()
	put := func(user core.UserID, round int) {
		name := fmt.Sprintf("user%d.%s@example.org", user, strings.Repeat("x", round))
		n := core.NameHolder{LoginName: core.LoginName{ID: int64(user), UserID: user, Name: name, Folded: auth.Folded(name), Kind: core.NameUPN}, Active: true}
		if err := x.Put(user, []core.NameHolder{n}); err != nil {
			t.Fatal(err)
		}
	}
	const people, rounds = 3000, 60
	for round := range rounds {
		for user := range core.UserID(people) {
			put(user+1, round)
		}
		if err := x.tidy(); err != nil {
			t.Fatal(err)
		}
	}
	if x.People() != people || x.written > 2*x.live+2*chunkSize {
		t.Errorf("%d people, %d bytes written, %d of them in force", x.People(), x.written, x.live)
	}
	for user := range core.UserID(people) {
		name := auth.Folded(fmt.Sprintf("user%d.%s@example.org", user+1, strings.Repeat("x", rounds-1)))
		if got := x.Known([]auth.Folded{name}).Holders; len(got) != 1 || got[0].UserID != user+1 {
			t.Fatalf("%s is held by %v", name, got)
		}
	}
	if got := x.Known([]auth.Folded{"user1.@example.org"}).Holders; len(got) != 0 {
		t.Errorf("a name of long ago is held by %v", got)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	x := New()
	if err := x.Put(1, []core.NameHolder{{LoginName: core.LoginName{UserID: 1, Folded: "a", Kind: "new kind"}}}); err == nil {
		t.Error("a kind that it does not know was taken")
	}
	if err := x.Put(maxUser, []core.NameHolder{{}}); err == nil {
		t.Error("an id that does not fit was taken")
	}
}
