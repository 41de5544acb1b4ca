package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Signing in without a question: the computer vouches for the OS account, or Microsoft remembers the person.
const (
	silentTimeout = 10 * time.Second // then people are asked; it may still be tried again
	policyTimeout = 2 * time.Second  // the service is on this computer
	silentTries   = 6                // in a row; the last one comes some minutes after the first
	// shortSession is how long a session that began in this run must have lasted for another one to come about by itself: what
	// the server ends at once is not begun again and again.
	shortSession = time.Minute
)

// silence is how signing in without a question stands.
type silence struct {
	over      bool          // refused for good: only somebody's action changes that
	signedOut bool          // somebody signed out: they decide when to sign in again
	notMe     bool          // the computer vouches for somebody else than who sits here
	again     status.Method // MethodMicrosoft: that is how they signed in before the session ended
	account   string        // and who they were there
	stay      bool          // and that it was kept
	fails     int           // in a row
	wait      backoff
	timer     *time.Timer
	trustDown *status.Problem // why the computer did not vouch the last time
}

// ended: a session has ended by itself.
func (s *silence) ended(in *signedIn, now time.Time) {
	s.over, s.fails, s.again = !in.kept && now.Sub(in.since) < shortSession, 0, ""
	if in.method == status.MethodMicrosoft && in.account != "" {
		s.again, s.account, s.stay = in.method, in.account, in.stay
	}
}

// succeeded: somebody has signed in.
func (s *silence) succeeded() {
	s.over, s.signedOut, s.notMe, s.again, s.fails, s.trustDown = false, false, false, "", 0, nil
	s.wait.reset()
}

func (s *silence) mayTrust() bool { return !s.over && !s.signedOut && !s.notMe }

