package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of the wire, in bytes of JSON.
const (
	MaxFrame = 64 << 10  // requests and snapshots
	MaxReply = 256 << 10 // a reply with details
)

const headerSize = 4

// ErrFrame says that what came is not a frame of this protocol. The connection is of no use after it.
var ErrFrame = errors.New("not a frame of this protocol")

// readFrame reads one frame of at most limit bytes into v. io.EOF is returned as it is when nothing came at all.
func readFrame(r io.Reader, limit int, v any) error {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read frame: %w", err)
	}
	size := binary.BigEndian.Uint32(header[:])
	if size == 0 || int64(size) > int64(limit) {
		return fmt.Errorf("%w: %d bytes announced, at most %d are allowed", ErrFrame, size, limit)
	}
	// The buffer grows with what arrives, not with what is announced.
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read frame: %w", err)
	}
	return decode(body.Bytes(), v)
}

// decode reads strict JSON: one value, no unknown fields. Errors never quote what came; it may hold a password.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: the JSON is not what it must be", ErrFrame)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the JSON", ErrFrame)
	}
	return nil
}

// writeFrame writes v as one frame of at most limit bytes, with one call of Write.
func writeFrame(w io.Writer, limit int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	if len(text) > limit {
		return fmt.Errorf("%w: %d bytes to send, at most %d are allowed", ErrFrame, len(text), limit)
	}
	frame := make([]byte, headerSize, headerSize+len(text))
	binary.BigEndian.PutUint32(frame, uint32(len(text)))
	if _, err := w.Write(append(frame, text...)); err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return nil
}
