package directorytest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// errNoBookmark: the source cannot tell what changed, which it may.
var errNoBookmark = errors.New("no bookmark")

// begin reads everything and returns it with the bookmark.
func begin(ctx context.Context, d Directory) (*Seen, directory.Bookmark, error) {
	seen, reading, err := everything(ctx, d.Source, nil)
	if err == nil && reading.Next == nil {
		err = errNoBookmark
	}
	return seen, reading.Next, err
}

// since reads from a bookmark on.
func since(ctx context.Context, d Directory, b directory.Bookmark, known map[directory.Key]directory.Fingerprint) (*Seen, directory.Bookmark, error) {
	seen, reading, err := read(ctx, d.Source, directory.Request{Since: b, Groups: true}, known)
	return seen, reading.Next, err
}

// bookmark changes one thing after the other and reads each from the bookmark before.
func bookmark(ctx context.Context, d Directory) error {
	first, next, err := begin(ctx, d)
	if errors.Is(err, errNoBookmark) {
		return nil
	} else if err != nil {
		return err
	}
	calm, next, err := since(ctx, d, next, first.Fingerprints())
	if err != nil {
		return err
	}
	if !d.Replays && len(calm.People)+len(calm.Groups)+len(calm.Left) > 0 {
		return fmt.Errorf("nothing changed, and %d people, %d groups and %d gone are handed over", len(calm.People), len(calm.Groups), len(calm.Left))
	}
	changed := somebody(first)
	if err := d.Change(changed); err != nil {
		return err
	}
	seen, next, err := since(ctx, d, next, nil)
	if err != nil {
		return err
	}
	if _, ok := seen.People[changed]; !ok {
		return fmt.Errorf("%v changed and is not handed over", changed)
	}
	if !d.Replays && len(seen.People) != 1 {
		return fmt.Errorf("one person changed and %d are handed over", len(seen.People))
	}
	whole, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(whole.People[changed], seen.People[changed], equality()); diff != "" {
		return fmt.Errorf("a record since a bookmark is not whole: -whole +since\n%s", diff)
	}
	added, err := d.Add()
	if err != nil {
		return err
	}
	seen, next, err = since(ctx, d, next, nil)
	if err != nil {
		return err
	}
	if _, ok := seen.People[added]; !ok {
		return fmt.Errorf("%v is new and not handed over", added)
	}
	if err := d.Remove(changed); err != nil {
		return err
	}
	seen, _, err = since(ctx, d, next, nil)
	if err != nil {
		return err
	}
	if _, ok := seen.People[changed]; ok || !seen.Left[changed] {
		return fmt.Errorf("%v was taken away; handed over: %t, gone: %t", changed, ok, seen.Left[changed])
	}
	if seen.Left[added] {
		return fmt.Errorf("%v is there and said to be gone", added)
	}
	return nil
}

// bookmarkAgain: what a bookmark brought may not have been kept, so it must bring it again.
func bookmarkAgain(ctx context.Context, d Directory) error {
	first, next, err := begin(ctx, d)
	if errors.Is(err, errNoBookmark) {
		return nil
	} else if err != nil {
		return err
	}
	k := somebody(first)
	if err := d.Change(k); err != nil {
		return err
	}
	for range 2 {
		seen, _, err := since(ctx, d, next, nil)
		if err != nil {
			return err
		}
		if _, ok := seen.People[k]; !ok {
			return fmt.Errorf("%v changed and is not handed over each time", k)
		}
	}
	return nil
}

func bookmarkGroups(ctx context.Context, d Directory) error {
	first, next, err := begin(ctx, d)
	if errors.Is(err, errNoBookmark) {
		return nil
	} else if err != nil {
		return err
	}
	group, person, ok := outsider(first)
	if !ok {
		return errors.New("in the test's directory everybody is a member of every group")
	}
	if err := d.Join(group, person); err != nil {
		return err
	}
	seen, _, err := since(ctx, d, next, nil)
	if err != nil {
		return err
	}
	for _, m := range seen.Groups[group].Members {
		if m == person {
			return nil
		}
	}
	return fmt.Errorf("%v joined the group %v, and it is not handed over: %v", person, group, seen.Groups[group].Members)
}

// outsider returns a group and somebody who is no direct member of it.
func outsider(seen *Seen) (group, person directory.Key, ok bool) {
	for k, g := range seen.Groups {
		members := map[directory.Key]bool{}
		for _, m := range g.Members {
			members[m] = true
		}
		for p := range seen.People {
			if !members[p] {
				return k, p, true
			}
		}
	}
	return group, person, false
}

func bookmarkForeign(ctx context.Context, d Directory) error {
	if _, _, err := begin(ctx, d); errors.Is(err, errNoBookmark) {
		return nil
	} else if err != nil {
		return err
	}
	for _, b := range []directory.Bookmark{directory.Bookmark("no bookmark"), {}, {0}} {
		seen := NewSeen(nil)
		if _, err := d.Source.Read(ctx, directory.Request{Since: b, Groups: true}, seen); !errors.Is(err, directory.ErrStartOver) {
			return fmt.Errorf("a reading since the bookmark %q says: %w", b, orNothing(err))
		}
		if len(seen.People)+len(seen.Left) > 0 {
			return fmt.Errorf("a reading since the bookmark %q hands entries over", b)
		}
	}
	return nil
}

func lookup(ctx context.Context, d Directory) error {
	looker, ok := d.Source.(directory.Looker)
	if !ok {
		return errors.New("the source is no directory.Looker")
	}
	whole, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	keys := make([]directory.Key, 0, len(whole.People))
	for k := range whole.People {
		keys = append(keys, k)
	}
	seen := NewSeen(nil)
	if err := looker.Lookup(ctx, keys, seen); err != nil {
		return err
	}
	if err := errors.Join(seen.wrong...); err != nil {
		return err
	}
	if diff := cmp.Diff(whole.People, seen.People, equality()); diff != "" {
		return fmt.Errorf("looked up people are others: -read +looked up\n%s", diff)
	}
	if len(seen.Left) > 0 {
		return fmt.Errorf("%d people that are there are said to be gone", len(seen.Left))
	}
	return goneIsSaid(ctx, d, looker, somebody(whole))
}

// goneIsSaid takes somebody away and looks for the key.
func goneIsSaid(ctx context.Context, d Directory, looker directory.Looker, k directory.Key) error {
	if d.Remove == nil {
		return nil
	}
	if err := d.Remove(k); err != nil {
		return err
	}
	seen := NewSeen(nil)
	if err := looker.Lookup(ctx, []directory.Key{k, {Kind: core.IdentityCSVKey, ID: "nobody's"}}, seen); err != nil {
		return err
	}
	if len(seen.People) > 0 || !seen.Left[k] || len(seen.Left) != 2 {
		return fmt.Errorf("who was taken away and who never was: handed over %d, gone %v", len(seen.People), seen.Left)
	}
	return nil
}
