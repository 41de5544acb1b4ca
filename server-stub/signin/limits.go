package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// The limits of the security requirements (D4).
const (
	hourLimit, dayLimit       = 10, 30 // per account
	hourShare, dayShare       = 9, 27  // per account and network
	networkLimit, wideLimit   = 100, 1000
	hourWindow, halfDayWindow = time.Hour, 12 * time.Hour
	freeFailures              = 3 // then the waiting begins
	firstWait, longestWait    = 30 * time.Second, 15 * time.Minute
)

// counter is one limit.
type counter struct {
	key    string
	limit  int
	window time.Duration
	fixed  bool // the window begins with the first failure, not anew with each
	waits  bool // the wait doubles with each failure
	bind   bool // counts binds at a directory, to stay below its own threshold
}

// state is what is left of a row at the given time: nothing once its window is over. A clock that was set back neither
// unlocks early nor locks for longer than the window.
func (c counter) state(a core.Attempts, now time.Time) core.Attempts {
	a.Key = c.key
	if a.LastAt.After(now) {
		a.LastAt = now
	}
	if a.FirstAt.After(now) {
		a.FirstAt = now
	}
	if a.BlockedTo.After(now.Add(longestWait)) {
		a.BlockedTo = now.Add(longestWait)
	}
	if a.Count > 0 && !now.Before(c.start(a).Add(c.window)) {
		return core.Attempts{Key: c.key}
	}
	return a
}

func (c counter) start(a core.Attempts) time.Time {
	if c.fixed {
		return a.FirstAt
	}
	return a.LastAt
}

// free returns zero when one more try is allowed, else from when on it is.
func (c counter) free(a core.Attempts, now time.Time) time.Time {
	switch {
	case a.Count >= c.limit:
		return c.start(a).Add(c.window)
	case a.BlockedTo.After(now):
		return a.BlockedTo
	}
	return time.Time{}
}

// count adds a failure, or the slot of one.
func (c counter) count(a core.Attempts, now time.Time) core.Attempts {
	if a.Count == 0 {
		a.FirstAt = now
	}
	a.Count++
	a.LastAt = now
	return c.block(a, now)
}

func (c counter) block(a core.Attempts, now time.Time) core.Attempts {
	if wait := waitAfter(a.Count); c.waits && wait > 0 {
		a.BlockedTo = now.Add(wait)
	}
	return a
}

// waitAfter is how long to wait after so many failures in a row: 30 s after the third, doubled each time up to 15 minutes.
func waitAfter(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(firstWait<<min(failures-freeFailures, 10), longestWait)
}

// ticket is what a reservation took.
type ticket struct {
	counters []counter
	networks []counter
	before   []core.Attempts // the counters before the reservation
	past     []past          // what a success may forget
	share    string          // key of the counter of account and network, for taking mistypings back
}

// past is what was over and done with when a reservation was made. Only that may a success forget: what fails beside it
// may fail before or after it at the directory, which forgets in its own order.
type past struct {
	failures int
	resets   int // how often the counter was reset by then; once more, and there is nothing left to forget
}

// flight is what this process knows of a counter while reservations of it are not settled.
type flight struct{ open, resets int }

// limiter counts failures in the store.
type limiter struct {
	store store.Store
	key   []byte

	mu       sync.Mutex
	inFlight map[string]*flight // by key, while open
}

// name makes the key of a row: what it counts cannot be read from it.
func (l *limiter) name(kind string, parts ...string) string {
	mac := hmac.New(sha256.New, l.key)
	for _, p := range append([]string{kind}, parts...) {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return kind + ":" + hex.EncodeToString(mac.Sum(nil)[:20])
}

// prefixes are the networks of an address: the one that counts as one, and for IPv6 the wider one a single site gets.
func prefixes(addr netip.Addr) []netip.Prefix {
	addr = addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		return nil
	case addr.Is4():
		return []netip.Prefix{netip.PrefixFrom(addr, 24).Masked()}
	}
	return []netip.Prefix{netip.PrefixFrom(addr, 64).Masked(), netip.PrefixFrom(addr, 48).Masked()}
}

func (l *limiter) networks(addr netip.Addr) []counter {
	var list []counter
	for i, p := range prefixes(addr) {
		list = append(list, counter{key: l.name("net", p.String()), limit: []int{networkLimit, wideLimit}[i], window: hourWindow, fixed: true})
	}
	return list
}

// account returns the counters of an account as tried from an address. lockout is that of the directory which checks the
// password, or which would if the account existed.
func (l *limiter) account(account string, addr netip.Addr, lockout Lockout) ([]counter, string) {
	network := "?"
	if p := prefixes(addr); len(p) > 0 {
		network = p[0].String()
	}
	share := l.name("acct-net-h", account, network)
	list := []counter{
		{key: l.name("acct-h", account), limit: hourLimit, window: hourWindow},
		{key: l.name("acct-d", account), limit: dayLimit, window: halfDayWindow},
		{key: share, limit: hourShare, window: hourWindow, waits: true},
		{key: l.name("acct-net-d", account, network), limit: dayShare, window: halfDayWindow},
	}
	if whole := lockout.Threshold - 1; lockout.Threshold > 0 {
		list = append(list, counter{key: l.name("bind", account), limit: whole, window: lockout.Window, bind: true})
		if part := whole - 1; part >= 3 {
			list = append(list, counter{key: l.name("bind-net", account, network), limit: part, window: lockout.Window, bind: true})
		}
	}
	return list, share
}

// look is what the counters say.
type look struct {
	states []core.Attempts
	err    error // *core.LimitedError with the latest of their times
	moved  bool  // the clock was set back: some rows lie in the future
}

