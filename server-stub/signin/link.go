package signin

import (
	"context"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// genericNames are OS accounts behind which anybody may sit.
func genericNames(configured []string) map[string]bool {
	generic := map[string]bool{}
	for _, name := range append([]string{
		"admin", "administrator", "root", "guest", "gast", "user", "benutzer", "student", "students", "pupil", "kiosk", "lab", "library", "public", "visitor",
		"test", "demo", "default", "print", "printer", "scan", "reception", "localadmin", "defaultuser0", "wdagutilityaccount",
	}, configured...) {
		if folded, err := auth.Canon(name); err == nil {
			generic[string(folded)] = true
		}
	}
	return generic
}

// link gives the person who has just proven who they are the short name their computer calls them by, so that the next
// computer is silent. It does so only for accounts of a Windows domain or the like whose name leads to nobody at all;
// in every other case it leaves everything as it is. It returns the name if it became an alias. That it fails is no
// reason not to sign in.
func (s *Service) link(ctx context.Context, a Attempt, user core.User) string {
	p, why := s.proposal(a, user)
	if why == "" {
		linked := false
		err := s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
			linked, why = false, ""
			answer, err := names.Find(ctx, tx, names.Query{Context: names.Trust, Attested: true, Facts: withoutIDs(a.Facts)}, s.ways.Load().rules, s.d.Clock())
			if err != nil || answer.User == user.ID {
				return err
			}
			if answer.Outcome != names.Unknown {
				why = "the name leads to somebody else or to several people"
				return nil
			}
			linked, why, err = users.Link(ctx, tx, s.d.Clock(), p, s.d.Link == LinkReview)
			return err
		})
		if err != nil {
			s.d.Logger.WarnContext(ctx, "cannot link the name of the computer's account", "user_id", int64(user.ID), "error", err)
			return ""
		}
		if linked {
			return p.Name
		}
	}
	if why != "" && a.Facts.Name != "" {
		s.d.Logger.DebugContext(ctx, "name of the computer's account not linked", "user_id", int64(user.ID), "reason", why)
	}
	return ""
}

// proposal makes the name to link, or says why there is none.
func (s *Service) proposal(a Attempt, user core.User) (users.Proposal, string) {
	f := a.Facts
	domain := strings.TrimSpace(f.Domain)
	if domain == "" {
		domain = f.JoinDomain
	}
	if d, ok := s.ways.Load().rules.DomainNamed(domain); ok && d.NetBIOS != "" {
		domain = d.NetBIOS
	}
	folded, err := auth.Canon(f.Name)
	switch {
	case s.d.Link == LinkOff:
		return users.Proposal{}, "linking is off"
	case a.Shared:
		return users.Proposal{}, "many people use the computer"
	case f.Kind != usermap.KindDomain:
		return users.Proposal{}, "it is not an account of a domain"
	case err != nil || s.generic[string(folded)] || strings.HasSuffix(f.SID, "-500") || strings.HasSuffix(f.SID, "-501"):
		return users.Proposal{}, "it is an account that many people use"
	case domain == "" || usermap.IsComputer(domain, f.Hostname):
		return users.Proposal{}, "its domain is not known"
	}
	return users.Proposal{User: user.ID, Name: strings.TrimSpace(f.Name), Domain: domain}, ""
}

// withoutIDs leaves what the account is called.
func withoutIDs(f usermap.Facts) usermap.Facts {
	f.SID, f.UPN = "", ""
	return f
}
