package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// The actions' times.
const (
	signInTimeout = 45 * time.Second // a directory behind the server may be slow
	revokeTimeout = 5 * time.Second  // how long a sign-out waits for the server to hear of it
	revokeTries   = 10               // then the session ends by itself
)

var errBusy = errors.New("another sign-in is under way")

// handle performs an action. It must not wait.
func (m *machine) handle(ctx context.Context, c command) {
	if c.tray != nil {
		m.noTray = !*c.tray
		return
	}
	if kind := c.action.Kind; !m.identified && (kind == status.ActionSignIn || kind == status.ActionSignOut) {
		m.early = append(m.early, c)
		return
	}
	switch c.action.Kind {
	case status.ActionSignIn:
		m.signIn(ctx, c)
	case status.ActionCancelSignIn:
		if m.attempt != nil && !m.attempt.silent {
			m.abandon(ctx, m.attempt)
		}
		c.answer(status.Result{OK: true})
	case status.ActionSignOut:
		m.signOut(ctx, c)
	case status.ActionNotMe:
		m.notMe(ctx, c)
	case status.ActionDetails:
		m.details(ctx, c)
	case status.ActionRetry:
		m.retry(ctx)
		c.answer(status.Result{OK: true})
	case status.ActionOpen:
		m.dismissed = false
		m.opened, m.openPage = m.opened+1, c.action.Page
		c.answer(status.Result{OK: true})
	case status.ActionDismiss:
		m.dismiss(ctx)
		c.answer(status.Result{OK: true})
	case status.ActionStay:
		m.stay()
		c.answer(status.Result{OK: true})
	case status.ActionOpenAgain:
		m.openAgain(ctx, c)
	case status.ActionContinue:
		m.goOn(c)
	case status.ActionConfirmServer:
		m.confirmServer(ctx, c)
	case status.ActionRejectServer:
		m.rejectServer(ctx, c)
	case status.ActionOpenPortal, status.ActionOpenTopUp, status.ActionFirstFrame, status.ActionQuit, status.ActionPurge:
		c.answer(failed(fmt.Errorf("%q is not for the session", c.action.Kind)))
	default:
		c.answer(failed(fmt.Errorf("unknown action %q", c.action.Kind)))
	}
}

// dismiss: the person has seen it. Whoever is at it in the browser may finish there; whoever was asked whether to go on
// as somebody else has not agreed.
func (m *machine) dismiss(ctx context.Context) {
	if a := m.attempt; a != nil && !a.silent && (!a.browses() || a.confirm != "") {
		m.abandon(ctx, a)
	}
	m.dismissed, m.newName = true, ""
	if m.in == nil && m.deps.Settings.Problem == nil {
		m.problem = nil
	}
}

// goOn: yes, that other account.
func (m *machine) goOn(c command) {
	a := m.attempt
	if a == nil || a.goOn == nil {
		c.answer(failed(errNothingToSay))
		return
	}
	a.commands = append(a.commands, c)
	a.goOn()
}

// retry tries now what would be tried later.
func (m *machine) retry(ctx context.Context) {
	switch {
	case m.deps.Settings.Problem != nil || !m.identified || m.attempt != nil:
	case m.in != nil:
		select {
		case m.in.kick <- struct{}{}:
		default:
		}
	case m.aside != nil:
		m.askAgain(ctx, m.aside)
	case m.keyring == status.KeyringLocked:
		m.recall(ctx)
	default:
		m.silence.over, m.silence.fails, m.policyFails = false, 0, 0
		m.silence.wait.reset()
		m.fetchSite(ctx) // and what goes without a question after it
	}
}

// signIn asks the server for a session. Somebody who is signed in stays so until the new session is there.
func (m *machine) signIn(ctx context.Context, c command) {
	method := cmp.Or(c.action.Method, status.MethodPrompt)
	c.action.Method = method
	name := strings.TrimSpace(c.action.Username)
	if m.deps.Settings.Problem != nil {
		c.answer(status.Result{Problem: m.deps.Settings.Problem})
		return
	}
	if a := m.attempt; a != nil {
		if c.action.OtherAccount && c.action.Provider == "" && a.browses() && a.method == method { // the answer to "Continue as ...?"
			c.action.Provider, c.action.StaySignedIn = a.provider, a.stay || c.action.StaySignedIn
		}
		if !m.makeWay(ctx, c) {
			return
		}
	}
	if m.in != nil && len(m.in.first) > 0 {
		c.answer(failed(errBusy))
		return
	}
	switch method {
	case status.MethodPrompt:
		if name == "" || c.action.Password.Empty() || len(c.action.Password.Reveal()) > api.MaxPassword {
			c.answer(status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: "account and password are wanted"}})
			return
		}
		m.password(ctx, c, name)
	case status.MethodMicrosoft, status.MethodBrowser:
		c.action.Username = name
		m.browse(ctx, c)
	case status.MethodTrust:
		m.askToVouch(ctx, c)
	default:
		c.answer(failed(fmt.Errorf("unknown method %q", method)))
	}
}

