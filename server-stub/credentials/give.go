package credentials

import (
	"context"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// Gift is what an import or an administrator gives one person, who exists.
type Gift struct {
	User  core.User
	Fresh bool // the person was made in this transaction: they are welcomed
	Facts []string
	Given
}

// outcome is what became of a gift.
type outcome struct {
	dirsync.CredentialPlan
	Code secret.String // the code that is in force now and was not before
}

// giveMany plans and keeps gifts.
func (s *Service) giveMany(ctx context.Context, tx store.Tx, gifts []Gift, tell bool) ([]outcome, error) {
	b := s.begin(core.LocalSource)
	wishes := make([]wish, len(gifts))
	for i, g := range gifts {
		w := wish{who: who{user: g.User.ID}, user: g.User, given: g.Given, quiet: !tell || !g.User.Active()}
		w.facts = []fact{{"username", g.User.Username}, {"name", g.User.DisplayName}, {"e-mail address", g.User.Email}}
		for _, c := range g.Cards {
			w.facts = append(w.facts, fact{"card", c.Reveal()})
		}
		for _, f := range g.Facts {
			w.facts = append(w.facts, fact{"other name", f})
		}
		w.facts = append(w.facts, fact{"PIN", g.PIN.Reveal()})
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
		out[i].CredentialPlan, out[i].Code = w.plan, w.data.code
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

// Generate gives somebody who was added in this transaction a code, where everybody has one, and welcomes them. It returns the code,
// empty for none.
func (s *Service) Generate(ctx context.Context, tx store.Tx, u core.User) (secret.String, error) {
	list, err := s.giveMany(ctx, tx, []Gift{{User: u, Fresh: true}}, true)
	if err != nil {
		return secret.String{}, err
	}
	return list[0].Code, nil
}
