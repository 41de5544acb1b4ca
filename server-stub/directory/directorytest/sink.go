package directorytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/platenprint/platen/server-stub/directory"
)

// Seen is a sink that keeps what it is given. It notes what no source may do.
type Seen struct {
	People map[directory.Key]directory.Record
	Groups map[directory.Key]directory.Group
	Left   map[directory.Key]bool                  // Gone was called
	Kept   map[directory.Key]bool                  // Unchanged was answered with true
	Known  map[directory.Key]directory.Fingerprint // what Unchanged compares with
	Asked  int                                     // calls of Unchanged

	busy  atomic.Bool
	wrong []error
}

// NewSeen returns a sink that knows entries by their fingerprints, nil: none.
func NewSeen(known map[directory.Key]directory.Fingerprint) *Seen {
	return &Seen{
		People: map[directory.Key]directory.Record{}, Groups: map[directory.Key]directory.Group{},
		Left: map[directory.Key]bool{}, Kept: map[directory.Key]bool{}, Known: known,
	}
}

func (s *Seen) note(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

// enter notes calls from two goroutines at once.
func (s *Seen) enter() func() {
	if !s.busy.CompareAndSwap(false, true) {
		s.note("the sink is called from two goroutines at once")
	}
	return func() { s.busy.Store(false) }
}

// Unchanged implements directory.Sink.
func (s *Seen) Unchanged(k directory.Key, f directory.Fingerprint) bool {
	defer s.enter()()
	s.Asked++
	if f == (directory.Fingerprint{}) {
		s.note("Unchanged(%v) with the zero fingerprint, which is none", k)
	}
	if known, ok := s.Known[k]; !ok || known != f {
		return false
	}
	if s.Kept[k] {
		s.note("%v is said to be unchanged twice", k)
	}
	s.Kept[k] = true
	return true
}

// Person implements directory.Sink.
func (s *Seen) Person(r directory.Record) error {
	defer s.enter()()
	k := r.Identity()
	switch _, twice := s.People[k]; {
	case k.ID == "" || k.Kind == "":
		s.note("a person without a key: %q", r.Where)
	case twice:
		s.note("%v is listed twice", k)
	case s.Kept[k]:
		s.note("%v is handed over although it is unchanged", k)
	case r.Where == "":
		s.note("%v does not say where it stands", k)
	}
	s.People[k] = r
	return nil
}

// Group implements directory.Sink.
func (s *Seen) Group(g directory.Group) error {
	defer s.enter()()
	switch _, twice := s.Groups[g.Key]; {
	case g.Key.ID == "" || g.Key.Kind == "":
		s.note("a group without a key: %q", g.Where)
	case twice:
		s.note("the group %v is listed twice", g.Key)
	case s.Kept[g.Key]:
		s.note("the group %v is handed over although it is unchanged", g.Key)
	case g.Where == "":
		s.note("the group %v does not say where it stands", g.Key)
	}
	members := map[directory.Key]bool{}
	for _, m := range g.Members {
		if m.ID == "" || m.Kind == "" {
			s.note("the group %v has a member without a key", g.Key)
		}
		if members[m] {
			s.note("the group %v has the member %v twice", g.Key, m)
		}
		members[m] = true
	}
	s.Groups[g.Key] = g
	return nil
}

// Gone implements directory.Sink.
func (s *Seen) Gone(k directory.Key) error {
	defer s.enter()()
	s.Left[k] = true
	return nil
}

// Fingerprints are those of all that was handed over, and of what was known and unchanged.
func (s *Seen) Fingerprints() map[directory.Key]directory.Fingerprint {
	all := map[directory.Key]directory.Fingerprint{}
	for k := range s.Kept {
		all[k] = s.Known[k]
	}
	for k, r := range s.People {
		all[k] = r.Fingerprint
	}
	for k, g := range s.Groups {
		all[k] = g.Fingerprint
	}
	maps.DeleteFunc(all, func(_ directory.Key, f directory.Fingerprint) bool { return f == (directory.Fingerprint{}) })
	return all
}

// read reads into a new sink that knows entries, and checks what holds for every reading.
func read(ctx context.Context, source directory.Source, r directory.Request, known map[directory.Key]directory.Fingerprint) (*Seen, directory.Reading, error) {
	seen := NewSeen(known)
	reading, err := source.Read(ctx, r, seen)
	if err != nil {
		return seen, reading, fmt.Errorf("read: %w", err)
	}
	if r.Since == nil && !reading.Complete {
		seen.note("a reading without a bookmark is not complete")
	}
	if r.Since != nil && reading.Complete {
		seen.note("a reading since a bookmark says that it is complete")
	}
	if r.Since != nil && reading.Next == nil {
		seen.note("a reading since a bookmark gives none")
	}
	if reading.Complete && len(seen.Left) > 0 {
		seen.note("a complete reading says of %d that they are gone", len(seen.Left))
	}
	if reading.Complete {
		for k, g := range seen.Groups {
			if g.Changed || len(g.Removed) > 0 {
				seen.note("a complete reading gives only the changes of the group %v", k)
			}
		}
	}
	return seen, reading, errors.Join(seen.wrong...)
}

// everything reads all of it, groups too.
func everything(ctx context.Context, source directory.Source, known map[directory.Key]directory.Fingerprint) (*Seen, directory.Reading, error) {
	return read(ctx, source, directory.Request{Groups: true}, known)
}
