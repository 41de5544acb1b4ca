package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// streaming answers with an event stream and leaves the rest to write, which can flush.
func streaming(write func(send func(string), r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		write(func(text string) {
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
		}, r)
	}
}

func balanceEvent(version int) string {
	return fmt.Sprintf("event: balance\nid: %d\ndata: {\"amount\":\"%d.00\",\"available\":\"1.00\",\"currency\":\"EUR\",\"version\":%d,\"at\":\"2026-11-21T10:00:00Z\"}\n\n", version, version, version)
}

// short writes events in few letters: h, b3 (balance of version 3), out.
func short(to *[]string) func(Event) {
	return func(e Event) {
		switch e.Kind {
		case EventHeartbeat:
			*to = append(*to, "h")
		case EventBalance:
			*to = append(*to, fmt.Sprintf("b%d", e.Balance.Version))
		case EventSignedOut:
			*to = append(*to, "out")
		}
	}
}

func TestFollow(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    []string
		kind    Kind // of the error; empty: it ends properly
		code    api.Code
	}{
		{"balances and heartbeats until the server ends it", streaming(func(send func(string), _ *http.Request) {
			send(": hello\n\n")
			send(balanceEvent(3) + ":\n")
			send("event: news\ndata: x\n\n" + balanceEvent(4))
		}), []string{"h", "h", "b3", "h", "h", "b4"}, "", ""},
		{"signed out ends it", streaming(func(send func(string), _ *http.Request) {
			send("event: signed-out\ndata: {}\n\n" + balanceEvent(9))
		}), []string{"h", "out"}, "", ""},
		{"cut into single bytes, with CRLF", streaming(func(send func(string), _ *http.Request) {
			for _, b := range strings.ReplaceAll(balanceEvent(5), "\n", "\r\n") {
				send(string(b))
			}
		}), []string{"h", "b5"}, "", ""},
		{"an event that is not whole does not count", streaming(func(send func(string), _ *http.Request) {
			send(strings.TrimSuffix(balanceEvent(3), "\n"))
		}), []string{"h"}, "", ""},
		{"dies in the middle", streaming(func(send func(string), _ *http.Request) {
			send(balanceEvent(3))
			panic(http.ErrAbortHandler)
		}), []string{"h", "b3"}, KindUnreachable, ""},
		{"a balance that is none", streaming(func(send func(string), _ *http.Request) { send("event: balance\ndata: <html>\n\n") }), []string{"h"}, KindServer, ""},
		{"a line without end", streaming(func(send func(string), _ *http.Request) { send(strings.Repeat("x", maxStreamLine+1)) }), []string{"h"}, KindServer, ""},
		{"an event without end", streaming(func(send func(string), _ *http.Request) {
			for range 6 {
				send("data:" + strings.Repeat("x", maxStreamLine-100) + "\n")
			}
		}), []string{"h"}, KindServer, ""},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, nil, KindNotPlaten, ""},
		{"no longer signed in", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 401, api.ContentTypeProblem, api.Problem{Code: api.CodeUnauthenticated})
		}, nil, KindAnswer, api.CodeUnauthenticated},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			err := believed(t, tc.handler).Follow(t.Context(), secret.New("tok"), 0, short(&got))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if tc.kind == "" {
				if err != nil {
					t.Errorf("got %v, want a proper end", err)
				}
				return
			}
			if e := failure(t, err); e.Kind != tc.kind || e.Code != tc.code {
				t.Errorf("got %s %s: %v; want %s %s", e.Kind, e.Code, e, tc.kind, tc.code)
			}
		})
	}
}

func TestFollowAsksForWhatIsNew(t *testing.T) {
	var seen atomic.Value
	c := believed(t, streaming(func(send func(string), r *http.Request) {
		seen.Store(fmt.Sprint(r.Method, r.URL.Path, r.Header["Accept"], r.Header["Authorization"], r.Header.Values(api.HeaderLastEventID)))
		send(":\n")
	}))
	for last, want := range map[int64]string{
		0:  "GET/api/v1/me/events[text/event-stream] [Bearer tok] []",
		17: "GET/api/v1/me/events[text/event-stream] [Bearer tok] [17]",
	} {
		if err := c.Follow(t.Context(), secret.New("tok"), last, func(Event) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, seen.Load()); diff != "" {
			t.Errorf("after %d (-want +got):\n%s", last, diff)
		}
	}
}

func TestFollowNoticesAStreamThatIsHeldBack(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"even the headers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, balanceEvent(3)) // into the buffer, never flushed
			<-r.Context().Done()
		},
		"everything after the headers": streaming(func(send func(string), r *http.Request) {
			send("")
			<-r.Context().Done()
		}),
		"in the middle of an event": streaming(func(send func(string), r *http.Request) {
			send("event: bal")
			<-r.Context().Done()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			c := believed(t, handler)
			c.silence = 200 * time.Millisecond
			err := c.Follow(t.Context(), secret.New("tok"), 0, func(e Event) {
				if e.Kind != EventHeartbeat {
					t.Errorf("got %+v", e)
				}
			})
			if !errors.Is(err, ErrSilent) {
				t.Errorf("got %v, want ErrSilent", err)
			}
		})
	}
}

func TestHeartbeatsKeepTheStreamAlive(t *testing.T) {
	const silence = time.Second
	c := believed(t, streaming(func(send func(string), r *http.Request) {
		tick := time.NewTicker(silence / 10)
		defer tick.Stop()
		for range 15 { // longer than the silence that would end it
			select {
			case <-tick.C:
				send(":\n")
			case <-r.Context().Done():
				return
			}
		}
		send(balanceEvent(8))
	}))
	c.silence = silence
	var got []string
	if err := c.Follow(t.Context(), secret.New("tok"), 0, short(&got)); err != nil {
		t.Fatal(err)
	}
	if got[len(got)-1] != "b8" {
		t.Errorf("got %q, want b8 at the end", got)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	c := believed(t, streaming(func(send func(string), r *http.Request) {
		send(":\n")
		<-r.Context().Done()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Follow(ctx, secret.New("tok"), 0, func(Event) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