// lookAt reads the counters. The error is the store's.
func lookAt(ctx context.Context, tx store.Tx, now time.Time, counters []counter) (look, error) {
	l := look{states: make([]core.Attempts, len(counters))}
	var retryAt time.Time
	for i, c := range counters {
		row, err := tx.Attempts(ctx, c.key)
		if err != nil {
			return look{}, err
		}
		l.moved = l.moved || row.LastAt.After(now)
		l.states[i] = c.state(row, now)
		if at := c.free(l.states[i], now); at.After(retryAt) {
			retryAt = at
		}
	}
	if !retryAt.IsZero() {
		l.err = &core.LimitedError{RetryAt: retryAt}
	}
	return l, nil
}

// reserve takes a slot of each counter, or none of any.
func (l *limiter) reserve(ctx context.Context, now time.Time, t *ticket) error {
	l.hold(t, 1)
	var seen look
	err := l.store.Update(ctx, func(tx store.Tx) (err error) {
		if seen, err = lookAt(ctx, tx, now, t.all()); err != nil {
			return err
		}
		if seen.err != nil {
			return keepMoved(ctx, tx, seen)
		}
		t.before = seen.states[len(t.networks):]
		t.past = l.past(t)
		for i, c := range t.counters {
			if err := tx.PutAttempts(ctx, c.count(t.before[i], now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = seen.err
	}
	if err != nil {
		l.hold(t, -1)
	}
	return err
}

// keepMoved writes rows of the future back as of now, so that the time to wait runs from here.
func keepMoved(ctx context.Context, tx store.Tx, seen look) error {
	if !seen.moved {
		return nil
	}
	for _, a := range seen.states {
		if a.Count == 0 {
			continue
		}
		if err := tx.PutAttempts(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (t *ticket) all() []counter { return append(append([]counter{}, t.networks...), t.counters...) }

// hold notes that slots are taken or given back.
func (l *limiter) hold(t *ticket, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range t.counters {
		f := l.inFlight[c.key]
		if f == nil {
			f = &flight{}
			l.inFlight[c.key] = f
		}
		if f.open += by; f.open <= 0 {
			delete(l.inFlight, c.key)
		}
	}
}

// past tells what is over and done with: the failures counted but for the tries that may still be under way.
func (l *limiter) past(t *ticket) []past {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]past, len(t.counters))
	for i, c := range t.counters {
		f := l.inFlight[c.key]
		list[i] = past{failures: max(0, t.before[i].Count-(f.open-1)), resets: f.resets}
	}
	return list
}

// forget returns how many failures a success takes out of the i-th counter.
func (l *limiter) forget(t *ticket, i int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.inFlight[t.counters[i].key]; f != nil && f.resets == t.past[i].resets {
		return t.past[i].failures
	}
	return 0
}

// wasReset notes that a success is being stored.
func (l *limiter) wasReset(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range t.counters {
		if f := l.inFlight[c.key]; f != nil {
			f.resets++
		}
	}
}

// settlement says what a reservation came to.
type settlement int

const (
	failed    settlement = iota // the slot is used up
	succeeded                   // proven: earlier failures are forgotten too
	untried                     // nothing was tried: the slot is given back
	lockedOut                   // the directory says that the account is locked: no more binds in this window
)

// settle ends a reservation.
func (l *limiter) settle(ctx context.Context, now time.Time, t *ticket, how settlement) error {
	defer l.hold(t, -1)
	return l.store.Update(ctx, func(tx store.Tx) error {
		mistyped := 0
		for i, c := range t.counters {
			row, err := tx.Attempts(ctx, c.key)
			if err != nil {
				return err
			}
			forget := l.forget(t, i)
			if c.key == t.share {
				mistyped = forget
			}
			if err := tx.PutAttempts(ctx, c.settled(row, t.before[i], now, how, forget)); err != nil {
				return err
			}
		}
		if how == succeeded {
			l.wasReset(t) // before the next transaction can read; if this one fails, others forget less than they could
		}
		return settleNetworks(ctx, tx, now, t.networks, how, mistyped)
	})
}

// settled is the row after a try.
func (c counter) settled(row, before core.Attempts, now time.Time, how settlement, forget int) core.Attempts {
	a := c.state(row, now)
	switch how {
	case failed, lockedOut:
		a.Count = max(a.Count, 1)
		if how == lockedOut && c.bind {
			a.Count = max(a.Count, c.limit)
		}
		if a.FirstAt.IsZero() {
			a.FirstAt = now
		}
		a.LastAt = now
		return c.block(a, now)
	case succeeded:
		a.Count = max(0, a.Count-1-forget)
	case untried:
		if a.Count = max(0, a.Count-1); a.Count == before.Count {
			a.LastAt = before.LastAt
		}
	}
	a.BlockedTo = time.Time{}
	return a
}

// settleNetworks counts a failure, or takes the mistypings of somebody who succeeded back.
func settleNetworks(ctx context.Context, tx store.Tx, now time.Time, networks []counter, how settlement, mistyped int) error {
	for _, c := range networks {
		row, err := tx.Attempts(ctx, c.key)
		if err != nil {
			return err
		}
		a := c.state(row, now)
		switch {
		case how == failed || how == lockedOut:
			a = c.count(a, now)
		case how == succeeded && mistyped > 0 && a.Count > 0:
			a.Count = max(0, a.Count-mistyped)
		default:
			continue
		}
		if err := tx.PutAttempts(ctx, a); err != nil {
			return err
		}
	}
	return nil
}
