package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

const (
	lookEvery  = 15 * time.Second   // how often Run looks without being woken
	settle     = 2 * time.Second    // from a wake-up to looking: the transaction must be committed by then, or the next look finds it
	batch      = 50                 // messages read at a time
	giveUp     = 3 * 24 * time.Hour // after it was queued
	keepFor    = 30 * 24 * time.Hour
	staleAfter = 15 * time.Minute // a message that was being sent for longer than this is of a program that ended
	longestTry = 4 * time.Hour    // between tries
	longestOff = 10 * time.Minute // between tries to reach the server
)

// Run sends what is due until ctx ends. A message that is being handed over then is finished first. Its error is the database's, at the
// start.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	off, forgotten := time.Duration(0), time.Time{}
	if err := s.holdBack(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			if off == 0 {
				timer.Reset(settle)
			}
			continue
		case <-timer.C:
		}
		wait, err := s.SendDue(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			off = min(longestOff, max(lookEvery, 2*off))
			s.d.Logger.WarnContext(ctx, "mail cannot be sent", "error", err, "next_try_in", off.String())
			wait = off
		default:
			off = 0
		}
		if now := s.d.Clock(); now.Sub(forgotten) >= time.Hour {
			if err := s.forget(ctx); err != nil && ctx.Err() == nil {
				s.d.Logger.ErrorContext(ctx, "cannot forget old mail", "error", err)
			}
			forgotten = now
		}
		timer.Reset(max(wait, 10*time.Millisecond))
	}
}

func (s *Service) forget(ctx context.Context) error {
	return s.d.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.DeleteMailBefore(ctx, s.d.Clock().Add(-keepFor))
		return err
	})
}

// SendDue sends what is due now, at most as much as may be sent in a minute, and returns when it should be called again. An error means
// that the mail server cannot be reached or does not let us in; then no message was tried.
func (s *Service) SendDue(ctx context.Context) (time.Duration, error) {
	due, err := s.due(ctx)
	if err != nil || len(due) == 0 {
		return lookEvery, err
	}
	t, err := s.connect(ctx)
	if err != nil {
		s.setProblem(err.Error())
		return 0, err
	}
	s.setProblem("")
	defer t.quit()
	sent, began := 0, s.d.Clock()
	for len(due) > 0 {
		for _, m := range due {
			if ctx.Err() != nil {
				return 0, nil
			}
			tried, err := s.one(ctx, t, m)
			if err != nil {
				return 0, err
			}
			if tried {
				sent++
			}
			if sent >= s.d.Settings.PerMinute {
				return max(time.Second, time.Minute-s.d.Clock().Sub(began)), nil
			}
			if t.broken {
				return time.Second, nil
			}
		}
		if due, err = s.due(ctx); err != nil {
			return 0, err
		}
	}
	return lookEvery, nil
}

// due notes what an ended program left behind, and reads what is to be sent.
func (s *Service) due(ctx context.Context) ([]core.Mail, error) {
	now := s.d.Clock()
	var due, left []core.Mail
	if err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		if left, err = tx.ListMail(ctx, []core.MailState{core.MailSending}, 0, batch); err != nil {
			return err
		}
		due, err = tx.DueMail(ctx, now, batch)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read the mail that is due: %w", err)
	}
	for _, m := range left {
		if now.Sub(m.ChangedAt) < staleAfter {
			continue
		}
		m.State, m.Problem = core.MailUnsure, "the server ended while it was handed over; it may have been sent"
		if err := s.move(ctx, core.MailSending, m); err != nil {
			return nil, err
		}
		s.d.Logger.WarnContext(ctx, "whether a mail was sent is not known", "mail", m.ID)
	}
	return due, nil
}

// move notes how a message stands now.
func (s *Service) move(ctx context.Context, from core.MailState, m core.Mail) error {
	m.ChangedAt = s.d.Clock()
	err := s.d.Store.Update(ctx, func(tx store.Tx) error { return tx.MoveMail(ctx, from, m) })
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return fmt.Errorf("note how the mail %d stands: %w", m.ID, err)
	}
	return err
}

