package directory

import "context"

// People reads everybody of a source whole and hands over each person; groups are not asked for. It is for callers that compare
// with nothing kept: a check, a first look.
func People(ctx context.Context, source Source, yield func(Record) error) error {
	_, err := source.Read(ctx, Request{}, peopleOnly(yield))
	return err
}

// peopleOnly is a Sink that knows nothing and leaves groups out.
type peopleOnly func(Record) error

func (peopleOnly) Unchanged(Key, Fingerprint) bool { return false }
func (yield peopleOnly) Person(r Record) error     { return yield(r) }
func (peopleOnly) Group(Group) error               { return nil }
func (peopleOnly) Gone(Key) error                  { return nil }
