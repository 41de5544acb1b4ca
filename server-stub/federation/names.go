package federation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// name is what the claims call the person, "" when the policy believes none of it.
func (p Policy) name(c Claims, match Match) (string, auth.Folded) {
	text := ""
	switch match {
	case MatchUPN, MatchUsername:
		text = c.UPN
	case MatchEmail:
		if c.EmailVerified {
			text = c.Email
		}
	case MatchNone:
	}
	text = strings.TrimSpace(text)
	folded, err := auth.Canon(text)
	short, domain, address := strings.Cut(string(folded), "@")
	switch {
	case err != nil, c.Guest, !address, short == "", domain == "", strings.ContainsAny(string(folded), `\/ `), strings.Contains(domain, "@"), usermap.Lookalike(folded):
		return "", ""
	case len(p.Domains) > 0 && !slices.Contains(p.Domains, domain):
		return "", ""
	}
	return text, folded
}

// byName finds one person by their exact name.
func (s *Service) byName(ctx context.Context, tx store.Tx, p Policy, c Claims) ([]core.UserID, error) {
	text, folded := p.name(c, p.Match)
	if text == "" {
		return nil, nil
	}
	// Without rules nothing is completed or shortened. Of the contexts, the one of print providers lets no e-mail address find
	// anybody, yet counts it as held.
	q := names.Query{Context: names.PrintProvider, Text: text}
	kinds := []core.NameKind{core.NameUPN, core.NameUsername}
	if p.Match == MatchEmail {
		q.Context, kinds = names.Prompt, append(kinds, core.NameEmail)
	}
	answer, err := names.Find(ctx, tx, q, names.Rules{}, s.d.Clock())
	if err != nil {
		return nil, err
	}
	switch answer.Outcome {
	case names.Unknown:
		return nil, nil
	case names.Ambiguous:
		return nil, fmt.Errorf("%w: the users %v", core.ErrAmbiguous, answer.Candidates)
	case names.One, names.Disabled:
	}
	holders, err := tx.Holders(ctx, folded)
	if err != nil {
		return nil, err
	}
	own := slices.ContainsFunc(holders, func(h core.NameHolder) bool {
		return h.UserID == answer.User && slices.Contains(kinds, h.Kind) && (h.ValidTo.IsZero() || h.ValidTo.After(s.d.Clock()))
	})
	if !own {
		return nil, nil // an alias or a nickname: not the person's own name
	}
	u, err := tx.User(ctx, answer.User)
	if err != nil {
		return nil, err
	}
	if p.Source != "" && u.Source != p.Source {
		return nil, fmt.Errorf("%w: user %d is not of the directory %q", ErrOtherPerson, u.ID, p.Source)
	}
	return []core.UserID{u.ID}, roleless(ctx, tx, u)
}

// roleless refuses a local account with a role: whoever may name people at the provider could become its owner.
func roleless(ctx context.Context, tx store.Tx, u core.User) error {
	if u.Source != core.LocalSource {
		return nil
	}
	grants, err := tx.UserRoles(ctx, u.ID)
	if err != nil || len(grants) == 0 {
		return err
	}
	return fmt.Errorf("%w: user %d keeps to its password or passkey; give the role to the person's own account instead "+
		"(platen-server user role USERNAME --grant %s)", ErrHasRole, u.ID, grants[0].Role)
}

// maxDisplayName bounds what is taken over, in bytes.
const maxDisplayName = 256

// create makes an account for somebody new, where the policy says so.
func (s *Service) create(ctx context.Context, tx store.Tx, p Policy, c Claims, ids []identity) (core.User, error) {
	if !p.Create {
		return core.User{}, ErrNoAccount
	}
	match := p.Match
	if match == MatchNone {
		if match = MatchEmail; p.Tenant != "" {
			match = MatchUPN
		}
	}
	text, folded := p.name(c, match)
	if text == "" {
		return core.User{}, fmt.Errorf("%w: it brings no name that an account could be made of", ErrNoAccount)
	}
	now := s.d.Clock()
	holders, err := tx.Holders(ctx, folded)
	if err != nil {
		return core.User{}, err
	}
	for _, h := range holders {
		if names.Blocks(h, now) {
			return core.User{}, fmt.Errorf("%w: %s", ErrOtherPerson, p.taken(text, h))
		}
	}
	u := core.User{Username: text, DisplayName: oneLine(c.Name), Source: p.SourceID(), CreatedAt: now, UpdatedAt: now}
	if c.EmailVerified {
		u.Email = oneLine(c.Email)
	}
	if u.ID, err = tx.CreateUser(ctx, u); err != nil {
		return core.User{}, err
	}
	err = tx.PutName(ctx, core.LoginName{UserID: u.ID, Name: text, Folded: folded, Kind: core.NameUPN, Source: p.SourceID(), ValidFrom: now})
	if err != nil {
		return core.User{}, err
	}
	return u, s.link(ctx, tx, p, u, ids, "user.add", "just in time")
}

// taken says whose name it is that somebody new would have, and what the administrator can do.
func (p Policy) taken(name string, h core.NameHolder) string {
	switch {
	case !h.ValidTo.IsZero():
		return fmt.Sprintf("%s was the %s of user %d and is kept for them until %s; if it is somebody else's now: platen-server user free-name %s",
			name, h.Kind, h.UserID, h.ValidTo.Add(names.Reservation).Format(time.DateOnly), name)
	case h.UserSource != core.LocalSource && !strings.HasPrefix(string(h.UserSource), "idp:"):
		return fmt.Sprintf("%s is the %s of user %d of the directory %q, who is not known by this id; if it is the same person, let the provider match by name "+
			"(match: in its configuration), or have the directory list the id", name, h.Kind, h.UserID, h.UserSource)
	}
	return fmt.Sprintf("%s is the %s of user %d; if it is the same person, let the provider match by name (match: in its configuration), else give that user "+
		"another name (platen-server user set id:%d --username NAME) and free this one (platen-server user free-name %s)", name, h.Kind, h.UserID, h.UserID, name)
}

// oneLine is a text of the provider as it may be kept.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	if len(text) > maxDisplayName {
		return ""
	}
	return text
}
