package session

import (
	"context"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// unlisted is the session of somebody whom the directory does not list any more. The server lets nobody in with it now, but the
// same refresh token is good again when the person is back, so it stays where it is kept and is tried again, without a question.
// People see what they see of a disabled account.
type unlisted struct {
	in    *signedIn
	epoch int // of the keeper: what the follower of in still brings is not kept
	user  *api.User
	wait  backoff
	timer *time.Timer
	busy  bool // it is being tried
}

// notListed tells whether the server does not let the person in as long as no directory lists them.
func notListed(err error) bool { return code(err) == api.CodeNoAccount }

// asDisabled is what is shown of it.
func asDisabled(err error, host string) *status.Problem {
	p := problemOf(err, host)
	p.Code, p.Method = status.ProblemAccountDisabled, ""
	return p
}

// putAside ends a session here, but for its tokens.
func (m *machine) putAside(ctx context.Context, in *signedIn, problem *status.Problem) {
	u := &unlisted{in: in, user: m.user, wait: backoff{jitter: m.deps.Jitter}}
	m.part()
	u.epoch = m.keeper.next()
	m.ask, m.dismissed = m.freshAsk(), true
	m.problem, m.silence.over = problem, true
	m.aside = u
	m.askAgainLater(ctx, u)
}

func (m *machine) askAgainLater(ctx context.Context, u *unlisted) {
	u.timer = m.after(ctx, u.wait.next(), func() { m.askAgain(ctx, u) })
}

// askAgain asks the server whether the person is back. The new tokens are in the vault before anything else is done with them.
func (m *machine) askAgain(ctx context.Context, u *unlisted) {
	if m.aside != u || u.busy {
		return
	}
	u.busy = true
	u.timer.Stop()
	old, stay, epoch := u.in.tokens.Refresh, u.in.stay, u.epoch
	m.task(ctx, func(ctx context.Context) func() {
		call, cancel := linger(ctx, callTimeout, refreshGrace)
		defer cancel()
		tokens, err := m.deps.Server.Refresh(call, old)
		keyring := status.KeyringUnknown
		if err == nil && stay {
			keyring = m.keeper.save(ctx, epoch, Kept{Refresh: tokens.Refresh, RefreshExpires: tokens.RefreshExpires, User: tokens.User})
		}
		return func() { m.askedAgain(ctx, u, tokens, keyring, err) }
	})
}

func (m *machine) askedAgain(ctx context.Context, u *unlisted, tokens Tokens, keyring status.Keyring, err error) {
	u.busy = false
	switch {
	case m.aside != u: // somebody has signed in or out meanwhile
		if err == nil {
			m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, tokens); return nil })
		}
	case err == nil:
		m.logger.InfoContext(ctx, "the account is back", "username", m.loggable(tokens.User.Username))
		m.aside, m.user = nil, u.user
		m.hearUser(ctx, tokens.User)
		m.silence.succeeded()
		m.problem, m.prefill, m.ask, m.dismissed = nil, "", status.AskNothing, false
		m.enter(ctx, tokens, entry{stay: u.in.stay, kept: true, method: u.in.method, account: u.in.account, vouched: u.in.vouched, inBrowser: u.in.inBrowser})
		m.hearKeyring(m.in, keyring)
	case useless(err) || disabled(err):
		m.aside, m.in, m.user = nil, u.in, u.user
		m.over(ctx, u.in, err)
	default: // not back, or no answer
		m.askAgainLater(ctx, u)
	}
}

// giveUp forgets the session that was put aside, here and at the server. The vault is the caller's.
func (m *machine) giveUp(ctx context.Context) {
	u := m.aside
	if u == nil {
		return
	}
	m.aside = nil
	u.timer.Stop()
	if !u.busy { // else askedAgain ends what comes of it
		m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, u.in.tokens); return nil })
	}
}
