package deviceauth

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// reason says why a device may not vouch for an account. Only the audit log and the server's log have it.
type reason string

const (
	becauseGroup     reason = "group_not_configured"
	becauseOff       reason = "method_off"
	becauseNetwork   reason = "network"
	becauseShared    reason = "shared_account"
	becauseLocal     reason = "not_a_directory_account"
	becauseUnknown   reason = "unknown"
	becauseAmbiguous reason = "ambiguous"
	becauseDisabled  reason = "disabled"
	becauseDomain    reason = "domain"
	becausePerson    reason = "user"
	becauseMany      reason = "users_per_day"
)

// vouch finds whom the account belongs to, and says why the device may not vouch for them, if it may not. Otherwise it notes that
// it did.
func (s *Service) vouch(ctx context.Context, tx store.Tx, d core.Device, f usermap.Facts, from netip.Addr) (core.UserID, reason, error) {
	group, ok := s.o.Groups.Get(d.Group)
	switch {
	case !ok:
		return 0, becauseGroup, nil
	case !s.offersTrust(group):
		return 0, becauseOff, nil
	case !group.from(from):
		return 0, becauseNetwork, nil
	case s.isShared(f):
		return 0, becauseShared, nil
	}
	person, listed := "", false
	if f.Kind != usermap.KindDomain && f.Kind != usermap.KindAzureAD {
		if person, listed = group.local(f); !listed {
			return 0, becauseLocal, nil
		}
		// The administrator says whose account it is, by the person's full name and nothing else.
		f = usermap.Facts{Kind: usermap.KindDomain, UPN: person}
	}
	answer, err := names.Find(ctx, tx, names.Query{Context: names.Trust, Attested: true, Facts: f}, *s.rules.Load(), s.o.Clock())
	if err != nil {
		return 0, "", err
	}
	switch answer.Outcome {
	case names.One:
	case names.Ambiguous:
		return 0, becauseAmbiguous, nil
	case names.Disabled:
		return 0, becauseDisabled, nil
	case names.Unknown:
		return 0, becauseUnknown, nil
	}
	if !listed { // else the administrator wrote down who it is
		if ok, err := ofMachines(ctx, tx, answer.User); err != nil || !ok {
			return 0, becauseLocal, err
		}
	}
	if why, err := s.allows(ctx, tx, group, answer.User); err != nil || why != "" {
		return 0, why, err
	}
	if why, err := s.count(ctx, tx, group, d.ID, answer.User); err != nil || why != "" {
		return 0, why, err
	}
	return answer.User, "", nil
}

// ofMachines tells whether the person may be one whom machines log on. People whom only a web provider knows are proven by that
// provider. A local account may stand for somebody of a directory that is not configured here, so it is one; but not the local
// owner or administrator of last resort, who is proven by a password or passkey: a machine that says that name says more than it
// can know.
func ofMachines(ctx context.Context, tx store.Tx, user core.UserID) (bool, error) {
	u, err := tx.User(ctx, user)
	if err != nil {
		return false, err
	}
	web := strings.HasPrefix(string(u.Source), providerSource)
	if !web && u.Source != core.LocalSource {
		return true, nil
	}
	ids, err := tx.UserIdentities(ctx, user)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(ids, func(e core.ExternalIdentity) bool {
		return e.Kind == core.IdentityEntraOID || e.Kind == core.IdentitySID
	}) {
		return true, nil
	}
	if web {
		return false, nil
	}
	held, err := tx.UserRoles(ctx, user)
	return len(held) == 0, err
}

// providerSource begins the source of people whom an identity provider brought (federation.Policy).
const providerSource = "idp:"

// offersTrust tells whether machines of the group may vouch at all.
func (s *Service) offersTrust(g Group) bool {
	modes := g.AuthModes
	if len(modes) == 0 {
		modes = s.o.Modes
	}
	return slices.Contains(modes, api.MethodTrust)
}

