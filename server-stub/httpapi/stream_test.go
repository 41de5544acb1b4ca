package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/events"
)

// patience is how long these tests wait for what should come at once.
const patience = 20 * time.Second

// event is one message of a stream; a comment has only text.
type event struct{ kind, id, data, comment string }

// follower reads a stream in the background.
type follower struct {
	resp   *http.Response
	events chan event // closed at the end of the stream
}

func follow(t *testing.T, client *http.Client, url, token, lastID string) *follower {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+api.PathEvents, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if lastID != "" {
		r.Header.Set(api.HeaderLastEventID, lastID)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	f := &follower{resp: resp, events: make(chan event, 1000)}
	go func() {
		defer close(f.events)
		scanner := bufio.NewScanner(resp.Body)
		var e event
		for scanner.Scan() {
			line := scanner.Text()
			switch field, value, _ := strings.Cut(line, ": "); {
			case line == "":
				f.events <- e
				e = event{}
			case strings.HasPrefix(line, ":"):
				e.comment = "comment"
			case field == "event":
				e.kind = value
			case field == "id":
				e.id = value
			case field == "data":
				e.data = value
			}
		}
	}()
	return f
}

// next returns the next event that is no comment; ok is false at the end of the stream.
func (f *follower) next(t *testing.T) (e event, ok bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e, ok = <-f.events:
			if !ok || e.comment == "" {
				return e, ok
			}
		case <-timeout:
			t.Fatal("nothing came")
		}
	}
}

func (f *follower) balance(t *testing.T) api.Balance {
	t.Helper()
	e, ok := f.next(t)
	var b api.Balance
	if !ok || e.kind != api.EventBalance {
		t.Fatalf("got %+v, %v; want a balance", e, ok)
	}
	if err := json.Unmarshal([]byte(e.data), &b); err != nil {
		t.Fatal(err)
	}
	if e.id != fmt.Sprint(b.Version) {
		t.Errorf("id %s, version %d", e.id, b.Version)
	}
	return b
}

// both runs a test over HTTP/1.1 and HTTP/2.
func both(t *testing.T, test func(t *testing.T, s *site, url string, client *http.Client)) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			s := newSite(t, nil)
			url, client := s.listen(t, http2)
			test(t, s, url, client)
		})
	}
}

func TestStreamSendsTheBalanceAndItsChanges(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		f := follow(t, client, url, "token-a", "")
		if f.resp.StatusCode != http.StatusOK || f.resp.Header.Get("Content-Type") != "text/event-stream" || f.resp.Header.Get("X-Accel-Buffering") != "no" ||
			f.resp.Header.Get("Cache-Control") != "no-store" || f.resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %v", f.resp.Status, f.resp.Header)
		}
		if b := f.balance(t); b.Amount != "12.34" || b.Version != 7 {
			t.Errorf("first: %+v", b)
		}
		s.credit(s.hub, 1, 100000)
		if b := f.balance(t); b.Amount != "22.34" || b.Version != 8 {
			t.Errorf("after a credit: %+v", b)
		}
		s.credit(s.hub, 2, 100000) // somebody else
		s.credit(s.hub, 1, -10000)
		if b := f.balance(t); b.Amount != "21.34" || b.Version != 9 {
			t.Errorf("after a debit: %+v", b)
		}
	})
}

func TestStreamResumes(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		current := follow(t, client, url, "token-a", "7")
		old := follow(t, client, url, "token-a", "6")
		nonsense := follow(t, client, url, "token-a", "what?")
		if b := old.balance(t); b.Version != 7 {
			t.Errorf("resumed from an old version: %+v", b)
		}
		if b := nonsense.balance(t); b.Version != 7 {
			t.Errorf("resumed from nonsense: %+v", b)
		}
		s.credit(s.hub, 1, 10000)
		if b := current.balance(t); b.Version != 8 {
			t.Errorf("a client that is up to date got %+v first, want only the next change", b)
		}
	})
}

func TestStreamEndsWithItsSession(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		f, other := follow(t, client, url, "token-a", ""), follow(t, client, url, "token-b", "")
		f.balance(t)
		other.balance(t)
		s.hub.EndSession(1, "a")
		if e, ok := f.next(t); !ok || e.kind != api.EventSignedOut {
			t.Errorf("got %+v, %v", e, ok)
		}
		if e, ok := f.next(t); ok {
			t.Errorf("after signed-out came %+v", e)
		}
		s.credit(s.hub, 2, 10000)
		if b := other.balance(t); b.Version != 8 {
			t.Errorf("another's stream: %+v", b)
		}
		s.hub.EndUser(2)
		if e, ok := other.next(t); !ok || e.kind != api.EventSignedOut {
			t.Errorf("got %+v, %v", e, ok)
		}
	})
}

// The end of a session that this node was not told of (another node, the database) is noticed all the same.
func TestStreamNoticesAnEndItWasNotToldOf(t *testing.T) {
	s := newSite(t, nil)
	s.h.streams.heartbeat, s.h.streams.recheck = 20*time.Millisecond, 40*time.Millisecond
	url, client := s.listen(t, false)
	f := follow(t, client, url, "token-a", "")
	f.balance(t)
	if err := s.Revoke(t.Context(), 1, "a"); err != nil {
		t.Fatal(err)
	}
	if e, ok := f.next(t); !ok || e.kind != api.EventSignedOut {
		t.Errorf("got %+v, %v", e, ok)
	}
}

func TestStreamReadsAgainWhenTouched(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		f := follow(t, client, url, "token-a", "")
		f.balance(t)
		s.people.mu.Lock()
		u := s.users[1]
		u.Overdraft = 50000
		s.users[1] = u
		s.people.mu.Unlock()
		s.hub.Touch(1)
		if b := f.balance(t); b.Available != "17.34" || b.Version != 7 {
			t.Errorf("%+v", b)
		}
	})
}