// askPolicy asks what was decided for this computer.
func (m *machine) askPolicy(ctx context.Context) (Policy, error) {
	if m.deps.Machine == nil {
		return Policy{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, policyTimeout)
	defer cancel()
	return m.deps.Machine.Policy(ctx)
}

// hearPolicy takes the answer. A service that does not answer yet (it starts with the computer, as we do) is asked again.
func (m *machine) hearPolicy(ctx context.Context, p Policy, err error) {
	if err == nil {
		if p.Enrolled && !m.policy.Enrolled {
			m.silence.fails = 0
		}
		m.policy, m.policyFails = p, 0
		m.policyWait.reset()
		return
	}
	m.logger.DebugContext(ctx, "what was decided for this computer is not known", "error", err)
	if m.policyFails++; m.policyFails > silentTries {
		return
	}
	if m.policyTimer != nil {
		m.policyTimer.Stop() // one at a time
	}
	m.policyTimer = m.after(ctx, m.policyWait.next(), func() {
		suffix := m.site.UPNSuffix
		m.task(ctx, func(ctx context.Context) func() {
			p, err := m.askPolicy(ctx)
			who, whoErr := m.deps.Identity.Identify(ctx, suffix)
			return func() {
				if err == nil && whoErr == nil {
					m.become(ctx, who)
				}
				m.hearPolicy(ctx, p, err)
				if m.identified { // else the keyring is asked first
					m.trySilently(ctx)
				}
			}
		})
	})
}

// become takes what is known better now of who this is. Where it turns out that several people use this account, nothing of
// the one who came before that was known may stay.
func (m *machine) become(ctx context.Context, who Who) {
	before := m.who
	m.who = who
	if !m.identified || before.Shared || !who.Shared {
		return
	}
	m.logger.InfoContext(ctx, "this computer is a shared one")
	if m.in != nil && !m.in.stay {
		m.watchOver(ctx, m.in)
		return
	}
	m.signOut(ctx, command{reply: make(chan status.Result, 1)})
}

// silentLater does something in a while, as long as nobody is signed in and it has not failed too often.
func (m *machine) silentLater(ctx context.Context, then func()) {
	s := &m.silence
	if s.fails++; s.fails > silentTries {
		return
	}
	if s.timer != nil {
		s.timer.Stop() // one at a time
	}
	s.timer = m.after(ctx, s.wait.next(), func() {
		if m.in == nil && m.attempt == nil {
			then()
		}
	})
}

// trySilently signs in without a question, if there is a way and nothing speaks against it.
func (m *machine) trySilently(ctx context.Context) {
	s := &m.silence
	if m.in != nil || m.attempt != nil || s.over || s.signedOut || m.who.Shared || m.deps.Settings.Problem != nil {
		return
	}
	w := m.ways()
	switch {
	case s.again == status.MethodMicrosoft && w.offered(status.MethodMicrosoft, ""):
		m.remembered(ctx)
	case !s.notMe && (w.trust || m.mayVouch()):
		m.vouch(ctx, &attempt{method: status.MethodTrust, silent: true, stay: true}, silentTimeout)
	}
}

// mayVouch tells whether the computer may vouch as far as is known before the site has answered: then both are asked at
// the same time.
func (m *machine) mayVouch() bool {
	mode := status.Method(m.deps.Settings.AuthMode)
	return m.siteBusy && m.siteAt.IsZero() && m.site.Version == "" && m.policy.Enrolled && len(m.policy.AuthModes) == 0 && m.who.Backed &&
		(mode == "" || mode == modeAuto || mode == status.MethodTrust)
}

// vouch asks the computer for a code and redeems it at the server.
func (m *machine) vouch(ctx context.Context, a *attempt, timeout time.Duration) {
	m.begin(ctx, a, timeout)
	m.task(ctx, func(ctx context.Context) func() {
		verifier := newVerifier()
		code, err := m.deps.Machine.Vouch(a.ctx, api.Challenge(verifier.Reveal()))
		if err == nil {
			err = m.awaitSite(a)
		}
		return func() {
			switch {
			case m.attempt != a:
			case err != nil:
				m.settle(ctx, a, Tokens{}, err)
			case !m.ways().trust:
				m.settle(ctx, a, Tokens{}, errNotOffered)
			default:
				m.redeem(ctx, a, code, verifier)
			}
		}
	})
}

// errNotOffered is what became of a speculation (mayVouch).
var errNotOffered = &Error{
	Code: api.CodeMethodOff, Err: errNoSuchWay,
	Problem: status.Problem{Code: status.ProblemMethodOff, Details: errNoSuchWay.Error()},
}

// awaitSite waits until it is known what the site offers, unless this computer's group decides anyway.
func (m *machine) awaitSite(a *attempt) error {
	if a.siteKnown {
		return nil
	}
	select {
	case <-m.siteReady:
		return nil
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
}

// redeem trades a one-use code for a session.
func (m *machine) redeem(ctx context.Context, a *attempt, code, verifier secret.String) {
	request := api.CodeSignIn{StaySignedIn: a.stay, Shared: m.who.Shared, Client: m.deps.Settings.Client, OSAccount: m.who.Facts}
	m.exchange(ctx, a, func(ctx context.Context) (Tokens, error) {
		return m.deps.Server.SignInCode(ctx, request, code, verifier)
	})
}

// newVerifier makes a verifier (RFC 7636 section 4.1).
func newVerifier() secret.String {
	raw := make([]byte, api.VerifierBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return secret.New(base64.RawURLEncoding.EncodeToString(raw))
}

// remembered asks Microsoft for a token of whoever was signed in before, and of nobody else. It opens no window.
func (m *machine) remembered(ctx context.Context) {
	a := &attempt{method: status.MethodMicrosoft, silent: true, stay: m.silence.stay}
	m.begin(ctx, a, silentTimeout)
	m.entra.used = true
	site, account, ready := *m.site.Microsoft, m.silence.account, m.entra.last
	m.task(ctx, func(ctx context.Context) func() {
		await(a.ctx, ready)
		proof, err := m.deps.Microsoft.Silent(a.ctx, site, account)
		return func() {
			switch {
			case m.attempt != a:
			case err != nil:
				m.settle(ctx, a, Tokens{}, err)
			default:
				m.present(ctx, a, proof)
			}
		}
	})
}

// silentFailed goes on to the next way, or asks; nobody is told of it, but whoever restricted people to this way.
func (m *machine) silentFailed(ctx context.Context, a *attempt, err error) {
	m.logger.InfoContext(ctx, "not signed in without a question", "method", a.method, "error", err)
	if a.method == status.MethodMicrosoft {
		if final(err) {
			m.forgetMicrosoft(ctx)
		}
		m.silence.again = ""
		m.trySilently(ctx)
		return
	}
	if final(err) {
		m.silence.over = true
		return
	}
	m.silentLater(ctx, func() { m.trySilently(ctx) })
}

// final tells whether asking again would bring the same answer.
func final(err error) bool {
	switch code(err) {
	case api.CodeTrustRefused, api.CodeDeviceUnknown, api.CodeAccountDisabled, api.CodePasswordExpired, api.CodeNoAccount,
		api.CodeAmbiguousName, api.CodeMethodOff, api.CodeMFARequired, api.CodeForbidden, api.CodeInvalid, api.CodeNotFound:
		return true
	default:
		return false
	}
}

// order does things one after the other, in the order in which they were asked for.
type order struct {
	last chan struct{} // closed when the last one is done; nil: none was asked for
	used bool          // there may be something to forget
}

// next returns what is to be waited for, and what is to be closed when it is done.
func (o *order) next() (before, done chan struct{}) {
	before, done = o.last, make(chan struct{})
	o.last = done
	return before, done
}

// await waits for what may be nil.
func await(ctx context.Context, before <-chan struct{}) {
	if before == nil {
		return
	}
	select {
	case <-before:
	case <-ctx.Done():
	}
}

// forgetMicrosoftAnyway is forgetMicrosoft also when this run has not used it: an earlier one may have left something. The
// channel closes when it is done; nil: there was nothing to do.
func (m *machine) forgetMicrosoftAnyway(ctx context.Context) <-chan struct{} {
	m.entra.used = true
	m.forgetMicrosoft(ctx)
	return m.entra.last
}

// forgetMicrosoft forgets whoever signed in with Microsoft.
func (m *machine) forgetMicrosoft(ctx context.Context) {
	if !m.entra.used {
		return
	}
	m.entra.used = false
	m.withMicrosoft(ctx, "forgotten", func(ctx context.Context) error { return m.deps.Microsoft.Forget(ctx) })
}

// keepMicrosoft keeps them over restarts.
func (m *machine) keepMicrosoft(ctx context.Context) {
	m.withMicrosoft(ctx, "kept", func(ctx context.Context) error { return m.deps.Microsoft.Keep(ctx) })
}

func (m *machine) withMicrosoft(ctx context.Context, what string, do func(context.Context) error) {
	if m.deps.Microsoft == nil {
		return
	}
	before, done := m.entra.next()
	m.task(ctx, func(ctx context.Context) func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTimeout)
		defer cancel()
		await(ctx, before)
		if err := do(ctx); err != nil {
			m.logger.WarnContext(ctx, "what Microsoft remembers cannot be changed", "wanted", what, "error", err)
		}
		return nil
	})
}
