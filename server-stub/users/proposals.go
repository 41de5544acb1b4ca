package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// proposalsKey is where proposals are kept, newest last, as JSON.
const proposalsKey = "name_proposals"

// maxProposals is how many are kept; the oldest make room.
const maxProposals = 500

// maxLinked is how many names may be linked to one person without an administrator.
const maxLinked = 5

// Proposal is a name that a person's computer calls them by, waiting for an administrator to say that it is theirs.
type Proposal struct {
	User   core.UserID `json:"user"`
	Name   string      `json:"name"`
	Domain string      `json:"domain,omitempty"` // the Windows domain it belongs to
	At     time.Time   `json:"at"`
}

// Link gives a person, in the caller's transaction, the short name their computer calls them by, or only proposes it.
// It does nothing, and says why, unless the name is free in every form: nobody holds or held it, and the person has no
// other short name in that domain.
func Link(ctx context.Context, tx store.Tx, now time.Time, p Proposal, propose bool) (linked bool, why string, err error) {
	c := change{ctx: ctx, tx: tx, now: now}
	if c.user, err = living(ctx, tx, p.User); err != nil {
		return false, "", err
	}
	folded, domain, why := linkable(p)
	if why != "" {
		return false, why, nil
	}
	holders, err := tx.Holders(ctx, folded)
	if err != nil {
		return false, "", err
	}
	if slices.ContainsFunc(holders, func(h core.NameHolder) bool { return names.Blocks(h, now) }) {
		return false, "the name is taken or kept", nil
	}
	have, err := tx.UserNames(ctx, p.User)
	if err != nil {
		return false, "", err
	}
	count := 0
	for _, n := range have {
		if n.Kind == core.NameSAM && n.ValidTo.IsZero() && (n.Domain == domain || n.Domain == "") {
			return false, "the directory gives the person another short name in that domain", nil
		}
		if n.Kind == core.NameAlias && n.Domain != "" {
			count++
		}
	}
	if count >= maxLinked {
		return false, "too many names were linked to the person already", nil
	}
	if propose {
		return false, "proposed to the administrator", c.propose(p)
	}
	err = tx.PutName(ctx, core.LoginName{UserID: p.User, Name: p.Name, Folded: folded, Kind: core.NameAlias, Domain: domain, Source: core.LocalSource, ValidFrom: now})
	if err != nil {
		return false, "", err
	}
	c.fields = []string{"aliases"}
	return true, "", c.audit(fmt.Sprintf("user:%d", p.User), "user.alias.link")
}

// linkable folds the name and domain of a proposal, or says why it cannot be a person's short name.
func linkable(p Proposal) (name, domain auth.Folded, why string) {
	name, err := checkName("name", p.Name)
	if err != nil || strings.Contains(string(name), "@") {
		return "", "", "it is no short name"
	}
	domain, err = auth.Canon(p.Domain)
	if err != nil {
		return "", "", "the domain of the name is not known"
	}
	return name, domain, ""
}

// Proposals returns what waits, oldest first.
func (s *Service) Proposals(ctx context.Context) ([]Proposal, error) {
	var list []Proposal
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = readProposals(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list proposed names: %w", err)
	}
	return list, nil
}

// Decide accepts or drops a proposal. core.ErrNotFound when it does not wait (any more), core.ErrConflict when the name
// cannot be given any more.
func (s *Service) Decide(ctx context.Context, actor string, p Proposal, accept bool) error {
	_, err := s.update(ctx, "decide on a name of", p.User, func(c *change) error {
		is := func(other Proposal) bool {
			return other.User == p.User && auth.Same(other.Name, p.Name) && auth.Same(other.Domain, p.Domain)
		}
		list, err := readProposals(c.ctx, c.tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, is) {
			return core.ErrNotFound
		}
		if err := c.dropProposals(is); err != nil || !accept {
			return err
		}
		linked, why, err := Link(c.ctx, c.tx, c.now, p, false)
		if err == nil && !linked {
			err = fmt.Errorf("%w: %s", core.ErrConflict, why)
		}
		if err != nil {
			return err
		}
		c.fields = []string{"aliases"}
		return c.audit(actor, "user.alias.accept")
	})
	return err
}

func (c *change) propose(p Proposal) error {
	list, err := readProposals(c.ctx, c.tx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(o Proposal) bool {
		return o.User == p.User && auth.Same(o.Name, p.Name) && auth.Same(o.Domain, p.Domain)
	}) {
		return nil
	}
	p.At = c.now
	list = append(list, p)
	return c.writeProposals(list[max(0, len(list)-maxProposals):])
}

func (c *change) dropProposals(match func(Proposal) bool) error {
	list, err := readProposals(c.ctx, c.tx)
	if err != nil || !slices.ContainsFunc(list, match) {
		return err
	}
	return c.writeProposals(slices.DeleteFunc(list, match))
}

func (c *change) writeProposals(list []Proposal) error {
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write proposed names: %w", err)
	}
	return c.tx.SetMeta(c.ctx, proposalsKey, string(text))
}

func readProposals(ctx context.Context, tx store.Tx) ([]Proposal, error) {
	text, err := tx.Meta(ctx, proposalsKey)
	if errors.Is(err, core.ErrNotFound) || err == nil && text == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Proposal
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read proposed names: %w", err)
	}
	return list, nil
}

func hasPassword(ctx context.Context, tx store.Tx, id core.UserID) (bool, error) {
	_, err := tx.PasswordHash(ctx, id)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