func TestStreamBeats(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		s.h.streams.heartbeat = 10 * time.Millisecond
		f := follow(t, client, url, "token-a", "7")
		for beats := 0; beats < 5; {
			select {
			case e, ok := <-f.events:
				if !ok || e.comment == "" {
					t.Fatalf("got %+v, %v", e, ok)
				}
				beats++
			case <-time.After(patience):
				t.Fatal("no heartbeat")
			}
		}
	})
}

// A client that reads nothing neither delays the others nor makes the server keep what it missed.
func TestASlowClientHoldsUpNobody(t *testing.T) {
	s := newSite(t, nil)
	url, client := s.listen(t, false)
	slow := dialer(t, url)()
	fmt.Fprintf(slow, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-a\r\n\r\n", api.PathEvents)
	f := follow(t, client, url, "token-a", "")
	f.balance(t)
	var last core.Account
	for range 5000 {
		last = s.credit(s.hub, 1, 1)
	}
	for {
		if b := f.balance(t); b.Version == last.Version {
			break
		}
	}
}

func TestNoChangeIsLostWhileTheStreamOpens(t *testing.T) {
	s := newSite(t, nil)
	url, client := s.listen(t, true)
	stop := make(chan struct{})
	done := make(chan int64)
	go func() {
		for {
			select {
			case <-stop:
				done <- s.credit(s.hub, 1, 1).Version
				return
			default:
				s.credit(s.hub, 1, 1)
			}
		}
	}()
	var all []*follower
	for range 20 {
		all = append(all, follow(t, client, url, "token-a", ""))
	}
	close(stop)
	last := <-done
	for _, f := range all {
		seen := int64(0)
		for seen < last {
			b := f.balance(t)
			if b.Version <= seen {
				t.Errorf("version %d after %d", b.Version, seen)
			}
			seen = b.Version
		}
	}
}

func TestShutdownEndsEveryStream(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		f := follow(t, client, url, "token-a", "")
		f.balance(t)
		s.h.Shutdown(t.Context())
		if e, ok := f.next(t); ok {
			t.Errorf("got %+v; want the end, and no word of signing out", e)
		}
		if n := s.hub.Count(); n != 0 {
			t.Errorf("%d streams are left", n)
		}
		r := follow(t, client, url, "token-a", "")
		if r.resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a stream after shutdown: %s", r.resp.Status)
		}
	})
}

func TestTooManyStreamsOfOnePerson(t *testing.T) {
	s := newSite(t, nil)
	for range events.MaxPerUser {
		if _, err := s.hub.Subscribe(1, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if w := s.ask(t, "GET", api.PathEvents, "token-a", ""); w.Code != http.StatusTooManyRequests {
		t.Errorf("status %d", w.Code)
	}
}

func TestStreamsOfClientsThatWentAwayEnd(t *testing.T) {
	both(t, func(t *testing.T, s *site, url string, client *http.Client) {
		s.h.streams.heartbeat = 10 * time.Millisecond
		for range 5 {
			f := follow(t, client, url, "token-a", "")
			f.balance(t)
			_ = f.resp.Body.Close()
		}
		client.CloseIdleConnections()
		for deadline := time.Now().Add(patience); s.hub.Count() > 0; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("%d streams are left", s.hub.Count())
			}
		}
	})
}

// The write timeout of ordinary answers does not cut a stream off.
func TestStreamsOutliveTheWriteTimeout(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			s := newSite(t, nil)
			server := s.h.Server(nil)
			server.WriteTimeout, server.ReadTimeout = 300*time.Millisecond, 300*time.Millisecond
			url, client := s.listenWith(t, server, http2)
			f := follow(t, client, url, "token-a", "")
			f.balance(t)
			<-time.After(time.Second)
			s.credit(s.hub, 1, 10000)
			if b := f.balance(t); b.Version != 8 {
				t.Errorf("%+v", b)
			}
		})
	}
}

// R-SLOW-1: connections that send a byte now and then do not keep others out.
func TestSlowLorisKeepsNobodyOut(t *testing.T) {
	s := newSite(t, nil)
	url, client := s.listen(t, false)
	f := follow(t, client, url, "token-a", "") // signed in before the attack, from the same address
	f.balance(t)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var slow []net.Conn
	for range 500 {
		c := dial()
		_, _ = c.Write([]byte{0x16}) // the first byte of a TLS hello, and never the next
		slow = append(slow, c)
	}
	resp, err := client.Get(url + api.PathClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %s", resp.Status)
	}
	s.credit(s.hub, 1, 10000)
	if b := f.balance(t); b.Version != 8 {
		t.Errorf("the stream of somebody signed in: %+v", b)
	}
	for _, c := range slow {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a slow connection is still open")
		}
	}
}

// crowd lets nobody finish signing in before everybody has come.
type crowd struct {
	*people
	wait sync.WaitGroup
}

func (c *crowd) Password(ctx context.Context, a Attempt) (SignedIn, error) {
	c.wait.Done()
	c.wait.Wait()
	return c.people.Password(ctx, a)
}

func TestManyPeopleBehindOneAddressSignInAtOnce(t *testing.T) {
	const many = 200
	c := &crowd{}
	s := newSite(t, func(d *Deps) { d.SignIn = c })
	c.people = s.people
	c.wait.Add(many)
	url, client := s.listen(t, false)
	var done sync.WaitGroup
	for range many {
		done.Go(func() {
			resp, err := client.Post(url+api.PathSessions, "application/json", strings.NewReader(`{"username":"alex.test@example.org","password":"right"}`))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("status %s", resp.Status)
			}
		})
	}
	done.Wait()
}
