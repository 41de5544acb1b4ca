// Package directorytest has the rules that every directory source keeps, as a suite that the sources' own tests run against the
// real thing (a server, an emulator, a file).
package directorytest

import (
	"context"
	"testing"

	"github.com/platenprint/platen/server-stub/directory"
)

// Directory is a directory of a test and the source that reads it. A nil function is something that the directory cannot do; the
// rules about it are then left out.
type Directory struct {
	// Source reads the directory. It lists People people, at least 3, and Groups groups.
	Source         directory.Source
	People, Groups int

	// Add makes a person, Change changes a shown field (not a name) of one, Remove takes one away. They return when the source
	// would see it, and may be called several times.
	Add    func() (directory.Key, error)
	Change func(directory.Key) error
	Remove func(directory.Key) error
	// Join makes the person a direct member of the group, which the source lists. It is called with somebody who is none yet.
	Join func(group, person directory.Key) error

	// Failing reads the same directory while it fails after some of it was read.
	Failing directory.Source
	// Unreachable would read a directory that is not there.
	Unreachable directory.Source

	// Replays: a reading since a bookmark may bring again what did not change.
	Replays bool
}

// Run checks all rules that apply, each with a directory of its own.
func Run(t *testing.T, open func(t *testing.T) Directory) {
	t.Helper()
	for _, rule := range Rules {
		t.Run(rule.Name, func(t *testing.T) {
			d := open(t)
			if rule.Applies != nil && !rule.Applies(d) {
				return // not a skip: nothing is missing that could be installed
			}
			if err := rule.Check(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
}

// Rule is one thing that a source must keep.
type Rule struct {
	Name    string
	Applies func(Directory) bool // nil: to all
	Check   func(context.Context, Directory) error
}

// Rules are all rules. Checks may change the directory.
var Rules = []Rule{
	{"a whole reading is complete and lists each entry once", nil, lists},
	{"groups are read only when asked for", func(d Directory) bool { return d.Groups > 0 }, groupsWhenAsked},
	{"two readings of the same are the same", nil, repeats},
	{"what is known with its fingerprint is not handed over again", nil, unchanged},
	{"what changed has another fingerprint and is handed over", func(d Directory) bool { return d.Change != nil }, changed},
	{"who is taken away is not listed, who is new is", func(d Directory) bool { return d.Add != nil && d.Remove != nil }, comesAndGoes},
	{"an error of the sink ends the reading", nil, sinkError},
	{"a reading ends with its context", nil, ends},
	{"readings may run at the same time", nil, concurrent},
	{"a reading that fails midway is an error that names the source", func(d Directory) bool { return d.Failing != nil }, failsMidway},
	{"a directory that is not there is an error that names the source", func(d Directory) bool { return d.Unreachable != nil }, unreachable},
	{"the check says one sentence", nil, check},
	{"a bookmark brings what changed since, and nothing else", func(d Directory) bool { return d.Add != nil && d.Change != nil && d.Remove != nil }, bookmark},
	{"a bookmark can be used again", func(d Directory) bool { return d.Change != nil }, bookmarkAgain},
	{"a bookmark brings new members", func(d Directory) bool { return d.Join != nil && d.Groups > 0 }, bookmarkGroups},
	{"a bookmark that is none means to start over", nil, bookmarkForeign},
	{"people are looked up by their keys", func(d Directory) bool { _, ok := d.Source.(directory.Looker); return ok }, lookup},
}
