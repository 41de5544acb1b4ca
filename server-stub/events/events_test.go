package events

import (
	"errors"
	"sync"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
)

func account(user core.UserID, version int64) core.Account {
	return core.Account{UserID: user, Balance: core.Amount(version), Version: version}
}

func subscribe(t *testing.T, h *Hub, user core.UserID, session string) *Subscription {
	t.Helper()
	s, err := h.Subscribe(user, session)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rung(s *Subscription) bool {
	select {
	case <-s.Wake():
		return true
	default:
		return false
	}
}

func TestASlowStreamFindsOnlyTheNewest(t *testing.T) {
	h := New()
	s := subscribe(t, h, 1, "a")
	for v := range int64(1000) {
		h.Publish(account(1, v+1))
	}
	if !rung(s) || rung(s) {
		t.Error("want to be woken exactly once")
	}
	if got := s.Take(); !got.Changed || got.Account.Version != 1000 {
		t.Errorf("Take = %+v, want version 1000", got)
	}
	if got := s.Take(); got.Changed {
		t.Errorf("second Take = %+v, want nothing new", got)
	}
}

func TestPublishReachesThatPersonOnly(t *testing.T) {
	h := New()
	mine, mine2, other := subscribe(t, h, 1, "a"), subscribe(t, h, 1, "b"), subscribe(t, h, 1+shards, "c")
	h.Publish(account(1, 5))
	if !rung(mine) || !rung(mine2) {
		t.Error("one of the person's streams was not woken")
	}
	if rung(other) || other.Take().Changed {
		t.Error("another person's stream in the same shard was told")
	}
}

func TestAnOlderPublicationNeverReplacesANewer(t *testing.T) {
	h := New()
	s := subscribe(t, h, 1, "a")
	h.Publish(account(1, 9))
	h.Publish(account(1, 8))
	if got := s.Take(); got.Account.Version != 9 {
		t.Errorf("Take = %+v, want version 9", got)
	}
	h.Touch(1)
	if got := s.Take(); !got.Changed || !got.Reread {
		t.Errorf("after Touch: %+v, want Reread", got)
	}
	h.Publish(account(1, 9))
	if got := s.Take(); !got.Changed || got.Reread || got.Account.Version != 9 {
		t.Errorf("after Touch and Publish: %+v", got)
	}
}

func TestSessionsAndPeopleEnd(t *testing.T) {
	h := New()
	a, b, other := subscribe(t, h, 1, "a"), subscribe(t, h, 1, "b"), subscribe(t, h, 2, "a")
	h.EndSession(1, "a")
	if !rung(a) || a.Take().End != SignedOut || b.Take().End != Open || other.Take().End != Open {
		t.Error("EndSession must end that person's session of that id, and nothing else")
	}
	h.EndUser(1)
	if !rung(b) || b.Take().End != SignedOut || other.Take().End != Open {
		t.Error("EndUser must end all of that person, and nobody else")
	}
	h.Close()
	if a.Take().End != SignedOut || other.Take().End != ShuttingDown {
		t.Error("Close must end the rest, and not hide that a session ended")
	}
	if _, err := h.Subscribe(3, "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("Subscribe after Close: %v", err)
	}
}

func TestStreamsOfOnePersonAreBounded(t *testing.T) {
	h := New()
	var last *Subscription
	for range MaxPerUser {
		last = subscribe(t, h, 1, "a")
	}
	if _, err := h.Subscribe(1, "a"); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v, want ErrTooMany", err)
	}
	last.Close()
	last.Close()
	if n := h.Count(); n != MaxPerUser-1 {
		t.Errorf("Count = %d", n)
	}
	subscribe(t, h, 1, "a")
}

func TestNothingIsKeptForPeopleWithoutStreams(t *testing.T) {
	h := New()
	h.Publish(account(7, 1))
	s := subscribe(t, h, 7, "a")
	s.Close()
	if n := len(h.shard(7).topics); n != 0 {
		t.Errorf("%d topics are kept", n)
	}
}

// Whatever the interleaving, the last thing published is the last thing seen.
func TestConcurrentPublishersAndStreams(t *testing.T) {
	h := New()
	const last = 2000
	var publishers, streams sync.WaitGroup
	for range 8 {
		s := subscribe(t, h, 1, "a")
		streams.Go(func() {
			defer s.Close()
			var seen int64
			for seen < last {
				<-s.Wake()
				if u := s.Take(); u.Changed {
					if u.Account.Version < seen {
						t.Errorf("went back from %d to %d", seen, u.Account.Version)
					}
					seen = u.Account.Version
				}
			}
		})
	}
	for p := range int64(4) {
		publishers.Go(func() {
			for v := p + 1; v <= last; v += 4 {
				h.Publish(account(1, v))
			}
		})
	}
	publishers.Wait()
	streams.Wait()
}
