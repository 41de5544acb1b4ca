package dirsync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// tree is a directory that can tell what changed: each change is a line of its log, and a bookmark is the number of lines.
type tree struct {
	id     core.SourceID
	people map[string]directory.Record
	groups map[string]directory.Group
	log    []directory.Key
	oldest int // bookmarks below are too old

	prints   bool            // it makes fingerprints itself
	fault    error           // in the middle of a reading
	faulty   error           // when people are looked up
	skips    map[string]bool // who is on no page of a whole reading
	replays  bool            // it says everything twice
	deltas   bool            // groups say only what changed
	reads    []string
	looked   []directory.Key
	members  map[string][]directory.Key // of groups, as the last reading told them
	listings int
}

func newTree(id core.SourceID, people ...directory.Record) *tree {
	t := &tree{id: id, people: map[string]directory.Record{}, groups: map[string]directory.Group{}, members: map[string][]directory.Key{}}
	for _, r := range people {
		t.put(r)
	}
	return t
}

func guidKey(id string) directory.Key { return directory.Key{Kind: core.IdentityObjectGUID, ID: id} }

func (t *tree) put(r directory.Record) {
	t.people[r.Key] = r
	t.log = append(t.log, guidKey(r.Key))
}

func (t *tree) edit(id string, change func(r *directory.Record)) {
	r := t.people[id]
	change(&r)
	t.put(r)
}

func (t *tree) remove(id string) {
	delete(t.people, id)
	t.log = append(t.log, guidKey(id))
}

// group makes a group's direct members these.
func (t *tree) group(id, name string, members ...string) {
	g := directory.Group{Key: guidKey(id), Name: name, SID: "S-1-5-21-" + id}
	for _, m := range members {
		g.Members = append(g.Members, guidKey(m))
	}
	t.groups[id] = g
	t.log = append(t.log, guidKey(id))
}

func (t *tree) dropGroup(id string) {
	delete(t.groups, id)
	t.log = append(t.log, guidKey(id))
}

func (t *tree) ID() core.SourceID { return t.id }

func (t *tree) Check(context.Context) (string, error) { return "fine", nil }

func (t *tree) Read(_ context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	next := directory.Bookmark(strconv.Itoa(len(t.log)))
	if r.Since == nil {
		t.reads = append(t.reads, "full")
		n := 0
		for _, id := range slices.Sorted(maps.Keys(t.people)) {
			if t.skips[id] {
				continue
			}
			if n++; t.fault != nil && n > len(t.people)/2 {
				return directory.Reading{}, t.fault
			}
			if err := t.say(guidKey(id), sink, true); err != nil {
				return directory.Reading{}, err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(t.groups)) {
			if err := t.say(guidKey(id), sink, true); err != nil {
				return directory.Reading{}, err
			}
		}
		return directory.Reading{Complete: true, Next: next}, nil
	}
	from, err := strconv.Atoi(string(r.Since))
	if err != nil || from < t.oldest {
		t.reads = append(t.reads, "too old")
		return directory.Reading{}, fmt.Errorf("bookmark %q: %w", r.Since, directory.ErrStartOver)
	}
	t.reads = append(t.reads, "changes")
	if t.fault != nil {
		return directory.Reading{}, t.fault
	}
	for range map[bool]int{false: 1, true: 2}[t.replays] {
		for _, k := range t.log[from:] {
			if err := t.say(k, sink, false); err != nil {
				return directory.Reading{}, err
			}
		}
	}
	return directory.Reading{Next: next}, nil
}

// say tells the sink how one person or group is now.
func (t *tree) say(k directory.Key, sink directory.Sink, full bool) error {
	if r, ok := t.people[k.ID]; ok {
		if t.prints {
			r.Fingerprint = fingerprintOf(packRecord(nil, &r))
			if sink.Unchanged(k, r.Fingerprint) {
				return nil
			}
		}
		t.listings++
		return sink.Person(r)
	}
	if g, ok := t.groups[k.ID]; ok {
		if t.deltas && !full {
			old := t.members[k.ID]
			g.Changed = true
			g.Removed = slices.DeleteFunc(slices.Clone(old), func(m directory.Key) bool { return slices.Contains(t.groups[k.ID].Members, m) })
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m directory.Key) bool { return slices.Contains(old, m) })
		}
		t.members[k.ID] = slices.Clone(t.groups[k.ID].Members)
		return sink.Group(g)
	}
	if full {
		return nil
	}
	return sink.Gone(k)
}

func (t *tree) Lookup(_ context.Context, keys []directory.Key, sink directory.Sink) error {
	t.looked = append(t.looked, keys...)
	if t.faulty != nil {
		return t.faulty
	}
	for _, k := range keys {
		if err := t.say(k, sink, false); err != nil {
			return err
		}
	}
	return nil
}
