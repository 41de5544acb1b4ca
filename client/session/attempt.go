package session

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// browseTimeout is how long somebody may take in the browser.
const browseTimeout = 10 * time.Minute

// attempt is a sign-in under way. There is one at a time.
type attempt struct {
	method   status.Method
	provider string
	silent   bool      // nobody asked for it: nothing is said when it fails
	commands []command // who wait for the outcome
	stay     bool
	name     string // as typed: what stays in the account field
	expect   string // who is expected; empty: whoever it is
	choose   bool   // the browser is to ask which account

	siteKnown bool   // when this began, it was known whether this way is offered
	address   string // what the browser was opened with
	cached    bool   // no browser was needed
	back      bool   // the browser has come back
	account   string // who Microsoft says it was; not empty: it remembers them now
	confirm   string // who came back, when it is not who was expected
	goOn      func() // what ActionContinue does then
	pending   *Tokens

	ctx    context.Context
	cancel context.CancelFunc
}

// browses tells whether a person finishes it in the browser.
func (a *attempt) browses() bool {
	return !a.silent && (a.method == status.MethodMicrosoft || a.method == status.MethodBrowser)
}

func (a *attempt) browsing() status.Browsing {
	if !a.browses() {
		return status.Browsing{}
	}
	return status.Browsing{Method: a.method, Waiting: a.address != "" && !a.back, Confirm: a.confirm}
}

func (a *attempt) answer(r status.Result) {
	for _, c := range a.commands {
		c.answer(r)
	}
	a.commands = nil
}

// begin makes a the attempt under way, for timeout at most.
func (m *machine) begin(ctx context.Context, a *attempt, timeout time.Duration) {
	a.ctx, a.cancel = context.WithTimeout(ctx, timeout)
	a.siteKnown = m.siteKnown() || len(m.policy.AuthModes) > 0
	m.attempt = a
	if m.in == nil && !a.silent {
		m.problem = nil
	}
	context.AfterFunc(a.ctx, func() { // nothing else would end one that waits for an answer to Browsing.Confirm
		m.post(ctx, func() {
			if m.attempt == a && a.confirm != "" {
				m.settle(ctx, a, Tokens{}, a.ctx.Err())
			}
		})
	})
}

// abandon ends an attempt before its time. What comes of it later counts for nothing.
func (m *machine) abandon(ctx context.Context, a *attempt) {
	a.cancel()
	m.attempt = nil
	a.answer(failed(context.Canceled))
	m.discard(ctx, a)
}

// discard undoes what an attempt has reached: nothing stays half signed in.
func (m *machine) discard(ctx context.Context, a *attempt) {
	if a.pending != nil {
		tokens := *a.pending
		a.pending = nil
		m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, tokens); return nil })
	}
	if a.account != "" && !a.silent { // also while somebody else is signed in: the two must not be mixed up later
		m.forgetMicrosoft(ctx)
	}
}

// exchange asks the server for a session, and settles the attempt.
func (m *machine) exchange(ctx context.Context, a *attempt, ask func(context.Context) (Tokens, error)) {
	m.task(ctx, func(ctx context.Context) func() {
		asking, cancel := context.WithTimeout(a.ctx, signInTimeout)
		defer cancel()
		tokens, err := ask(asking)
		if err == nil && a.ctx.Err() != nil { // too late: end it again
			m.revoke(ctx, tokens)
			err = a.ctx.Err()
		}
		return func() { m.settle(ctx, a, tokens, err) }
	})
}

