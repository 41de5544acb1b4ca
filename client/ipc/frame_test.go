package ipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
)

// frame puts text into a frame.
func frame(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

func TestFramesAreStrict(t *testing.T) {
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"right":             {frame(`{"verb":"watch","after":3}`), nil},
		"nothing":           {nil, io.EOF},
		"half a header":     {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"half a body":       {frame(`{"verb":"watch"}`)[:10], io.ErrUnexpectedEOF},
		"empty":             {frame(""), ErrFrame},
		"too long":          {binary.BigEndian.AppendUint32(nil, MaxFrame+1), ErrFrame},
		"4 GiB":             {[]byte{0xff, 0xff, 0xff, 0xff}, ErrFrame},
		"unknown field":     {frame(`{"verb":"watch","command":"rm"}`), ErrFrame},
		"unknown in action": {frame(`{"verb":"do","action":{"kind":"open","path":"/bin/sh"}}`), ErrFrame},
		"two values":        {frame(`{"verb":"watch"}{}`), ErrFrame},
		"no JSON":           {frame(`GET / HTTP/1.1`), ErrFrame},
		"wrong type":        {frame(`{"verb":1}`), ErrFrame},
		"array":             {frame(`[]`), ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			var r request
			if err := readFrame(bytes.NewReader(test.in), MaxFrame, &r); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if err := writeFrame(io.Discard, 10, strings.Repeat("x", 20)); !errors.Is(err, ErrFrame) {
		t.Errorf("a frame that is too long was sent: %v", err)
	}
}

func TestFrameErrorsNeverQuoteWhatCame(t *testing.T) {
	for _, text := range []string{
		`{"verb":"do","action":{"kind":"sign-in","password":"hunter2","hunter2":1}}`,
		`{"verb":"do","action":{"kind":"sign-in","password":hunter2}}`,
	} {
		var r request
		err := readFrame(bytes.NewReader(frame(text)), MaxFrame, &r)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}

func TestPasswordCrossesTheWireAndNothingElseShowsIt(t *testing.T) {
	action := status.Action{Kind: status.ActionSignIn, Username: "alex", Password: secret.New(`pä"ss` + "\n"), StaySignedIn: true}
	var wire bytes.Buffer
	if err := writeFrame(&wire, MaxFrame, request{Verb: verbDo, Action: reveal(action)}); err != nil {
		t.Fatal(err)
	}
	var r request
	if err := readFrame(&wire, MaxFrame, &r); err != nil {
		t.Fatal(err)
	}
	got := r.Action.conceal()
	if got.Password.Reveal() != action.Password.Reveal() || r.Action.Text != "" {
		t.Errorf("the password arrived as %d bytes, %d left on the wire's type", len(got.Password.Reveal()), len(r.Action.Text))
	}
	if !reflect.DeepEqual(got, action) {
		t.Errorf("got %+v, want %+v", got, action)
	}
}

func TestOnlyListedActionsPass(t *testing.T) {
	for name, test := range map[string]struct {
		action status.Action
		ok     bool
	}{
		"open a page":              {status.Action{Kind: status.ActionOpen, Page: status.PageDetails}, true},
		"sign in":                  {status.Action{Kind: status.ActionSignIn, Username: "a", Password: secret.New("b")}, true},
		"unknown kind":             {status.Action{Kind: "run"}, false},
		"no kind":                  {status.Action{}, false},
		"unknown page":             {status.Action{Kind: status.ActionOpen, Page: "file:///etc/passwd"}, false},
		"long name":                {status.Action{Kind: status.ActionSignIn, Username: strings.Repeat("a", 321)}, false},
		"long password":            {status.Action{Kind: status.ActionSignIn, Password: secret.New(strings.Repeat("a", 257))}, false},
		"password where none goes": {status.Action{Kind: status.ActionOpen, Password: secret.New("b")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := check(test.action); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(frame(`{"verb":"watch","after":3}`))
	f.Add(frame(`{"verb":"do","action":{"kind":"sign-in","username":"alex","password":"x","stay_signed_in":true}}`))
	f.Add(frame(`{"verb":"do","action":{"kind":"open","page":"details"}}`))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, in []byte) {
		var r request
		src := bytes.NewReader(in)
		if err := readFrame(src, MaxFrame, &r); err != nil {
			return
		}
		// What was taken is what would be sent, and nothing behind the frame was touched.
		if used := len(in) - src.Len(); used != headerSize+int(binary.BigEndian.Uint32(in)) {
			t.Errorf("%d bytes used", used)
		}
		var out bytes.Buffer
		if err := writeFrame(&out, 8*MaxFrame, &r); err != nil { // escapes may be longer than what came
			t.Fatal(err)
		}
		var again request
		if err := readFrame(&out, 8*MaxFrame, &again); err != nil {
			t.Fatalf("sent back: %v", err)
		}
		if diff := cmp.Diff(r, again, cmp.Comparer(func(a, b secret.String) bool { return a.Reveal() == b.Reveal() })); diff != "" {
			t.Error(diff)
		}
	})
}