// makeWay decides between the sign-in under way and another one that somebody wants. It tells whether the other one may
// begin; if not, it has been answered or waits with the first.
func (m *machine) makeWay(ctx context.Context, c command) bool {
	a := m.attempt
	switch {
	case a.silent:
	case !a.browses():
		c.answer(failed(errBusy))
		return false
	case a.method == c.action.Method && a.provider == c.action.Provider && !c.action.OtherAccount && a.confirm == "":
		a.commands = append(a.commands, c) // a second click
		if a.browsing().Waiting {
			m.reopen(ctx, a, func(status.Result) {})
		}
		return false
	}
	m.abandon(ctx, a)
	return true
}

// askToVouch: somebody wants the computer to vouch for them.
func (m *machine) askToVouch(ctx context.Context, c command) {
	a := &attempt{method: status.MethodTrust, commands: []command{c}, stay: !m.who.Shared}
	if w := m.ways(); w.trust || !m.siteKnown() && m.policy.Enrolled {
		m.fetchSite(ctx)
		m.vouch(ctx, a, signInTimeout)
		return
	} else if m.begin(ctx, a, signInTimeout); w.problem != nil {
		m.settle(ctx, a, Tokens{}, &Error{Problem: *w.problem, Err: errNotVouched})
		return
	}
	m.settle(ctx, a, Tokens{}, &Error{Problem: status.Problem{Code: status.ProblemTrustRefused, Details: errNotVouched.Error()}, Err: errNotVouched})
}

// refused keeps the name and says why, and what works instead.
func (m *machine) refused(ctx context.Context, a *attempt, err error) {
	problem := problemOf(err, m.deps.Settings.ServerHost)
	if a.method == status.MethodTrust {
		m.silence.trustDown = problem
	}
	m.lead(a, problem)
	m.discard(ctx, a)
	if a.silent {
		m.silentFailed(ctx, a, err)
		return
	}
	m.logger.InfoContext(ctx, "sign-in refused", "method", a.method, "error", err)
	cancelled := errors.Is(err, context.Canceled)
	if m.in == nil {
		if !cancelled {
			m.problem = problem
		}
		if a.name != "" {
			m.prefill = a.name
		}
		if m.siteAt.IsZero() {
			m.fetchSite(ctx)
		}
	}
	if cancelled {
		a.answer(failed(err))
		return
	}
	a.answer(status.Result{Problem: problem})
}

// lead names the way that works here instead of the one that was tried: what the server says, if it can be done here.
func (m *machine) lead(a *attempt, p *status.Problem) {
	w := m.ways()
	switch p.Code {
	case status.ProblemMFARequired, status.ProblemMethodOff:
		if p.Method != "" {
			m.prefer = p.Method
			w = m.ways()
		}
	case status.ProblemTrustRefused, status.ProblemNoBrowser:
	default: // nothing else would work better, unless somebody who knows says so
		if p.Method == a.method || !w.offered(p.Method, "") {
			p.Method = ""
		}
		return
	}
	if p.Method != "" && w.offered(p.Method, "") {
		return
	}
	p.Method = ""
	for _, o := range w.offers {
		if o.Method != a.method {
			p.Method = o.Method
			return
		}
	}
}

// accepted follows the new session, and answers whoever waits with its first balance.
func (m *machine) accepted(ctx context.Context, a *attempt, tokens Tokens) {
	m.logger.InfoContext(ctx, "signed in", "method", a.method, "username", m.loggable(tokens.User.Username))
	if m.in != nil {
		before := m.in.tokens
		m.in.answer(failed(context.Canceled))
		m.leave(ctx)
		m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, before); return nil })
	}
	wasAside := m.aside != nil
	m.giveUp(ctx)
	if m.user != nil && m.user.ID != tokens.User.ID { // somebody else's balance is not shown
		m.balance, m.balanceAt, m.stale = api.Balance{}, time.Time{}, false
		m.user = nil
	}
	m.hearUser(ctx, tokens.User)
	if !a.silent {
		m.newName = "" // they have just typed it, or seen it
	}
	wasNotMe := m.silence.notMe
	m.silence.succeeded()
	m.problem, m.prefill, m.ask, m.dismissed, m.prefer = nil, "", status.AskNothing, false, ""
	m.enter(ctx, tokens, entry{
		stay: a.stay, method: a.method, account: a.account, vouched: a.method == status.MethodTrust && a.silent, inBrowser: a.browses() && !a.cached, first: a.commands,
	})
	switch {
	case a.method != status.MethodMicrosoft, m.who.Shared:
		m.forgetMicrosoft(ctx)
	case a.stay:
		m.keepMicrosoft(ctx)
	default:
		m.withMicrosoft(ctx, "released", func(ctx context.Context) error { return m.deps.Microsoft.Release(ctx) })
	}
	if epoch := m.in.epoch; (wasNotMe || wasAside) && !a.stay { // what is kept instead of it would say so
		m.task(ctx, func(ctx context.Context) func() { m.keeper.clear(ctx, epoch); return nil })
	}
}

