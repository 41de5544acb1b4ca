package apiclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a stream, in bytes. A balance has about 150.
const (
	maxStreamLine = 16 << 10
	maxStreamData = 64 << 10
)

// frame is one event, or a comment line (no name, no data).
type frame struct {
	name string
	data []byte
}

// parser reads server-sent events (WHATWG HTML, section 9.2.6). Every comment line is a frame of its own, because the server's
// heartbeats are comments. Fields that we have no use for (id, retry, unknown ones) are skipped: our id is the version inside
// the data.
type parser struct {
	r     *bufio.Reader
	line  []byte
	first bool // nothing read yet: a byte order mark may come
	cr    bool // the last line ended with CR: an LF that follows belongs to it
}

func newParser(r io.Reader) *parser { return &parser{r: bufio.NewReaderSize(r, 1<<10), first: true} }

// next returns the next frame. io.EOF is the end of the stream; an event that was not complete by then does not count.
// errGarbage says that a line or an event is too long.
func (p *parser) next() (frame, error) {
	var f frame
	for {
		line, err := p.readLine()
		if err != nil {
			return frame{}, err
		}
		if len(line) == 0 {
			if f.name != "" || f.data != nil {
				return frame{f.name, bytes.TrimSuffix(f.data, []byte("\n"))}, nil
			}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "":
			if f.name == "" && f.data == nil { // inside an event it says nothing new
				return frame{}, nil
			}
		case "event":
			f.name = string(value)
		case "data":
			if len(f.data)+len(value) > maxStreamData {
				return frame{}, fmt.Errorf("%w: an event of more than %d bytes", errGarbage, maxStreamData)
			}
			f.data = append(append(f.data, value...), '\n')
		}
	}
}

// readLine returns the next line without its end, which is CR, LF or both. It is valid until the next call.
func (p *parser) readLine() ([]byte, error) {
	p.line = p.line[:0]
	for {
		b, err := p.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil, io.EOF // an unfinished line does not count
			}
			return nil, err
		}
		if p.cr && b == '\n' {
			p.cr = false
			continue
		}
		p.cr = b == '\r'
		if b == '\n' || b == '\r' {
			line := p.line
			if p.first {
				p.first = false
				line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			}
			return line, nil
		}
		if len(p.line) == maxStreamLine {
			return nil, fmt.Errorf("%w: a line of more than %d bytes", errGarbage, maxStreamLine)
		}
		p.line = append(p.line, b)
	}
}