// settle ends an attempt by its outcome.
func (m *machine) settle(ctx context.Context, a *attempt, tokens Tokens, err error) {
	if m.attempt != a { // abandoned meanwhile
		if err == nil {
			m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, tokens); return nil })
		}
		return
	}
	if err == nil && a.method == status.MethodBrowser && !a.same(tokens.User.Username) {
		a.pending = &tokens
		a.askWho(tokens.User.Username, func() {
			a.pending = nil
			m.settle(ctx, a, tokens, nil)
		})
		return
	}
	m.attempt = nil
	late := errors.Is(a.ctx.Err(), context.DeadlineExceeded)
	a.cancel()
	switch {
	case err == nil:
		m.accepted(ctx, a, tokens)
	case late && a.browses():
		m.refused(ctx, a, &Error{Problem: status.Problem{Code: status.ProblemTimedOut}, Err: errNotFinished})
	default:
		m.refused(ctx, a, err)
	}
}

var errNotFinished = errors.New("nobody finished the sign-in in the browser in time")

// same tells whether name is who was expected.
func (a *attempt) same(name string) bool {
	return a.expect == "" || name == "" || auth.Same(a.expect, name)
}

// askWho asks whether somebody else than expected is to be signed in.
func (a *attempt) askWho(name string, goOn func()) {
	a.back, a.confirm = true, name
	a.goOn = func() {
		a.confirm, a.expect, a.goOn = "", "", nil
		goOn()
	}
}

// browse begins a sign-in in the browser, once it is known what the site offers.
func (m *machine) browse(ctx context.Context, c command) {
	act := c.action
	a := &attempt{
		method: act.Method, provider: act.Provider, commands: []command{c},
		stay: act.StaySignedIn && !m.who.Shared, name: act.Username, choose: act.OtherAccount || m.who.Shared,
	}
	if expected := cmp.Or(act.Username, m.expected()); !a.choose && strings.Contains(expected, "@") {
		a.expect = expected // a short name is nobody's in particular
	}
	m.begin(ctx, a, browseTimeout)
	if m.siteKnown() {
		m.toBrowser(ctx, a)
		return
	}
	m.fetchSite(ctx)
	m.task(ctx, func(context.Context) func() {
		wait, cancel := context.WithTimeout(a.ctx, callTimeout)
		defer cancel()
		select {
		case <-m.siteReady:
		case <-wait.Done():
		}
		return func() {
			if m.attempt == a {
				m.toBrowser(ctx, a)
			}
		}
	})
}

// toBrowser opens the browser, unless Microsoft remembers the person.
func (m *machine) toBrowser(ctx context.Context, a *attempt) {
	w := m.ways()
	if !w.offered(a.method, a.provider) {
		m.settle(ctx, a, Tokens{}, m.notOffered(w, a.method))
		return
	}
	how := Browse{Provider: a.provider, Hint: a.expect, SelectAccount: a.choose, Open: m.opener(ctx, a)}
	if a.method == status.MethodMicrosoft {
		m.toMicrosoft(ctx, a, how)
		return
	}
	site := *m.site.Browser
	m.task(ctx, func(ctx context.Context) func() {
		code, verifier, err := m.deps.Browser.SignIn(a.ctx, site, how)
		return func() {
			a.back = true
			switch {
			case m.attempt != a: // a code that nobody redeems ends by itself
			case err != nil:
				m.settle(ctx, a, Tokens{}, err)
			default:
				m.redeem(ctx, a, code, verifier)
			}
		}
	})
}

func (m *machine) toMicrosoft(ctx context.Context, a *attempt, how Browse) {
	m.entra.used = true
	site, ready := *m.site.Microsoft, m.entra.last
	m.task(ctx, func(ctx context.Context) func() {
		await(a.ctx, ready)
		cached := !how.SelectAccount
		var proof Proof
		err := errNoSuchWay
		if cached {
			proof, err = m.deps.Microsoft.Silent(a.ctx, site, how.Hint)
		}
		if err != nil {
			cached = false
			proof, err = m.deps.Microsoft.SignIn(a.ctx, site, how)
		}
		return func() {
			a.account = proof.Username
			switch {
			case m.attempt != a:
				m.discard(ctx, a)
			case err != nil:
				a.back = true
				m.settle(ctx, a, Tokens{}, err)
			case !a.same(proof.Username):
				a.askWho(proof.Username, func() { m.present(ctx, a, proof) })
			default:
				a.back, a.cached = true, cached
				m.present(ctx, a, proof)
			}
		}
	})
}