// notMe: the computer vouched for somebody else than who sits here. It does so no more, until somebody has signed in.
func (m *machine) notMe(ctx context.Context, c command) {
	if m.in == nil || !m.in.vouched {
		c.answer(failed(errNotVouched))
		return
	}
	m.signOut(ctx, c)
	m.silence.notMe, m.silence.signedOut = true, false
	m.dismissed = false
	epoch := m.keeper.next()
	m.task(ctx, func(ctx context.Context) func() {
		m.keeper.replace(ctx, epoch, Note{NotMe: true})
		return nil
	})
}

// signOut ends the session here at once, and at the server as soon as it can be reached.
func (m *machine) signOut(ctx context.Context, c command) {
	if m.attempt != nil {
		m.abandon(ctx, m.attempt)
	}
	m.silence.signedOut, m.silence.again, m.prefer = true, "", ""
	forgotten := m.forgetMicrosoftAnyway(ctx)
	m.giveUp(ctx)
	in := m.in
	if in == nil { // a session that ended by itself may have left something in sight, and in the vault
		epoch := m.keeper.next()
		m.user, m.balance, m.stale, m.prefill, m.newName = nil, api.Balance{}, false, "", ""
		m.problem = m.deps.Settings.Problem
		m.ask, m.dismissed = m.freshAsk(), !m.who.Shared
		m.task(ctx, func(ctx context.Context) func() {
			m.keeper.clear(ctx, epoch)
			await(ctx, forgotten)
			c.answer(status.Result{OK: true})
			return nil
		})
		return
	}
	in.answer(failed(context.Canceled))
	m.leave(ctx)
	m.ask, m.dismissed = m.freshAsk(), !m.who.Shared
	m.logger.InfoContext(ctx, "signed out")
	m.fetchSite(ctx)
	m.task(ctx, func(ctx context.Context) func() {
		<-in.done // a refresh under way brings the newest token
		return func() {
			tokens := in.tokens
			m.task(ctx, func(ctx context.Context) func() {
				m.keeper.clear(ctx, in.epoch)
				heard := make(chan struct{})
				m.tasks.Go(func() {
					defer close(heard)
					m.revoke(ctx, tokens)
				})
				wait := time.NewTimer(revokeTimeout)
				defer wait.Stop()
				select {
				case <-heard:
				case <-wait.C:
				case <-ctx.Done():
				}
				await(ctx, forgotten)
				c.answer(status.Result{OK: true})
				return nil
			})
		}
	})
}

// revoke ends a session at the server. It tries for some minutes; what cannot be told ends by itself.
func (m *machine) revoke(ctx context.Context, tokens Tokens) {
	wait := backoff{jitter: m.deps.Jitter}
	for range revokeTries {
		err := m.revokeOnce(ctx, &tokens)
		if err == nil || useless(err) || disabled(err) || notListed(err) {
			return
		}
		m.logger.InfoContext(ctx, "sign-out not told to the server yet", "error", err)
		timer := time.NewTimer(wait.next())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// revokeOnce tries once, with a fresh access token if the old one has ended.
func (m *machine) revokeOnce(ctx context.Context, tokens *Tokens) error {
	ctx, cancel := linger(ctx, callTimeout, refreshGrace)
	defer cancel()
	if !tokens.Access.Empty() {
		err := m.deps.Server.SignOut(ctx, tokens.Access)
		if !useless(err) {
			return err
		}
	}
	fresh, err := m.deps.Server.Refresh(ctx, tokens.Refresh)
	if err != nil {
		return err
	}
	*tokens = fresh
	return m.deps.Server.SignOut(ctx, tokens.Access)
}

// details answers with the statement and the settings.
func (m *machine) details(ctx context.Context, c command) {
	d := m.deps.Details()
	d.ServerVersion = m.site.Version
	if m.in == nil || m.in.access().Empty() || m.deps.Settings.HideBalance {
		c.answer(status.Result{OK: true, Details: &d})
		return
	}
	access := m.in.access()
	m.task(ctx, func(ctx context.Context) func() {
		if err := m.statement(ctx, access, &d); err != nil {
			d.Problem = problemOf(err, m.deps.Settings.ServerHost)
		}
		c.answer(status.Result{OK: true, Details: &d})
		return nil
	})
}

func (m *machine) statement(ctx context.Context, access secret.String, d *status.Details) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	list, err := m.deps.Server.Transactions(ctx, access)
	if err != nil {
		return fmt.Errorf("read transactions: %w", err)
	}
	history, err := m.deps.Server.BalanceHistory(ctx, access)
	if err != nil {
		return fmt.Errorf("read balance history: %w", err)
	}
	for _, t := range list.Transactions {
		d.Transactions = append(d.Transactions, status.Transaction{At: t.At, Kind: t.Kind, Amount: t.Amount, Balance: t.Balance, Note: t.Note})
	}
	for _, p := range history.Points {
		d.History = append(d.History, status.Point{Date: p.Date, Amount: p.Amount})
	}
	return nil
}
