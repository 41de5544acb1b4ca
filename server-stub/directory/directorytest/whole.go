package directorytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/directory"
)

func lists(ctx context.Context, d Directory) error {
	seen, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	if len(seen.People) != d.People || len(seen.Groups) != d.Groups {
		return fmt.Errorf("%d people and %d groups are listed; there are %d and %d", len(seen.People), len(seen.Groups), d.People, d.Groups)
	}
	if d.People < 3 {
		return errors.New("the test's directory has fewer than 3 people")
	}
	return nil
}

func groupsWhenAsked(ctx context.Context, d Directory) error {
	seen, _, err := read(ctx, d.Source, directory.Request{}, nil)
	if err == nil && len(seen.Groups) > 0 {
		err = fmt.Errorf("%d groups are handed over unasked", len(seen.Groups))
	}
	if err == nil && len(seen.People) != d.People {
		err = fmt.Errorf("without groups %d people are listed; there are %d", len(seen.People), d.People)
	}
	return err
}

// equality makes records and groups comparable: members have no order.
func equality() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b secret.String) bool { return a.Equal(b) }), cmpopts.EquateEmpty(),
		cmpopts.SortSlices(func(a, b directory.Key) bool { return a.ID < b.ID }),
	}
}

func repeats(ctx context.Context, d Directory) error {
	first, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	second, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(first.People, second.People, equality()); diff != "" {
		return fmt.Errorf("the second reading gives other people: -first +second\n%s", diff)
	}
	if diff := cmp.Diff(first.Groups, second.Groups, equality()); diff != "" {
		return fmt.Errorf("the second reading gives other groups: -first +second\n%s", diff)
	}
	return nil
}

func unchanged(ctx context.Context, d Directory) error {
	first, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	known := first.Fingerprints()
	second, _, err := everything(ctx, d.Source, known)
	if err != nil {
		return err
	}
	if len(known) == 0 { // the source makes none, which it may
		if second.Asked > 0 {
			return errors.New("the source asks about fingerprints but gives none")
		}
		return nil
	}
	for k := range known {
		if !second.Kept[k] {
			return fmt.Errorf("%v is known, but nobody asked about it", k)
		}
	}
	if all := len(second.Kept) + len(second.People) + len(second.Groups); all != d.People+d.Groups {
		return fmt.Errorf("%d of %d entries are listed when they are known", all, d.People+d.Groups)
	}
	return nil
}

// somebody returns the key of a person, always the same one.
func somebody(seen *Seen) directory.Key {
	keys := make([]directory.Key, 0, len(seen.People))
	for k := range seen.People {
		keys = append(keys, k)
	}
	return slices.MinFunc(keys, func(a, b directory.Key) int { return strings.Compare(a.ID, b.ID) })
}

func changed(ctx context.Context, d Directory) error {
	first, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	k := somebody(first)
	if err := d.Change(k); err != nil {
		return err
	}
	second, _, err := everything(ctx, d.Source, first.Fingerprints())
	if err != nil {
		return err
	}
	if _, ok := second.People[k]; !ok {
		return fmt.Errorf("%v changed and is not handed over", k)
	}
	if cmp.Equal(first.People[k], second.People[k], equality(), cmpopts.IgnoreFields(directory.Record{}, "Fingerprint")) {
		return fmt.Errorf("%v changed and is listed as it was", k)
	}
	if len(first.Fingerprints()) > 0 && len(second.People) != 1 {
		return fmt.Errorf("one person changed and %d are handed over", len(second.People))
	}
	return nil
}

func comesAndGoes(ctx context.Context, d Directory) error {
	first, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	gone := somebody(first)
	if err := d.Remove(gone); err != nil {
		return err
	}
	added, err := d.Add()
	if err != nil {
		return err
	}
	second, _, err := everything(ctx, d.Source, nil)
	if err != nil {
		return err
	}
	if _, ok := second.People[gone]; ok {
		return fmt.Errorf("%v was taken away and is listed", gone)
	}
	if _, ok := second.People[added]; !ok {
		return fmt.Errorf("%v is new and not listed", added)
	}
	return nil
}

