package directorytest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// event is one change of memory.
type event struct {
	person, gone, group string
}

// memory is a directory in memory that keeps all rules, but for the one that broken names.
type memory struct {
	mu     sync.Mutex
	people map[string]string // key to display name
	group  map[string]bool   // members of the only group
	log    []event
	broken string
	fails  bool
}

func newMemory(broken string) *memory {
	return &memory{people: map[string]string{"1": "Alex", "2": "Kim", "3": "Sam"}, group: map[string]bool{"1": true}, broken: broken}
}

func key(id string) directory.Key { return directory.Key{Kind: core.IdentityCSVKey, ID: id} }

func (m *memory) directory() Directory {
	return Directory{
		Source: m, People: 3, Groups: 1,
		Add: func() (directory.Key, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			id := strconv.Itoa(10 + len(m.log))
			m.people[id], m.log = "New", append(m.log, event{person: id})
			return key(id), nil
		},
		Change: func(k directory.Key) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.people[k.ID] += "!"
			m.log = append(m.log, event{person: k.ID})
			return nil
		},
		Remove: func(k directory.Key) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.people, k.ID)
			m.log = append(m.log, event{gone: k.ID})
			return nil
		},
		Join: func(_, person directory.Key) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.group[person.ID] = true
			m.log = append(m.log, event{group: "g"})
			return nil
		},
		Failing:     &memory{people: map[string]string{"1": "Alex"}, fails: true, broken: m.broken},
		Unreachable: &memory{fails: true, broken: m.broken},
	}
}

func (m *memory) ID() core.SourceID { return "memory" }

func (m *memory) errorf(format string, args ...any) error {
	if m.broken == "anonymous" {
		return fmt.Errorf(format, args...)
	}
	return fmt.Errorf("directory %q: %w", m.ID(), fmt.Errorf(format, args...))
}

func (m *memory) Check(context.Context) (string, error) {
	if m.fails {
		return "", m.errorf("connect: %w", core.ErrUnavailable)
	}
	if m.broken == "check" {
		return "", nil
	}
	return "lists people", nil
}

func (m *memory) person(id string, sink directory.Sink) error {
	r := directory.Record{KeyKind: core.IdentityCSVKey, Key: id, DisplayName: m.people[id], Where: "line " + id}
	r.Fingerprint = fingerprint(r)
	if m.broken == "fingerprint" {
		r.Fingerprint = directory.Fingerprint{1}
	}
	if sink.Unchanged(r.Identity(), r.Fingerprint) && m.broken != "unchanged" {
		return nil
	}
	if m.broken == "twice" {
		_ = sink.Person(r)
	}
	err := sink.Person(r)
	if m.broken == "sink" {
		return nil
	}
	return err
}

func fingerprint(v any) (f directory.Fingerprint) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	copy(f[:], sum[:])
	return f
}

func (m *memory) members(sink directory.Sink) error {
	g := directory.Group{Key: key("g"), Name: "Staff", Where: "group g"}
	for id := range m.group {
		g.Members = append(g.Members, key(id))
	}
	g.Fingerprint = fingerprint(m.group)
	if sink.Unchanged(g.Key, g.Fingerprint) {
		return nil
	}
	return sink.Group(g)
}

func (m *memory) Read(ctx context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Since != nil {
		return m.since(r, sink)
	}
	for id := range m.people {
		if err := ctx.Err(); err != nil && m.broken != "context" {
			return directory.Reading{}, m.errorf("read: %w", err)
		}
		if err := m.person(id, sink); err != nil {
			return directory.Reading{}, m.errorf("hand over: %w", err)
		}
	}
	if err := ctx.Err(); err != nil && m.broken != "context" {
		return directory.Reading{}, m.errorf("read: %w", err)
	}
	if m.fails {
		return directory.Reading{Complete: m.broken == "half"}, m.errorf("read: %w", core.ErrUnavailable)
	}
	if r.Groups || m.broken == "groups" {
		if err := m.members(sink); err != nil {
			return directory.Reading{}, m.errorf("hand over: %w", err)
		}
	}
	return directory.Reading{Complete: m.broken != "incomplete", Next: m.next()}, nil
}

func (m *memory) next() directory.Bookmark { return fmt.Appendf(nil, "since %d", len(m.log)) }

func (m *memory) since(r directory.Request, sink directory.Sink) (directory.Reading, error) {
	text, ok := strings.CutPrefix(string(r.Since), "since ")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n > len(m.log) {
		if m.broken == "foreign" {
			return directory.Reading{Next: m.next()}, nil
		}
		return directory.Reading{}, m.errorf("read: %w", directory.ErrStartOver)
	}
	done := map[event]bool{}
	for _, e := range m.log[n:] {
		if done[e] {
			continue
		}
		done[e] = true
		switch {
		case e.group != "" && m.broken != "members":
			err = m.members(sink)
		case e.gone != "" && m.broken != "deaf":
			err = sink.Gone(key(e.gone))
		case e.person != "" && m.people[e.person] != "":
			err = m.person(e.person, sink)
		}
		if err != nil {
			return directory.Reading{}, m.errorf("hand over: %w", err)
		}
	}
	if m.broken == "lost" { // what is read once is never given again
		m.log = append(m.log[:n:n], make([]event, len(m.log)-n)...)
	}
	return directory.Reading{Next: m.next()}, nil
}

func (m *memory) Lookup(_ context.Context, keys []directory.Key, sink directory.Sink) error {
	for _, k := range keys {
		err := error(nil)
		if _, ok := m.people[k.ID]; ok {
			err = m.person(k.ID, sink)
		} else if m.broken != "lookup" {
			err = sink.Gone(k)
		}
		if err != nil {
			return m.errorf("hand over: %w", err)
		}
	}
	return nil
}

var _ directory.Looker = (*memory)(nil)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) Directory { return newMemory("").directory() })
}

// TestEveryBreachIsFound breaks one rule after the other: a suite that passes everything would be worth nothing.
func TestEveryBreachIsFound(t *testing.T) {
	for _, broken := range []string{
		"twice", "incomplete", "groups", "unchanged", "fingerprint", "sink", "context", "half", "anonymous", "check", "foreign", "lost", "members", "deaf", "lookup",
	} {
		t.Run(broken, func(t *testing.T) {
			var errs []error
			for _, rule := range Rules {
				d := newMemory(broken).directory()
				if rule.Applies == nil || rule.Applies(d) {
					errs = append(errs, rule.Check(t.Context(), d))
				}
			}
			if err := errors.Join(errs...); err == nil {
				t.Error("no rule says so")
			}
		})
	}
}
