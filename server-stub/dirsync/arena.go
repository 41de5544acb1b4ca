package dirsync

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/platenprint/platen/server-stub/directory"
)

// segmentSize bounds one piece of an arena, and so one part of a plan, but for single records that are larger.
const segmentSize = 1 << 20

// arena holds packed records or groups in few large pieces, compressed once they are full: 100,000 people as structs are twenty times
// the size, and the collector would walk through them.
type arena struct {
	segments []segment
	n        int
	writer   *flate.Writer // used again and again
}

// segment is a piece. Only the last one of an arena is still open.
type segment struct {
	data   []byte
	packed bool
}

// add keeps one packed value.
func (a *arena) add(b []byte) {
	need := len(b) + binary.MaxVarintLen64
	last := len(a.segments) - 1
	if last < 0 || len(a.segments[last].data)+need > segmentSize {
		// The first piece grows as it must, so that a single record costs little; those behind it will be filled.
		size := 4096
		if last >= 0 {
			a.pack(last)
			size = segmentSize
		}
		a.segments = append(a.segments, segment{data: make([]byte, 0, max(need, size))})
		last++
	}
	s := binary.AppendUvarint(a.segments[last].data, uint64(len(b)))
	a.segments[last].data = append(s, b...)
	a.n++
}

// pack compresses a piece.
func (a *arena) pack(i int) {
	s := &a.segments[i]
	if s.packed {
		return
	}
	var b bytes.Buffer
	if a.writer == nil {
		var err error
		if a.writer, err = flate.NewWriter(&b, flate.BestSpeed); err != nil {
			panic("dirsync: flate knows its own levels: " + err.Error())
		}
	} else {
		a.writer.Reset(&b)
	}
	_, _ = a.writer.Write(s.data) // into memory
	_ = a.writer.Close()
	*s = segment{data: bytes.Clone(b.Bytes()), packed: true}
}

// close compresses what is still open, where there is much of it. Nothing is added any more.
func (a *arena) close() {
	if last := len(a.segments) - 1; last > 0 {
		a.pack(last)
	}
	a.writer = nil
}

// open returns what a piece holds.
func (s segment) open(buffer *bytes.Buffer) ([]byte, error) {
	if !s.packed {
		return s.data, nil
	}
	buffer.Reset()
	if _, err := io.Copy(buffer, flate.NewReader(bytes.NewReader(s.data))); err != nil {
		return nil, fmt.Errorf("%w: %w", errGarbled, err)
	}
	return buffer.Bytes(), nil
}

// each hands out every value in the order in which they came, until an error. The bytes are only lent.
func (a *arena) each(yield func(i int, b []byte) error) error {
	i := 0
	var buffer bytes.Buffer
	for _, piece := range a.segments {
		s, err := piece.open(&buffer)
		if err != nil {
			return err
		}
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
	if err := a.each(func(i int, b []byte) error {
		ok, err := yield(i, b)
		if ok {
			kept.add(b)
		}
		return err
	}); err != nil {
		return err
	}
	kept.close()
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

// all hands out the groups.
func (a *arena) all(yield func(g directory.Group) error) error {
	return a.each(func(_ int, b []byte) error {
		g, err := unpackGroup(b)
		if err != nil {
			return err
		}
		return yield(g)
	})
}
