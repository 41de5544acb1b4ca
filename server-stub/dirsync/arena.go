package dirsync

import (
	"encoding/binary"

	"github.com/platenprint/platen/server-stub/directory"
)

// segmentSize bounds one piece of an arena, and so one part of a plan, but for single records that are larger.
const segmentSize = 1 << 20

// arena holds packed records or groups in few large pieces, which costs the collector nothing: 100,000 people as structs are
// several times the size.
type arena struct {
	segments [][]byte
	n        int
}

// add keeps one packed value.
func (a *arena) add(b []byte) {
	need := len(b) + binary.MaxVarintLen64
	last := len(a.segments) - 1
	if last < 0 || len(a.segments[last])+need > segmentSize {
		// The first piece grows as it must, so that a single record costs little; those behind it will be filled.
		size := segmentSize
		if last < 0 {
			size = 4096
		}
		a.segments = append(a.segments, make([]byte, 0, max(need, size)))
		last++
	}
	s := binary.AppendUvarint(a.segments[last], uint64(len(b)))
	a.segments[last] = append(s, b...)
	a.n++
}

// each hands out every value in the order in which they came, until an error. The bytes are only lent.
func (a *arena) each(yield func(i int, b []byte) error) error {
	i := 0
	for _, s := range a.segments {
		for len(s) > 0 {
			n, size := binary.Uvarint(s)
			if size <= 0 || n > uint64(len(s)-size) {
				return errGarbled
			}
			if err := yield(i, s[size:size+int(n)]); err != nil {
				return err
			}
			s = s[size+int(n):]
			i++
		}
	}
	return nil
}

// keep drops every value that yield refuses.
func (a *arena) keep(yield func(i int, b []byte) (bool, error)) error {
	var kept arena
	at := 0
	for k, s := range a.segments {
		one := arena{segments: [][]byte{s}}
		if err := one.each(func(i int, b []byte) error {
			at++
			ok, err := yield(at-1, b)
			if ok {
				kept.add(b)
			}
			return err
		}); err != nil {
			return err
		}
		a.segments[k] = nil
	}
	*a = kept
	return nil
}

// records hands out the people.
func (a *arena) records(yield func(i int, r staged) error) error {
	return a.each(func(i int, b []byte) error {
		r, err := unpackRecord(b)
		if err != nil {
			return err
		}
		return yield(i, r)
	})
}

// all returns the groups.
func (a *arena) all(yield func(g directory.Group) error) error {
	return a.each(func(_ int, b []byte) error {
		g, err := unpackGroup(b)
		if err != nil {
			return err
		}
		return yield(g)
	})
}