// refusing is a sink that refuses the nth entry.
type refusing struct {
	*Seen

	n     int
	after int // calls after the refusal
}

var errRefused = errors.New("the sink takes no more")

func (s *refusing) next() error {
	s.n--
	if s.n < 0 {
		s.after++
	}
	if s.n <= 0 {
		return errRefused
	}
	return nil
}

func (s *refusing) Person(directory.Record) error { return s.next() }
func (s *refusing) Group(directory.Group) error   { return s.next() }

func sinkError(ctx context.Context, d Directory) error {
	for _, n := range []int{1, 2, d.People + d.Groups} {
		sink := &refusing{Seen: NewSeen(nil), n: n}
		_, err := d.Source.Read(ctx, directory.Request{Groups: true}, sink)
		if !errors.Is(err, errRefused) {
			return fmt.Errorf("the sink refused entry %d and the reading says: %w", n, orNothing(err))
		}
		if sink.after > 0 {
			return fmt.Errorf("the sink refused entry %d and was called %d times more", n, sink.after)
		}
	}
	return nil
}

// orNothing makes a nil error printable.
func orNothing(err error) error {
	if err == nil {
		return errors.New("nothing")
	}
	return err
}

// ending is a sink that ends the context with the first entry.
type ending struct {
	*Seen

	end context.CancelFunc
}

func (s *ending) Person(r directory.Record) error {
	s.end()
	return s.Seen.Person(r)
}

func ends(ctx context.Context, d Directory) error {
	over, end := context.WithCancel(ctx)
	end()
	if _, err := d.Source.Read(over, directory.Request{}, NewSeen(nil)); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a reading in a context that is over says: %w", orNothing(err))
	}
	midway, end := context.WithCancel(ctx)
	defer end()
	if _, err := d.Source.Read(midway, directory.Request{Groups: true}, &ending{NewSeen(nil), end}); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a reading whose context ends midway says: %w", orNothing(err))
	}
	return nil
}

func concurrent(ctx context.Context, d Directory) error {
	var all sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		all.Go(func() {
			seen, _, err := everything(ctx, d.Source, nil)
			if err == nil && len(seen.People) != d.People {
				err = fmt.Errorf("%d of %d people", len(seen.People), d.People)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// names checks that an error is about the source.
func names(err error, source directory.Source) error {
	switch {
	case err == nil:
		return errors.New("there is no error")
	case !strings.Contains(err.Error(), string(source.ID())):
		return fmt.Errorf("the error does not name the source %q: %w", source.ID(), err)
	case !strings.Contains(err.Error(), ":"):
		return fmt.Errorf("the error does not say the step and the remedy: %w", err)
	}
	return nil
}

func failsMidway(ctx context.Context, d Directory) error {
	for _, groups := range []bool{false, true} {
		seen := NewSeen(nil)
		reading, err := d.Failing.Read(ctx, directory.Request{Groups: groups}, seen)
		if err := names(err, d.Failing); err != nil {
			return err
		}
		if reading.Complete || reading.Next != nil {
			return fmt.Errorf("a failed reading gives %+v", reading)
		}
		if len(seen.Left) > 0 {
			return fmt.Errorf("a failed reading says of %d that they are gone", len(seen.Left))
		}
	}
	return nil
}

func unreachable(ctx context.Context, d Directory) error {
	seen := NewSeen(nil)
	_, err := d.Unreachable.Read(ctx, directory.Request{}, seen)
	if len(seen.People) > 0 {
		return fmt.Errorf("%d people of a directory that is not there", len(seen.People))
	}
	_, checked := d.Unreachable.Check(ctx)
	return errors.Join(names(err, d.Unreachable), names(checked, d.Unreachable))
}

func check(ctx context.Context, d Directory) error {
	text, err := d.Source.Check(ctx)
	if err == nil && (text == "" || strings.ContainsAny(text, "\r\n")) {
		err = fmt.Errorf("the check says %q", text)
	}
	return err
}
