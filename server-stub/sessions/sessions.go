package sessions

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// The times of a session, where Options does not say otherwise.
const (
	DefaultAccess = 10 * time.Minute
	DefaultShort  = 12 * time.Hour      // without "stay signed in", from the sign-in on
	DefaultLong   = 90 * 24 * time.Hour // with it, from the last refresh on
	Grace         = 30 * time.Second    // for a refresh token whose reply was lost
	DefaultSeen   = 5 * time.Minute
)

// The two kinds of sessions are told apart by how long they last, so their lengths may not meet.
const (
	longestShort = 24 * time.Hour
	shortestLong = 7 * 24 * time.Hour
)

// Options may all be left zero.
type Options struct {
	Access time.Duration // how long an access token lasts; DefaultAccess
	Short  time.Duration // how long a session lasts, at most 24 h; DefaultShort
	Long   time.Duration // how long one of "stay signed in" lasts unused, at least 7 days; DefaultLong
	Seen   time.Duration // LastSeenAt is written at most so often; DefaultSeen
	// OnEnd is called after a session ended, also when it ended because its person was disabled; "" is all sessions of the
	// person. It must return soon.
	OnEnd  func(sessionID string, user core.UserID)
	Logger *slog.Logger
}

// Info is what is known of a client when it signs in or refreshes.
type Info struct {
	Assurance    core.Assurance // Issue only; AssurancePassword when empty
	StaySignedIn bool           // Issue only; not for core.AssuranceMachine
	Device       string         // Issue only: the device that vouched for the person
	Client       string
	Host         string
	Address      string
}

// Tokens are what a client gets. They are shown once and stored nowhere here.
type Tokens struct {
	Access         secret.String
	AccessExpires  time.Time
	Refresh        secret.String
	RefreshExpires time.Time
}

// Manager issues and checks sessions. Safe for concurrent use.
type Manager struct {
	store store.Store
	now   clock.Clock
	o     Options
	cache *cache
}