// one sends one message and tells whether it was tried. Its error is of our database.
func (s *Service) one(ctx context.Context, t *transport, m core.Mail) (tried bool, err error) {
	m, c, err := s.claim(ctx, m)
	if err != nil || m.State != core.MailSending {
		return false, err
	}
	result := outcome{refused, m.Problem}
	if m.Problem == "" {
		if msg, err := s.writer.message(envelope{m.To, m.MessageID, m.CreatedAt}, Template(m.Template), m.Language, c); err != nil {
			result.problem = err.Error()
		} else {
			result = t.send(m.To, msg)
		}
	}
	s.settleMail(&m, result)
	// What was sent must be noted, even if we are to end.
	err = s.move(context.WithoutCancel(ctx), core.MailSending, m)
	if errors.Is(err, core.ErrNotFound) {
		err = nil
	}
	level := s.d.Logger.InfoContext
	if result.what != taken {
		level = s.d.Logger.WarnContext
	}
	level(ctx, "mail", "mail", m.ID, "template", m.Template, "user_id", m.UserID, "state", string(m.State), "tries", m.Tries, "problem", m.Problem)
	return true, err
}

// claim takes a message for sending, so that nobody else does, and opens it. In another state than sending it is not to be sent: the
// person is not active any more, or what it says is not true any more, or somebody else has it. Problem says that it cannot be read.
func (s *Service) claim(ctx context.Context, m core.Mail) (claimed core.Mail, c content, err error) {
	err = s.d.Store.Update(ctx, func(tx store.Tx) error {
		claimed, c = m, content{}
		claimed.State, claimed.Tries, claimed.ChangedAt, claimed.Problem = core.MailSending, m.Tries+1, s.d.Clock(), ""
		cancel, err := s.untrue(ctx, tx, &claimed, &c)
		if err != nil {
			return err
		}
		if cancel != "" {
			claimed.State, claimed.Sealed, claimed.Problem = core.MailCancelled, nil, cancel
		}
		return tx.MoveMail(ctx, core.MailWaiting, claimed)
	})
	if errors.Is(err, core.ErrNotFound) { // somebody else has it, or it was cancelled
		return m, content{}, nil
	}
	if err != nil {
		return m, content{}, fmt.Errorf("take the mail %d: %w", m.ID, err)
	}
	return claimed, c, nil
}

// untrue opens a message and tells why it must not be sent any more, "" when it may be.
func (s *Service) untrue(ctx context.Context, tx store.Tx, m *core.Mail, c *content) (why string, err error) {
	if m.UserID != 0 {
		u, err := tx.User(ctx, m.UserID)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return "", err
		}
		if err != nil || !u.Active() {
			return "the person is disabled or gone", nil
		}
	}
	plain, err := s.d.Keys.Open(purpose, place(*m), m.Sealed)
	if err == nil {
		err = json.Unmarshal(plain, c)
	}
	if err != nil {
		m.Problem = fmt.Sprintf("what it says cannot be read: %v", err)
		return "", nil
	}
	if c.Code == "" || m.UserID == 0 {
		return "", nil
	}
	state, err := s.d.CodeState(ctx, tx, m.UserID, secret.New(c.Code))
	if err != nil {
		return "", err
	}
	c.WithPIN = state.NeedsPIN
	switch {
	case state.InForce:
	case m.Template == string(TemplateWelcome):
		c.Code, c.Shown = "", "" // another mail tells the code that took its place
	default:
		return "the code has ended", nil
	}
	return "", nil
}

// settleMail decides what becomes of a message.
func (s *Service) settleMail(m *core.Mail, result outcome) {
	now := s.d.Clock()
	m.Problem, m.NextAt = line(result.problem, 300), time.Time{}
	switch {
	case result.what == taken:
		m.State, m.Sealed, m.Problem = core.MailSent, nil, ""
	case result.what == unsure:
		m.State = core.MailUnsure
	case result.what == refused:
		m.State = core.MailFailed
	case now.Sub(m.CreatedAt) >= giveUp:
		m.State, m.Problem = core.MailFailed, "given up after three days: "+m.Problem
	default:
		m.State, m.NextAt = core.MailWaiting, now.Add(backoff(m.Tries))
	}
}

// backoff is the time to the next try: a minute, then twice as long each time, a little more or less.
func backoff(tries int) time.Duration {
	d := min(longestTry, time.Minute<<min(tries-1, 10))
	return d - d/10 + rand.N(d/5)
}
