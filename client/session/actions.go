package session

import (
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
		if m.attempt != nil {
			m.attempt.cancel()
		}
		c.answer(status.Result{OK: true})
	case status.ActionSignOut:
		m.signOut(ctx, c)
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
		m.dismiss()
		c.answer(status.Result{OK: true})
	case status.ActionStay:
		m.stay()
		c.answer(status.Result{OK: true})
	case status.ActionOpenAgain, status.ActionContinue, status.ActionNotMe: // ways of signing in that come with #3
		c.answer(failed(fmt.Errorf("%q: no such sign-in is under way", c.action.Kind)))
	case status.ActionOpenPortal, status.ActionOpenTopUp, status.ActionFirstFrame, status.ActionQuit:
		c.answer(failed(fmt.Errorf("%q is not for the session", c.action.Kind)))
	default:
		c.answer(failed(fmt.Errorf("unknown action %q", c.action.Kind)))
	}
}

// dismiss: the person has seen it.
func (m *machine) dismiss() {
	if m.attempt != nil {
		m.attempt.cancel()
	}
	m.dismissed, m.newName = true, ""
	if m.in == nil && m.deps.Settings.Problem == nil {
		m.problem = nil
	}
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
	case m.keyring == status.KeyringLocked:
		m.recall(ctx)
	default:
		m.fetchSite(ctx)
	}
}

// signIn asks the server for a session. Somebody who is signed in stays so until the new session is there.
func (m *machine) signIn(ctx context.Context, c command) {
	name := strings.TrimSpace(c.action.Username)
	switch {
	case m.deps.Settings.Problem != nil:
		c.answer(status.Result{Problem: m.deps.Settings.Problem})
		return
	case m.attempt != nil || m.in != nil && m.in.first != nil:
		c.answer(failed(errBusy))
		return
	case name == "" || c.action.Password.Empty() || len(c.action.Password.Reveal()) > api.MaxPassword:
		c.answer(status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: "account and password are wanted"}})
		return
	}
	trying, cancel := context.WithTimeout(ctx, signInTimeout)
	a := &attempt{command: c, cancel: cancel}
	m.attempt = a
	if m.in == nil {
		m.problem = nil
	}
	stay := c.action.StaySignedIn && !m.who.Shared
	request := api.SignIn{Username: name, StaySignedIn: stay, Client: m.deps.Settings.Client, OSAccount: m.who.Facts}
	password := c.action.Password
	m.task(ctx, func(ctx context.Context) func() {
		defer cancel()
		tokens, err := m.deps.Server.SignIn(trying, request, password)
		cancelled := errors.Is(trying.Err(), context.Canceled)
		if err == nil && cancelled { // too late: end it again
			m.revoke(ctx, tokens)
		}
		return func() {
			m.attempt = nil
			switch {
			case cancelled:
				c.answer(failed(context.Canceled))
			case err != nil:
				m.refused(ctx, c, name, err)
			default:
				m.accepted(ctx, c, tokens, stay)
			}
		}
	})
}

// refused keeps the name and says why.
func (m *machine) refused(ctx context.Context, c command, name string, err error) {
	m.logger.InfoContext(ctx, "sign-in refused", "error", err)
	problem := problemOf(err, m.deps.Settings.ServerHost)
	if m.in == nil {
		m.problem, m.prefill = problem, name
		if m.siteAt.IsZero() {
			m.fetchSite(ctx)
		}
	}
	c.answer(status.Result{Problem: problem})
}

// accepted follows the new session, and answers c with its first balance.
func (m *machine) accepted(ctx context.Context, c command, tokens Tokens, stay bool) {
	m.logger.InfoContext(ctx, "signed in", "username", m.loggable(tokens.User.Username))
	if m.in != nil {
		before := m.in.tokens
		m.in.answer(failed(context.Canceled))
		m.leave(ctx)
		m.task(ctx, func(ctx context.Context) func() { m.revoke(ctx, before); return nil })
	}
	if m.user != nil && m.user.ID != tokens.User.ID { // somebody else's balance is not shown
		m.balance, m.balanceAt, m.stale = api.Balance{}, time.Time{}, false
		m.user = nil
	}
	m.hearUser(ctx, tokens.User)
	m.newName = "" // they have just typed it
	m.problem, m.prefill, m.ask, m.dismissed = nil, "", status.AskNothing, false
	m.enter(ctx, tokens, stay, &c)
}

// signOut ends the session here at once, and at the server as soon as it can be reached.
func (m *machine) signOut(ctx context.Context, c command) {
	if m.attempt != nil {
		m.attempt.cancel()
	}
	in := m.in
	if in == nil { // a session that ended by itself may have left something in sight, and in the vault
		epoch := m.keeper.next()
		m.user, m.balance, m.stale, m.prefill, m.newName = nil, api.Balance{}, false, "", ""
		m.problem = m.deps.Settings.Problem
		m.ask, m.dismissed = m.freshAsk(), !m.who.Shared
		m.task(ctx, func(ctx context.Context) func() {
			m.keeper.clear(ctx, epoch)
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
		if err == nil || useless(err) || disabled(err) {
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