// New returns a Manager. It panics for lengths that cannot work, which is a mistake of the assembly.
func New(s store.Store, now clock.Clock, o Options) *Manager {
	setDefault := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	setDefault(&o.Access, DefaultAccess)
	setDefault(&o.Short, DefaultShort)
	setDefault(&o.Long, DefaultLong)
	setDefault(&o.Seen, DefaultSeen)
	if o.Short > longestShort || o.Long < shortestLong {
		panic("sessions: Short is at most 24 h, Long at least 7 days")
	}
	if o.OnEnd == nil {
		o.OnEnd = func(string, core.UserID) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{store: s, now: now, o: o, cache: newCache()}
	told := o.OnEnd
	m.o.OnEnd = func(sessionID string, user core.UserID) {
		m.cache.forget(user, sessionID)
		told(sessionID, user)
	}
	return m
}

// Issue starts a session for a person who has proven who they are, or whom a device vouched for. Errors: core.ErrNotFound,
// core.ErrDisabled, core.ErrUnauthenticated for a device that was revoked since.
func (m *Manager) Issue(ctx context.Context, user core.UserID, info Info) (Tokens, core.Session, error) {
	now := m.now()
	if info.Assurance == "" {
		info.Assurance = core.AssurancePassword
	}
	s := core.Session{
		ID: newID(), UserID: user, Kind: core.SessionClient, Assurance: info.Assurance, ProvenAt: now, Device: info.Device, Client: info.Client, Host: info.Host,
		Address:   info.Address,
		CreatedAt: now, LastSeenAt: now, RefreshExpires: now.Add(m.o.Short),
	}
	// What a machine says holds for the day, whatever was asked for: sessions that last would add up to one for everybody, and the
	// number of people that it may vouch for in a day would hold nobody up. It says so again as long as it is believed.
	if info.StaySignedIn && info.Assurance != core.AssuranceMachine {
		s.RefreshExpires = now.Add(m.o.Long)
	}
	tokens := m.rotate(&s, now)
	err := m.store.Update(ctx, func(tx store.Tx) error {
		u, err := tx.User(ctx, user)
		if err != nil {
			return err
		}
		if !u.Active() {
			return notNow(u)
		}
		if err := vouchedFor(ctx, tx, s); err != nil {
			return err
		}
		return tx.CreateSession(ctx, s)
	})
	if err != nil {
		return Tokens{}, core.Session{}, fmt.Errorf("start a session for user %d: %w", user, err)
	}
	return tokens, shown(s), nil
}

// rotate gives the session new tokens. What becomes of the old ones is the caller's decision.
func (m *Manager) rotate(s *core.Session, now time.Time) Tokens {
	t := Tokens{Access: newAccess(), Refresh: newRefresh(s.ID), RefreshExpires: s.RefreshExpires}
	t.AccessExpires = earlier(now.Add(m.o.Access), s.RefreshExpires)
	s.AccessHash, s.AccessExpires = hash(t.Access), t.AccessExpires
	s.RefreshHash = hash(t.Refresh)
	return t
}

// Refresh uses up a refresh token and returns new tokens. Errors: core.ErrUnauthenticated (unknown, expired, revoked, or
// used before, which also ends the session) and core.ErrDisabled for a person who may not be signed in any more, also when
// that ended the session: but only to a token that would have been good for new ones, which proves who asks. It is core.ErrAway
// where the same token is good again once a directory lists the person again.
func (m *Manager) Refresh(ctx context.Context, token secret.String, info Info) (Tokens, core.Session, error) {
	id, ok := sessionOf(token)
	if !ok {
		return Tokens{}, core.Session{}, fmt.Errorf("refresh a session: %w", core.ErrUnauthenticated)
	}
	var r refreshing
	err := m.store.Update(ctx, func(tx store.Tx) error {
		r = refreshing{} // the function may run again
		return r.run(ctx, tx, m, id, token, info)
	})
	if err == nil && r.reused {
		m.o.Logger.WarnContext(ctx, "a refresh token was used twice, session ended", "user_id", int64(r.session.UserID), "host", r.session.Host)
		m.o.OnEnd(r.session.ID, r.session.UserID)
	}
	if err == nil {
		err = r.refused
	}
	if err != nil {
		return Tokens{}, core.Session{}, fmt.Errorf("refresh a session: %w", err)
	}
	m.cache.forget(r.session.UserID, r.session.ID) // its access token until now is none any more
	return r.tokens, shown(r.session), nil
}

// refreshing is one run of Refresh in a transaction.
type refreshing struct {
	session core.Session
	tokens  Tokens
	refused error // known before anything was written, or after the session was ended on purpose
	reused  bool
}

func (r *refreshing) run(ctx context.Context, tx store.Tx, m *Manager, id string, token secret.String, info Info) error {
	now := m.now()
	s, err := tx.Session(ctx, id)
	if errors.Is(err, core.ErrNotFound) {
		r.refused = core.ErrUnauthenticated
		return nil
	}
	if err != nil {
		return err
	}
	revoked := !s.RevokedAt.IsZero()
	if !now.Before(s.RefreshExpires) {
		r.refused = core.ErrUnauthenticated
		return nil
	}
	presented := hash(token)
	switch {
	case same(presented, s.RefreshHash):
		s.PreviousHash, s.PreviousExpires = s.RefreshHash, now.Add(Grace)
	case same(presented, s.PreviousHash) && s.PreviousHash != [32]byte{} && now.Before(s.PreviousExpires):
		s.PreviousHash, s.PreviousExpires = [32]byte{}, time.Time{} // once
	case revoked:
		r.refused = core.ErrUnauthenticated
		return nil
	default:
		end(&s, now)
		r.session, r.reused, r.refused = s, true, core.ErrUnauthenticated
		return errors.Join(tx.UpdateSession(ctx, s), audit(ctx, tx, s, now, "session.reuse"))
	}
	u, err := tx.User(ctx, s.UserID)
	if err != nil {
		return err
	}
	switch {
	case !u.Active():
		r.refused = notNow(u)
		return nil
	case revoked:
		r.refused = core.ErrUnauthenticated
		return nil
	}
	if s.RefreshExpires.Sub(s.CreatedAt) >= shortestLong {
		s.RefreshExpires = now.Add(m.o.Long)
	}
	r.tokens = m.rotate(&s, now)
	s.LastSeenAt = now
	setIfGiven(&s.Client, info.Client)
	setIfGiven(&s.Host, info.Host)
	setIfGiven(&s.Address, info.Address)
	r.session = s
	return tx.UpdateSession(ctx, s)
}

// Authenticate tells whose access token it is. Errors: core.ErrUnauthenticated (unknown, expired, revoked) and
// core.ErrDisabled for a person who may not be signed in any more.
func (m *Manager) Authenticate(ctx context.Context, access secret.String) (core.Session, core.User, error) {
	if !isAccess(access) {
		return core.Session{}, core.User{}, fmt.Errorf("check a session: %w", core.ErrUnauthenticated)
	}
	now := m.now()
	token := hash(access)
	k, ok, mark := m.cache.find(token, now)
	if ok && now.Before(k.session.AccessExpires) && now.Before(k.session.RefreshExpires) && now.Sub(k.session.LastSeenAt) < m.o.Seen {
		return k.session, k.user, nil
	}
	var s core.Session
	var u core.User
	err := m.store.View(ctx, func(tx store.Tx) (err error) {
		if s, err = tx.SessionByAccess(ctx, token); err != nil {
			return err
		}
		u, err = tx.User(ctx, s.UserID)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		err = core.ErrUnauthenticated
	case err != nil:
	case !s.RevokedAt.IsZero() || !now.Before(s.AccessExpires) || !now.Before(s.RefreshExpires):
		err = core.ErrUnauthenticated
	case !u.Active():
		err = notNow(u)
	}
	if err != nil {
		return core.Session{}, core.User{}, fmt.Errorf("check a session: %w", err)
	}
	if now.Sub(s.LastSeenAt) >= m.o.Seen {
		m.seen(ctx, s.ID, now)
		return shown(s), u, nil
	}
	m.cache.put(token, known{shown(s), u, now}, mark)
	return shown(s), u, nil
}

// Check tells whether a session, known by its id from Authenticate, is still in force and whose it is: what a long-lived
// stream asks from time to time. Errors are those of Authenticate.
func (m *Manager) Check(ctx context.Context, id string) (core.Session, core.User, error) {
	var s core.Session
	var u core.User
	err := m.store.View(ctx, func(tx store.Tx) (err error) {
		if s, err = tx.Session(ctx, id); err != nil {
			return err
		}
		u, err = tx.User(ctx, s.UserID)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		err = core.ErrUnauthenticated
	case err != nil:
	case !s.RevokedAt.IsZero() || !m.now().Before(s.RefreshExpires):
		err = core.ErrUnauthenticated
	case !u.Active():
		err = notNow(u)
	}
	if err != nil {
		return core.Session{}, core.User{}, fmt.Errorf("check a session: %w", err)
	}
	return shown(s), u, nil
}

// seen writes LastSeenAt. That it cannot be written is no reason to turn the person away.
func (m *Manager) seen(ctx context.Context, id string, now time.Time) {
	err := m.store.Update(ctx, func(tx store.Tx) error {
		s, err := tx.Session(ctx, id)
		if err != nil || now.Sub(s.LastSeenAt) < m.o.Seen {
			return err
		}
		s.LastSeenAt = now
		return tx.UpdateSession(ctx, s)
	})
	if err != nil {
		m.o.Logger.WarnContext(ctx, "cannot note when a session was last seen", "error", err)
	}
}

// List returns a person's sessions, newest first, without the hashes of their tokens.
func (m *Manager) List(ctx context.Context, user core.UserID) ([]core.Session, error) {
	var list []core.Session
	err := m.store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.UserSessions(ctx, user, m.now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the sessions of user %d: %w", user, err)
	}
	for i := range list {
		list[i] = shown(list[i])
	}
	return list, nil
}

// Revoke ends one session of a person. core.ErrNotFound when the person has none with this id, also when it is somebody
// else's.
func (m *Manager) Revoke(ctx context.Context, actor string, user core.UserID, id string) error {
	now := m.now()
	ended := false
	err := m.store.Update(ctx, func(tx store.Tx) error {
		ended = false
		s, err := tx.Session(ctx, id)
		if err != nil {
			return err
		}
		if s.UserID != user {
			return core.ErrNotFound
		}
		if !s.RevokedAt.IsZero() {
			return nil
		}
		end(&s, now)
		ended = true
		return errors.Join(tx.UpdateSession(ctx, s), auditBy(ctx, tx, actor, s, now, "session.revoke"))
	})
	if err != nil {
		return fmt.Errorf("end a session of user %d: %w", user, err)
	}
	if ended {
		m.o.OnEnd(id, user)
	}
	return nil
}

// RevokeUser ends all sessions of a person and tells how many.
func (m *Manager) RevokeUser(ctx context.Context, actor string, user core.UserID) (int, error) {
	now := m.now()
	var list []core.Session
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		if list, err = tx.UserSessions(ctx, user, now); err != nil || len(list) == 0 {
			return err
		}
		if _, err := tx.RevokeUserSessions(ctx, user, now); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "session.revoke_all", Target: fmt.Sprintf("user:%d", user), Detail: fmt.Sprintf("%d sessions", len(list))})
	})
	if err != nil {
		return 0, fmt.Errorf("end the sessions of user %d: %w", user, err)
	}
	for _, s := range list {
		m.o.OnEnd(s.ID, user)
	}
	return len(list), nil
}

