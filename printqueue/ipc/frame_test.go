package ipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frame puts text into a frame.
func frame(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

func TestR_IPC_4_FramesAreStrict(t *testing.T) {
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"right":             {frame(`{"v":1,"verb":"status"}`), nil},
		"nothing":           {nil, io.EOF},
		"half a header":     {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"half a body":       {frame(`{"v":1,"verb":"status"}`)[:10], io.ErrUnexpectedEOF},
		"empty":             {frame(""), ErrFrame},
		"too long":          {binary.BigEndian.AppendUint32(nil, MaxFrame+1), ErrFrame},
		"4 GiB":             {[]byte{0xff, 0xff, 0xff, 0xff}, ErrFrame},
		"unknown field":     {frame(`{"v":1,"verb":"status","command":"rm"}`), ErrFrame},
		"a field twice":     {frame(`{"v":1,"verb":"assert","verb":"status"}`), ErrFrame},
		"escaped twice":     {frame(`{"v":1,"verb":"assert","\u0076erb":"status"}`), ErrFrame},
		"another spelling":  {frame(`{"v":1,"VERB":"status"}`), ErrFrame},
		"two values":        {frame(`{"v":1,"verb":"status"}{}`), ErrFrame},
		"something follows": {frame(`{"v":1,"verb":"status"} x`), ErrFrame},
		"no JSON":           {frame(`GET / HTTP/1.1`), ErrFrame},
		"wrong type":        {frame(`{"v":1,"verb":1}`), ErrFrame},
		"array":             {frame(`[]`), ErrFrame},
		"deep":              {frame(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), ErrFrame},
		"not UTF-8":         {frame("{\"v\":1,\"verb\":\"\xff\"}"), ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			var r request
			if err := readFrame(bytes.NewReader(test.in), &r); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if err := writeFrame(io.Discard, strings.Repeat("x", MaxFrame)); !errors.Is(err, ErrFrame) {
		t.Errorf("a frame that is too long was sent: %v", err)
	}
}

func TestR_IPC_3_OnlyListedQuestions(t *testing.T) {
	challenge := strings.Repeat("aZ-_", 11)[:challengeLength]
	for name, test := range map[string]struct {
		q  request
		ok bool
	}{
		"status":                  {request{Verb: verbStatus}, true},
		"assert":                  {request{Verb: verbAssert, Challenge: challenge}, true},
		"nothing":                 {request{}, false},
		"unknown":                 {request{Verb: "exec"}, false},
		"status with a challenge": {request{Verb: verbStatus, Challenge: challenge}, false},
		"no challenge":            {request{Verb: verbAssert}, false},
		"short challenge":         {request{Verb: verbAssert, Challenge: challenge[1:]}, false},
		"path as challenge":       {request{Verb: verbAssert, Challenge: strings.Repeat("../", 15)[:challengeLength]}, false},
		"line end":                {request{Verb: verbAssert, Challenge: challenge[1:] + "\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.q.check(); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(frame(`{"v":1,"verb":"status"}`))
	f.Add(frame(`{"v":1,"verb":"assert","challenge":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}`))
	f.Add(frame(`{"v":1,"status":{"enrolled":true,"auth_modes":["trust"],"seen_at":"2026-01-02T03:04:05Z"}}`))
	f.Add(frame(`{"v":1,"v":2}`))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, in []byte) {
		fuzzOne[request](t, in)
		fuzzOne[reply](t, in)
	})
}

func fuzzOne[T any](t *testing.T, in []byte) {
	t.Helper()
	var v T
	src := bytes.NewReader(in)
	if err := readFrame(src, &v); err != nil {
		return
	}
	// Nothing behind the frame was touched, and what was taken is what would be sent.
	if used := len(in) - src.Len(); used != headerSize+int(binary.BigEndian.Uint32(in)) {
		t.Errorf("%d bytes used", used)
	}
	var out bytes.Buffer
	if err := writeFrame(&out, &v); err != nil {
		return // escapes may be longer than what came
	}
	var again T
	if err := readFrame(&out, &again); err != nil {
		t.Fatalf("sent back: %v", err)
	}
	if diff := cmp.Diff(v, again, cmp.AllowUnexported(Error{})); diff != "" {
		t.Error(diff)
	}
}
