package session

import (
	"cmp"
	"context"
	"time"

	"github.com/platenprint/platen/client/status"
)

// Unattended are the times after which a person who has left a shared computer is signed out (UX 4).
type Unattended struct {
	Warn   time.Duration // idle for so long: the sign-out is announced
	Grace  time.Duration // and it comes so much later
	Locked time.Duration // the screen locked for so long: signed out without a word, for nobody could read it
	Poll   time.Duration // between two looks while all is well
}

// What people are promised: signed out after 10 minutes without anybody, 30 seconds of them announced, or 5 minutes
// behind a locked screen.
const (
	warnAfter    = 9*time.Minute + 30*time.Second
	SignOutGrace = 30 * time.Second // as the notification says
	lockedAfter  = 5 * time.Minute
	lookEvery    = 15 * time.Second
)

const (
	lookClosely = time.Second            // while the sign-out is announced: a hand on the mouse ends it at once
	lookAtMost  = 100 * time.Millisecond // between two looks, whatever the clocks say
	lookTimeout = 5 * time.Second        // one look
)

func (u Unattended) orDefault() Unattended {
	return Unattended{
		Warn: cmp.Or(u.Warn, warnAfter), Grace: cmp.Or(u.Grace, SignOutGrace),
		Locked: cmp.Or(u.Locked, lockedAfter), Poll: cmp.Or(u.Poll, lookEvery),
	}
}

// away is how long the person of one session has been away, as far as the looks have told.
type away struct {
	warnedAt    time.Time // since when the sign-out is announced; zero: it is not
	lockedSince time.Time // the first look at the locked screen; zero: not locked
	stayedAt    time.Time // when somebody said that they stay; zero: never
}

// take takes a reading. A clock that was set back must not keep anybody signed in: what it began in the future begins now.
func (a *away) take(r Reading, now time.Time, u Unattended) {
	since := func(t *time.Time, is bool) {
		switch {
		case !is:
			*t = time.Time{}
		case t.IsZero() || now.Before(*t):
			*t = now
		}
	}
	if now.Before(a.stayedAt) {
		a.stayedAt = now
	}
	since(&a.lockedSince, r.LockedKnown && r.Locked)
	since(&a.warnedAt, r.IdleKnown && a.idle(r, now) >= u.Warn)
}

// idle is how long nobody moved; to say "stay" is a move, too.
func (a *away) idle(r Reading, now time.Time) time.Duration {
	if a.stayedAt.IsZero() {
		return r.Idle
	}
	return min(r.Idle, now.Sub(a.stayedAt))
}

// signOutAt is when the announced sign-out comes; zero if none is announced.
func (a *away) signOutAt(u Unattended) time.Time {
	if a.warnedAt.IsZero() {
		return time.Time{}
	}
	return a.warnedAt.Add(u.Grace)
}

// over tells whether the person is to be signed out, and why.
func (a *away) over(now time.Time, u Unattended) (why string, over bool) {
	switch {
	case !a.lockedSince.IsZero() && now.Sub(a.lockedSince) >= u.Locked:
		return "locked", true
	case !a.warnedAt.IsZero() && !now.Before(a.signOutAt(u)):
		return "idle", true
	}
	return "", false
}

// next is how long to wait until the next look: so long that nothing can have happened meanwhile, but Poll at most.
func (a *away) next(r Reading, now time.Time, u Unattended) time.Duration {
	wait := u.Poll
	switch {
	case !a.warnedAt.IsZero():
		wait = min(wait, lookClosely, a.signOutAt(u).Sub(now))
	case r.IdleKnown:
		wait = min(wait, u.Warn-a.idle(r, now))
	}
	if !a.lockedSince.IsZero() {
		wait = min(wait, a.lockedSince.Add(u.Locked).Sub(now))
	}
	return max(wait, lookAtMost)
}

// watchOver begins to look whether the person of in is still there. It ends with in.
func (m *machine) watchOver(ctx context.Context, in *signedIn) {
	if m.deps.Presence == nil {
		m.sayBlind(ctx, Reading{}, nil)
		return
	}
	m.lookLater(ctx, in, m.unattended.Poll)
}

func (m *machine) lookLater(ctx context.Context, in *signedIn, wait time.Duration) {
	m.after(ctx, wait, func() {
		if m.in != in {
			return
		}
		m.task(ctx, func(ctx context.Context) func() {
			look, cancel := context.WithTimeout(ctx, lookTimeout)
			defer cancel()
			r, err := m.deps.Presence.Read(look)
			return func() { m.looked(ctx, in, r, err) }
		})
	})
}

// looked decides by what was seen. When nothing could be seen, what was seen last stands: a screen that was locked, or an
// announcement that was made, ends as if it had been seen to the end.
func (m *machine) looked(ctx context.Context, in *signedIn, r Reading, err error) {
	if m.in != in {
		return
	}
	if err != nil {
		r = Reading{}
	}
	m.sayBlind(ctx, r, err)
	now := m.deps.Clock()
	if err == nil {
		in.away.take(r, now, m.unattended)
	}
	why, over := in.away.over(now, m.unattended)
	if !over {
		m.lookLater(ctx, in, in.away.next(r, now, m.unattended))
		return
	}
	m.logger.InfoContext(ctx, "nobody is here, signing out", "because", why)
	m.signOut(ctx, command{reply: make(chan status.Result, 1)})
}

// sayBlind says once that this computer does not tell what would be needed.
func (m *machine) sayBlind(ctx context.Context, r Reading, err error) {
	if m.blind || r.IdleKnown && r.LockedKnown {
		return
	}
	m.blind = true
	m.logger.WarnContext(ctx, "this computer does not always tell whether somebody is here; people may have to sign out themselves",
		"idle_known", r.IdleKnown, "locked_known", r.LockedKnown, "error", err)
}

// stay takes the announcement back: somebody is here.
func (m *machine) stay() {
	if m.in != nil {
		m.in.away.warnedAt, m.in.away.stayedAt = time.Time{}, m.deps.Clock()
	}
}