// isShared tells that many people use the account: the configuration lists it, or it is Windows' own Administrator or Guest.
func (s *Service) isShared(f usermap.Facts) bool {
	folded, err := auth.Canon(f.Name)
	short, _, _ := strings.Cut(string(folded), "@")
	upn, upnErr := auth.Canon(f.UPN)
	upnShort, _, _ := strings.Cut(string(upn), "@")
	switch {
	case err == nil && (s.shared[string(folded)] || s.shared[short]):
		return true
	case upnErr == nil && (s.shared[string(upn)] || s.shared[upnShort]):
		return true
	}
	return strings.HasSuffix(f.SID, "-500") || strings.HasSuffix(f.SID, "-501")
}

// local tells whose an account of the machine itself is, if the group lists it.
func (g Group) local(f usermap.Facts) (string, bool) {
	if f.Kind != usermap.KindLocal {
		return "", false
	}
	for account, person := range g.LocalAccounts {
		if auth.Same(account, f.Name) {
			return person, true
		}
	}
	return "", false
}

// allows tells whether the group's devices may vouch for the person. It looks at the person's own names, not at what the machine
// says.
func (s *Service) allows(ctx context.Context, tx store.Tx, g Group, user core.UserID) (reason, error) {
	if len(g.Domains) == 0 && len(g.Users) == 0 {
		return "", nil
	}
	list, err := tx.UserNames(ctx, user)
	if err != nil {
		return "", err
	}
	now := s.o.Clock()
	list = slices.DeleteFunc(list, func(n core.LoginName) bool { return !n.ValidTo.IsZero() && !n.ValidTo.After(now) })
	if len(g.Users) > 0 && !slices.ContainsFunc(list, func(n core.LoginName) bool { return named(n, g.Users) }) {
		return becausePerson, nil
	}
	if len(g.Domains) > 0 && !slices.ContainsFunc(list, func(n core.LoginName) bool { return s.ofDomain(n, g.Domains) }) {
		return becauseDomain, nil
	}
	return "", nil
}

// named tells whether the name is one of those listed. E-mail addresses and nicknames name nobody.
func named(n core.LoginName, listed []string) bool {
	text := string(n.Folded)
	switch n.Kind {
	case core.NameUPN, core.NameUsername, core.NameAlias:
	case core.NameSAM:
		text = string(n.Domain) + `\` + text
	case core.NameNickname, core.NameEmail:
		return false
	}
	return slices.ContainsFunc(listed, func(name string) bool { return auth.Same(name, text) })
}

// ofDomain tells whether the name is of one of the domains, by whichever of a domain's names.
func (s *Service) ofDomain(n core.LoginName, domains []string) bool {
	domain := string(n.Domain)
	switch n.Kind {
	case core.NameUPN, core.NameUsername:
		_, domain, _ = strings.Cut(string(n.Folded), "@")
	case core.NameSAM:
	case core.NameAlias, core.NameNickname, core.NameEmail:
		return false
	}
	if domain == "" {
		return false
	}
	own, known := s.rules.Load().DomainNamed(domain)
	return slices.ContainsFunc(domains, func(listed string) bool {
		return auth.Same(listed, domain) || known && own.Is(listed)
	})
}

// count notes whom the device vouches for, unless that were too many different people.
func (s *Service) count(ctx context.Context, tx store.Tx, g Group, device string, user core.UserID) (reason, error) {
	now := s.o.Clock()
	people, err := tx.DeviceUsers(ctx, device, now.Add(-usersWithin))
	if err != nil {
		return "", err
	}
	known := slices.ContainsFunc(people, func(u core.DeviceUser) bool { return u.UserID == user })
	if !known && len(people) >= g.UsersPerDay {
		return becauseMany, nil
	}
	return "", tx.PutDeviceUser(ctx, core.DeviceUser{DeviceID: device, UserID: user, FirstAt: now, LastAt: now})
}

// foldAll makes a set of names.
func foldAll(list []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range list {
		if folded, err := auth.Canon(name); err == nil {
			set[string(folded)] = true
		}
	}
	return set
}
