package credentials

import (
	"context"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

var _ users.Credentials = (*Service)(nil)

// gift is what an import or an administrator gives one person, who exists.
type gift struct {
	users.Gift
	given Given
}

// outcome is what became of a gift.
type outcome struct {
	dirsync.CredentialPlan
	refused []string      // codes that the policy refuses
	code    secret.String // the code that is in force now and was not before
}

// Give implements users.Credentials.
func (s *Service) Give(ctx context.Context, tx store.Tx, list []users.Gift, tell bool) ([]users.Given, error) {
	gifts := make([]gift, len(list))
	for i, g := range list {
		gifts[i] = gift{g, Given{Origin: core.OriginImport, Kinds: g.Kinds, Cards: g.Cards, Code: g.Code, PIN: g.PIN}}
	}
	outcomes, err := s.giveAll(ctx, tx, gifts, tell)
	if err != nil {
		return nil, err
	}
	given := make([]users.Given, len(outcomes))
	for i, o := range outcomes {
		given[i] = users.Given{Fields: o.Fields, Weak: o.Weak, Problems: append(o.Problems, o.refused...)}
	}
	return given, nil
}

// giveAll plans and keeps gifts.
func (s *Service) giveAll(ctx context.Context, tx store.Tx, gifts []gift, tell bool) ([]outcome, error) {
	b := s.begin(core.LocalSource)
	wishes := make([]wish, len(gifts))
	for i, g := range gifts {
		w := wish{who: who{user: g.User.ID}, user: g.User, given: g.given, quiet: !tell || !g.User.Active()}
		w.facts = []fact{{"username", g.User.Username}, {"name", g.User.DisplayName}, {"e-mail address", g.User.Email}}
		for _, c := range g.given.Cards {
			w.facts = append(w.facts, fact{"card", c.Reveal()})
		}
		for _, f := range g.Facts {
			w.facts = append(w.facts, fact{"other name", f})
		}
		w.facts = append(w.facts, fact{"PIN", g.given.PIN.Reveal()})
		if g.Fresh {
			w.notice(dirsync.NoticeWelcome)
		}
		wishes[i] = w
	}
	if err := b.plan(ctx, tx, wishes); err != nil {
		return nil, err
	}
	out := make([]outcome, len(wishes))
	for i := range wishes {
		w := &wishes[i]
		out[i] = outcome{CredentialPlan: w.plan, code: w.data.code}
		if w.refused {
			out[i].refused, out[i].Weak = w.plan.Weak, nil
		}
		if _, err := s.apply(ctx, tx, s.d.Clock(), w.user, &w.data); err != nil {
			return nil, err
		}
		for _, n := range s.notices(w.user, &w.data) {
			if err := s.d.Notify(ctx, tx, n); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Generate implements users.Credentials.
func (s *Service) Generate(ctx context.Context, tx store.Tx, u core.User) (secret.String, error) {
	list, err := s.giveAll(ctx, tx, []gift{{Gift: users.Gift{User: u, Fresh: true}}}, true)
	if err != nil {
		return secret.String{}, err
	}
	return s.shown(list[0].code), nil
}
