package apiclient

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// frames reads all frames of a text; a comment is "#".
func frames(text string) ([]string, error) {
	p := newParser(iotest.OneByteReader(strings.NewReader(text)))
	var list []string
	for {
		f, err := p.next()
		if err != nil {
			return list, err
		}
		if f.name == "" && f.data == nil {
			list = append(list, "#")
			continue
		}
		list = append(list, f.name+"="+string(f.data))
	}
}

// TestParser has the examples of the WHATWG standard and what real servers and proxies make of them.
func TestParser(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"comment, then two events", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n", []string{"#", "=first event", "=second event"}},
		{"one space is taken off, not two", "data:  third event\n\n", []string{"= third event"}},
		{"data of several lines", "data: YHOO\ndata: +2\ndata: 10\n\n", []string{"=YHOO\n+2\n10"}},
		{"empty data", "data\n\ndata\ndata\n\ndata:", []string{"=", "=\n"}},
		{"the last event name counts", "event: a\nevent: b\ndata: x\n\n", []string{"b=x"}},
		{"the name does not live on", "event: a\ndata: x\n\ndata: y\n\n", []string{"a=x", "=y"}},
		{"CR", "data: x\r\rdata: y\r\r", []string{"=x", "=y"}},
		{"CRLF", "data: x\r\n\r\n:\r\n", []string{"=x", "#"}},
		{"a byte order mark", "\xef\xbb\xbfdata: x\n\n", []string{"=x"}},
		{"a byte order mark later is text", "data: x\n\n\xef\xbb\xbfdata: y\n\n", []string{"=x"}},
		{"unknown fields", "retry: 10\nfoo: bar\nDATA: x\n data: y\n\n", nil},
		{"a comment inside an event", "data: x\n: y\ndata: z\n\n", []string{"=x\nz"}},
		{"no end", "data: x\n", nil},
		{"nothing", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := frames(tc.text)
			if !errors.Is(err, io.EOF) {
				t.Errorf("got error %v, want EOF", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte(balanceEvent(3)))
	f.Add([]byte(":\r\n\rdata:\xef\xbb\xbf\n\nevent\n\n"))
	f.Add([]byte(strings.Repeat("data: x\n", 100)))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := newParser(bytes.NewReader(text))
		count := 0
		for {
			frame, err := p.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errGarbage) {
					t.Fatalf("got %v", err)
				}
				break
			}
			count++
			if count > len(text) {
				t.Fatal("more frames than bytes")
			}
			if len(frame.data) > maxStreamData+1 || len(frame.name) > maxStreamLine || strings.ContainsAny(frame.name, "\r\n") || bytes.Contains(frame.data, []byte("\r")) {
				t.Fatalf("frame %q is out of bounds", frame)
			}
		}
		// Line ends are interchangeable: the same text with CRLF has the same frames.
		if !bytes.Contains(text, []byte("\r")) && len(text) < 1000 {
			a, errA := frames(string(text))
			b, errB := frames(strings.ReplaceAll(string(text), "\n", "\r\n"))
			if diff := cmp.Diff(a, b); diff != "" || errors.Is(errA, io.EOF) != errors.Is(errB, io.EOF) {
				t.Errorf("with CRLF it reads differently:\n%s", diff)
			}
		}
	})
}
