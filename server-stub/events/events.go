// Package events tells the open event streams of this node what changed, and when a session is over.
//
// For each person there is one newest value, not a queue: a stream that is slow, or waits, finds the newest balance when
// it looks again and nothing in between (coalescing). So memory is bounded by the number of streams whatever happens, and
// publishing never waits for anybody. Made for 100,000 idle streams on a node: an idle one costs a Subscription and a
// place in a slice.
//
// What is published counts as a hint; the ledger is the truth. A stream first subscribes, then reads the balance, so
// nothing can slip between the two.
package events

import (
	"errors"
	"slices"
	"sync"

	"github.com/platenprint/platen/server-stub/core"
)

// MaxPerUser is how many streams one person may have open on a node: terminal servers and many computers fit, a client
// that opens streams in a loop does not.
const MaxPerUser = 100

// ErrTooMany says that the person has MaxPerUser streams already.
var ErrTooMany = errors.New("too many event streams are open for this account")

// ErrClosed says that the hub is shutting down.
var ErrClosed = errors.New("the event streams are shutting down")

// End says why a stream must end.
type End int

// The reasons, the weightier ones later.
const (
	Open         End = iota
	ShuttingDown     // the server stops: come again
	SignedOut        // the session or the account is over
)

// Update is what a subscription has to tell: the newest state, not all that led there.
type Update struct {
	// Changed says that the balance changed since the last Take. Account is it, unless Reread is set: then only the
	// ledger knows.
	Changed bool
	Reread  bool
	Account core.Account
	End     End
}

// shards is how many locks share the work.
const shards = 64

// Hub is the meeting point. The zero value is not usable; see New. Safe for concurrent use.
type Hub struct{ shards [shards]shard }

type shard struct {
	mu     sync.Mutex
	topics map[core.UserID]*topic // only of people with open streams
	closed bool
}

type topic struct {
	version uint64 // counts publications since the topic was made
	account core.Account
	reread  bool
	subs    []*Subscription
}

// New makes a hub without streams.
func New() *Hub {
	h := &Hub{}
	for i := range h.shards {
		h.shards[i].topics = map[core.UserID]*topic{}
	}
	return h
}

// Subscription is one stream's place. Its methods may be called by one goroutine.
type Subscription struct {
	hub     *Hub
	user    core.UserID
	session string
	wake    chan struct{}
	seen    uint64 // guarded by the shard's mu
	end     End    // guarded by the shard's mu
}

// Subscribe opens a place for a stream of one session. It returns ErrTooMany or ErrClosed.
func (h *Hub) Subscribe(user core.UserID, session string) (*Subscription, error) {
	s := &Subscription{hub: h, user: user, session: session, wake: make(chan struct{}, 1)}
	sh := h.shard(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return nil, ErrClosed
	}
	t := sh.topics[user]
	if t == nil {
		t = &topic{}
		sh.topics[user] = t
	}
	if len(t.subs) >= MaxPerUser {
		return nil, ErrTooMany
	}
	s.seen = t.version
	t.subs = append(t.subs, s)
	return s, nil
}

// Wake receives when Take has something to tell.
func (s *Subscription) Wake() <-chan struct{} { return s.wake }

// Take returns what is new since the last call.
func (s *Subscription) Take() Update {
	sh := s.hub.shard(s.user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	u := Update{End: s.end}
	if t := sh.topics[s.user]; t != nil && t.version > s.seen {
		s.seen = t.version
		u.Changed, u.Reread, u.Account = true, t.reread, t.account
	}
	return u
}

// Close gives the place up. It may be called more than once.
func (s *Subscription) Close() {
	sh := s.hub.shard(s.user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t := sh.topics[s.user]
	if t == nil {
		return
	}
	if i := slices.Index(t.subs, s); i >= 0 {
		t.subs = slices.Delete(t.subs, i, i+1)
	}
	if len(t.subs) == 0 {
		delete(sh.topics, s.user)
	}
}

// Publish tells the person's streams of a committed balance. One that is older than what was published before is dropped.
func (h *Hub) Publish(account core.Account) {
	h.change(account.UserID, func(t *topic) bool {
		if t.version > 0 && !t.reread && account.Version <= t.account.Version {
			return false
		}
		t.account, t.reread = account, false
		return true
	})
}

// Touch tells the person's streams to read the balance again: something that matters to it changed outside the ledger.
func (h *Hub) Touch(user core.UserID) {
	h.change(user, func(t *topic) bool { t.reread = true; return true })
}

// EndSession ends the streams of one session.
func (h *Hub) EndSession(user core.UserID, session string) {
	h.end(user, func(s *Subscription) bool { return s.session == session }, SignedOut)
}

// EndUser ends all streams of one person.
func (h *Hub) EndUser(user core.UserID) {
	h.end(user, func(*Subscription) bool { return true }, SignedOut)
}

// Close ends all streams and refuses new ones.
func (h *Hub) Close() {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		sh.closed = true
		for _, t := range sh.topics {
			for _, s := range t.subs {
				s.finish(ShuttingDown)
			}
		}
		sh.mu.Unlock()
	}
}

// Count is the number of open streams.
func (h *Hub) Count() int {
	n := 0
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		for _, t := range sh.topics {
			n += len(t.subs)
		}
		sh.mu.Unlock()
	}
	return n
}

func (h *Hub) change(user core.UserID, apply func(*topic) bool) {
	sh := h.shard(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t := sh.topics[user]
	if t == nil || !apply(t) {
		return
	}
	t.version++
	for _, s := range t.subs {
		s.ring()
	}
}

func (h *Hub) end(user core.UserID, which func(*Subscription) bool, why End) {
	sh := h.shard(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if t := sh.topics[user]; t != nil {
		for _, s := range t.subs {
			if which(s) {
				s.finish(why)
			}
		}
	}
}

func (h *Hub) shard(user core.UserID) *shard { return &h.shards[uint64(user)%shards] }

func (s *Subscription) finish(why End) {
	s.end = max(s.end, why)
	s.ring()
}

func (s *Subscription) ring() {
	select {
	case s.wake <- struct{}{}:
	default: // it has not looked yet: it will see this too
	}
}
