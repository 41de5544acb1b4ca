package sessions

import (
	"sync"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// What is remembered of access tokens that were good. A client asks several things at once when it comes back (who am I, what
// have I, follow), so most tokens are looked at again within a second.
//
// Whatever ends a session or changes its person in this process forgets it before it returns, so here nothing is good for
// longer than without remembering. Another process on the same database is noticed within rememberFor, which is less than
// the 5 s that a revocation may take to reach it.
const (
	rememberFor = 3 * time.Second
	maxKnown    = 4096 // of about half a kilobyte
)

// known is a token that was good.
type known struct {
	session core.Session
	user    core.User
	at      time.Time // when the store was asked
}

// cache remembers tokens by their hash. Safe for concurrent use.
type cache struct {
	mu      sync.Mutex
	tokens  map[[32]byte]known
	people  map[core.UserID]map[[32]byte]bool // the tokens of each
	changes uint64                            // how often something was forgotten: what was read before that is not kept any more
}

func newCache() *cache {
	return &cache{tokens: map[[32]byte]known{}, people: map[core.UserID]map[[32]byte]bool{}}
}

// find returns what is remembered of a token, and a mark for put.
func (c *cache) find(token [32]byte, now time.Time) (known, bool, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.tokens[token]
	if age := now.Sub(k.at); ok && (age < 0 || age >= rememberFor) {
		c.drop(token, k)
		ok = false
	}
	return k, ok, c.changes
}

// put remembers what the store said, unless something was forgotten since mark was made: it may have been this.
func (c *cache) put(token [32]byte, k known, mark uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != mark {
		return
	}
	if len(c.tokens) >= maxKnown {
		for t, old := range c.tokens {
			if age := k.at.Sub(old.at); age < 0 || age >= rememberFor {
				c.drop(t, old)
			}
		}
	}
	if len(c.tokens) >= maxKnown {
		return
	}
	c.tokens[token] = k
	if c.people[k.user.ID] == nil {
		c.people[k.user.ID] = map[[32]byte]bool{}
	}
	c.people[k.user.ID][token] = true
}

// drop removes a token; mu is held.
func (c *cache) drop(token [32]byte, k known) {
	delete(c.tokens, token)
	delete(c.people[k.user.ID], token)
	if len(c.people[k.user.ID]) == 0 {
		delete(c.people, k.user.ID)
	}
}

// forget forgets one session of a person, "" for all.
func (c *cache) forget(user core.UserID, session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for t := range c.people[user] {
		if k := c.tokens[t]; session == "" || k.session.ID == session {
			c.drop(t, k)
		}
	}
}