// present shows the server what Microsoft said.
func (m *machine) present(ctx context.Context, a *attempt, proof Proof) {
	a.account = proof.Username
	request := api.TokenSignIn{
		Provider: api.MethodMicrosoft, StaySignedIn: a.stay, Shared: m.who.Shared, Client: m.deps.Settings.Client, OSAccount: m.who.Facts,
	}
	m.exchange(ctx, a, func(ctx context.Context) (Tokens, error) {
		return m.deps.Server.SignInToken(ctx, request, proof.Token)
	})
}

// opener opens the browser for an attempt, and remembers the address for whoever closed the tab. It does not wait until the
// browser has started, which may take seconds: that it could not is told later.
func (m *machine) opener(ctx context.Context, a *attempt) func(context.Context, string) error {
	return func(_ context.Context, address string) error {
		m.post(ctx, func() { a.address = address })
		m.task(ctx, func(context.Context) func() {
			err := m.deps.Browser.Open(a.ctx, address)
			if err == nil {
				return nil
			}
			return func() {
				if m.attempt == a && !a.back {
					m.settle(ctx, a, Tokens{}, &Error{Problem: status.Problem{Code: status.ProblemNoBrowser, Details: err.Error()}, Err: err})
				}
			}
		})
		return nil
	}
}

// openAgain brings the page of the attempt under way back.
func (m *machine) openAgain(ctx context.Context, c command) {
	a := m.attempt
	if a == nil || !a.browsing().Waiting {
		c.answer(failed(errNothingToOpen))
		return
	}
	m.reopen(ctx, a, func(r status.Result) { c.answer(r) })
}

func (m *machine) reopen(ctx context.Context, a *attempt, then func(status.Result)) {
	address := a.address
	m.task(ctx, func(context.Context) func() {
		if err := m.deps.Browser.Open(a.ctx, address); err != nil {
			then(status.Result{Problem: &status.Problem{Code: status.ProblemNoBrowser, Details: err.Error()}})
			return nil
		}
		then(status.Result{OK: true})
		return nil
	})
}

var (
	errNothingToOpen = errors.New("no sign-in waits in the browser")
	errNothingToSay  = errors.New("nobody was asked to go on")
	errNoSuchWay     = errors.New("this way of signing in is not offered here")
	errNotVouched    = errors.New("this computer vouched for nobody")
)

// notOffered says that a method cannot be used, and what can.
func (m *machine) notOffered(w ways, method status.Method) error {
	if !m.siteKnown() {
		if m.problem != nil {
			return &Error{Problem: *m.problem, Err: errNoSuchWay}
		}
		return &Error{Problem: status.Problem{Code: status.ProblemUnreachable}, Err: errNoSuchWay}
	}
	p := status.Problem{Code: status.ProblemMethodOff, Details: string(method) + ": " + errNoSuchWay.Error()}
	if w.problem != nil && status.Method(m.deps.Settings.AuthMode) == method {
		p = *w.problem
	}
	return &Error{Problem: *w.instead(p), Err: errNoSuchWay}
}

// password is the prompt: account and password, checked by the server.
func (m *machine) password(ctx context.Context, c command, name string) {
	act := c.action
	a := &attempt{method: status.MethodPrompt, commands: []command{c}, stay: act.StaySignedIn && !m.who.Shared, name: name}
	m.begin(ctx, a, signInTimeout)
	request := api.SignIn{
		Username: name, StaySignedIn: a.stay, Shared: m.who.Shared, Client: m.deps.Settings.Client, OSAccount: m.who.Facts,
	}
	password := act.Password
	m.exchange(ctx, a, func(ctx context.Context) (Tokens, error) { return m.deps.Server.SignIn(ctx, request, password) })
}