// UserChanged forgets what is remembered of a person, and ends the sessions of one who may not be signed in any more: the hook
// for users.OnChange and dirsync.OnChange. Of somebody whom the directory does not list any more only those in browsers end; the others
// are of no use until the person is back (row A3-57). It ends with OnEnd("", user), also when there was no session left, as after an
// erasure. It reports what it could not do to the log.
func (m *Manager) UserChanged(ctx context.Context, user core.UserID) {
	m.cache.forget(user, "")
	var u core.User
	err := m.store.View(ctx, func(tx store.Tx) (err error) {
		u, err = tx.User(ctx, user)
		return err
	})
	switch {
	case err != nil || u.Active():
	case away(u):
		err = errors.Join(m.EndKind(ctx, "system", user, core.SessionWeb), m.EndKind(ctx, "system", user, core.SessionAdmin))
		m.o.OnEnd("", user)
	default:
		_, err = m.RevokeUser(ctx, "system", user)
		m.o.OnEnd("", user)
	}
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		m.o.Logger.ErrorContext(ctx, "cannot end the sessions of a user", "user_id", int64(user), "error", err)
	}
}

// away tells whether somebody is not listed any more, and nothing else speaks against them.
func away(u core.User) bool { return !u.DeletedAt.IsZero() && !u.Disabled && u.ErasedAt.IsZero() }

