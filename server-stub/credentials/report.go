package credentials

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// Line is one person's code in the report, or a person without one.
type Line struct {
	User     core.User
	Origin   core.CredentialOrigin
	Source   core.SourceID
	Since    time.Time
	Reasons  string // why it is weak, "" for a good one
	NeedsPIN bool
	HasPIN   bool
	None     bool // the person has no code
}

// Usable tells whether the code works at a device that asks for nothing else.
func (l Line) Usable() bool { return !l.None && (!l.NeedsPIN || l.HasPIN) }

// Report is what `codes report` shows.
type Report struct {
	People int // how many there are
	Codes  int // codes in force
	Weak   int
	None   int // people without a code
	Length int // characters of a code made now
	Lines  []Line
}

// Report lists weak codes and people without one, or with all every code, in the order of the people.
func (s *Service) Report(ctx context.Context, all bool) (Report, error) {
	var r Report
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		r = Report{}
		if r.People, err = tx.CountUsers(ctx, store.UserFilter{}); err != nil {
			return err
		}
		r.Length = s.d.Policy.Format.For(r.People)
		for after := core.UserID(0); ; {
			page, err := tx.ListUsers(ctx, store.UserFilter{After: after, Limit: pageSize})
			if err != nil || len(page) == 0 {
				return err
			}
			if err := s.reportOn(ctx, tx, page, all, &r); err != nil {
				return err
			}
			after = page[len(page)-1].ID
		}
	})
	if err != nil {
		return Report{}, fmt.Errorf("report on codes: %w", err)
	}
	return r, nil
}

func (s *Service) reportOn(ctx context.Context, tx store.Tx, people []core.User, all bool, r *Report) error {
	ids := make([]core.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	codes, pins := map[core.UserID][]core.Credential{}, map[core.UserID]bool{}
	if err := tx.CredentialsOf(ctx, ids, func(c core.Credential) {
		switch c.Kind {
		case core.CredentialCode:
			codes[c.UserID] = append(codes[c.UserID], c)
		case core.CredentialPIN:
			pins[c.UserID] = true
		case core.CredentialCard:
		}
	}); err != nil {
		return err
	}
	for _, u := range people {
		if len(codes[u.ID]) == 0 {
			r.None++
			r.Lines = append(r.Lines, Line{User: u, None: true, HasPIN: pins[u.ID]})
		}
		for _, c := range codes[u.ID] {
			r.Codes++
			l := Line{User: u, Origin: c.Origin, Source: c.Source, Since: c.CreatedAt, HasPIN: pins[u.ID], NeedsPIN: s.NeedsPIN(c)}
			if c.Weak != "" {
				r.Weak++
				l.Reasons = Reasons(c)
			}
			if all || c.Weak != "" {
				r.Lines = append(r.Lines, l)
			}
		}
	}
	return nil
}

// NeedsPIN tells whether a code works only together with a PIN.
func (s *Service) NeedsPIN(c core.Credential) bool {
	return c.WithPIN || c.Weak != "" && s.d.Policy.Weak != WeakAccept
}

// MakeMissing makes a code for everybody who has none and tells how many. People are told, where there is mail and tell is set.
func (s *Service) MakeMissing(ctx context.Context, actor string, tell bool) (int, error) {
	made := 0
	for after := core.UserID(0); ; {
		var people []core.UserID
		err := s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
			if people, err = tx.WithoutCode(ctx, after, pageSize); err != nil {
				return err
			}
			var wishes []wish
			for _, id := range people {
				u, err := tx.User(ctx, id)
				if err != nil {
					return err
				}
				wishes = append(wishes, wish{who: who{user: id}, user: u, generate: true, quiet: !tell || !u.Active()})
			}
			return s.makeFor(ctx, tx, actor, wishes)
		})
		if err != nil || len(people) == 0 {
			if err != nil {
				err = fmt.Errorf("make codes for people without one: %w", err)
			}
			return made, err
		}
		made += len(people)
		after = slices.Max(people)
	}
}

func (s *Service) makeFor(ctx context.Context, tx store.Tx, actor string, wishes []wish) error {
	b := s.begin(core.LocalSource)
	if err := b.count(ctx, tx, wishes); err != nil {
		return err
	}
	if err := b.makeCodes(ctx, tx, wishes); err != nil {
		return err
	}
	for i := range wishes {
		w := &wishes[i]
		w.notice(dirsync.NoticeCodeReplaced)
		if _, err := s.apply(ctx, tx, s.d.Clock(), w.user, &w.data); err != nil {
			return err
		}
		for _, n := range s.notices(w.user, &w.data) {
			if err := s.d.Notify(ctx, tx, n); err != nil {
				return err
			}
		}
		if err := tx.AppendAudit(ctx, core.AuditEvent{At: s.d.Clock(), Actor: actor, Action: "user.code.new", Target: fmt.Sprintf("user:%d", w.user.ID)}); err != nil {
			return err
		}
	}
	return nil
}

// Reasons says in words why a code is weak, "" for a good one.
func Reasons(c core.Credential) string {
	if c.Weak == "" {
		return ""
	}
	return reasons(strings.Split(c.Weak, ","))
}
