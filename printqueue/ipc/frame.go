package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxFrame is the most bytes of JSON in a frame, either way.
const MaxFrame = 64 << 10

const headerSize = 4

// readFrame reads one frame into v. io.EOF is returned as it is when nothing came at all.
func readFrame(r io.Reader, v any) error {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read frame: %w", err)
	}
	size := binary.BigEndian.Uint32(header[:])
	if size == 0 || size > MaxFrame {
		return fmt.Errorf("%w: %d bytes announced, at most %d are allowed", ErrFrame, size, MaxFrame)
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

// writeFrame writes v as one frame, with one call of Write.
func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	if len(text) > MaxFrame {
		return fmt.Errorf("%w: %d bytes to send, at most %d are allowed", ErrFrame, len(text), MaxFrame)
	}
	frame := make([]byte, headerSize, headerSize+len(text))
	binary.BigEndian.PutUint32(frame, uint32(len(text)))
	if _, err := w.Write(append(frame, text...)); err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return nil
}