// notNow says why somebody who is not active may not be signed in.
func notNow(u core.User) error {
	if away(u) {
		return core.ErrAway
	}
	return core.ErrDisabled
}

// Purge forgets sessions that ended more than a week ago and tells how many.
func (m *Manager) Purge(ctx context.Context) (int, error) {
	n := 0
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		n, err = tx.DeleteSessionsBefore(ctx, m.now().Add(-7*24*time.Hour))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget old sessions: %w", err)
	}
	return n, nil
}

// end ends one session by the will of its person, or because somebody has a copy. Its tokens prove nothing from now on; those
// of a session that ends because its person was disabled still do, see Refresh.
func end(s *core.Session, now time.Time) {
	s.RevokedAt = now
	s.RefreshHash, s.PreviousHash, s.PreviousExpires = [32]byte{}, [32]byte{}, time.Time{}
}

// shown is a session without what only this package needs.
func shown(s core.Session) core.Session {
	s.AccessHash, s.RefreshHash, s.PreviousHash = [32]byte{}, [32]byte{}, [32]byte{}
	return s
}

func audit(ctx context.Context, tx store.Tx, s core.Session, now time.Time, action string) error {
	return auditBy(ctx, tx, "system", s, now, action)
}

func auditBy(ctx context.Context, tx store.Tx, actor string, s core.Session, now time.Time, action string) error {
	return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: action, Target: fmt.Sprintf("user:%d", s.UserID)})
}

func same(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func setIfGiven(field *string, value string) {
	if value != "" {
		*field = value
	}
}
