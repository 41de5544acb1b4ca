package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// IdentitySubject is a provider's "issuer subject".
const IdentitySubject core.IdentityKind = "sub"

// The errors of Person beside core.ErrAmbiguous, core.ErrDisabled and the store's. All are core.ErrForbidden: whoever gets
// them has proven who they are.
var (
	// ErrNoAccount: there is nobody for whom the provider could speak.
	ErrNoAccount = fmt.Errorf("%w: the identity provider's account belongs to nobody here", core.ErrForbidden)
	// ErrOtherPerson: somebody has the name, but is known to the provider as somebody else.
	ErrOtherPerson = fmt.Errorf("%w: the name is that of another person", ErrNoAccount)
	// ErrHasRole: the name is that of a local account with a role. Names are given by whoever runs the provider, and roles are not
	// theirs to take.
	ErrHasRole = fmt.Errorf("%w: the name is that of a local account with a role", ErrNoAccount)
)

// Claims is what an identity provider has proven.
type Claims struct {
	Provider string // its id in the configuration
	Issuer   string
	Subject  string

	// Of Microsoft Entra ID only.
	TenantID string
	ObjectID string
	SID      string // what Active Directory calls the person, for those synchronised from there
	UPN      string // for other providers: preferred_username
	Guest    bool   // the account is another tenant's, or a private one

	Email         string
	EmailVerified bool
	Name          string // as people call them

	MFA      bool // more than one factor was used, as the provider says
	AuthTime time.Time
}

// Match says by which name somebody is found the first time.
type Match string

// The ways of matching.
const (
	MatchNone     Match = "none"
	MatchUPN      Match = "upn"      // the exact UPN or username, by Claims.UPN
	MatchEmail    Match = "email"    // the exact e-mail address, if it is verified
	MatchUsername Match = "username" // as MatchUPN, for providers that are not Microsoft
)

// Policy says what one provider's word is good for.
type Policy struct {
	Provider string
	Tenant   string // the one Entra tenant whose ids are believed, lower case; "" for other providers
	Match    Match
	Create   bool          // whoever is proven and not here gets an account
	Domains  []string      // folded; the names it may speak for, any when empty
	Source   core.SourceID // the directory whose people they are: nobody else is found by a name. "" for anybody
}

// SourceID is the source of the identities that the provider gives, and of the people it creates.
func (p Policy) SourceID() core.SourceID { return core.SourceID("idp:" + p.Provider) }

// Deps is what a Service needs.
type Deps struct {
	Store    store.Store
	Clock    clock.Clock
	Logger   *slog.Logger
	Policies []Policy
}

// Service finds people by claims. Safe for concurrent use.
type Service struct {
	d        Deps
	policies map[string]Policy
	refusals *refusals
}

// New returns a Service.
func New(d Deps) *Service {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{d: d, policies: map[string]Policy{}, refusals: newRefusals()}
	for _, p := range d.Policies {
		s.policies[p.Provider] = p
	}
	return s
}

// Person returns who it is. Errors: ErrNoAccount, ErrOtherPerson, ErrHasRole, core.ErrAmbiguous, core.ErrDisabled, core.ErrForbidden for claims
// that the configuration does not allow, and the store's. The texts are for the log.
func (s *Service) Person(ctx context.Context, c Claims) (core.User, error) {
	p, ok := s.policies[c.Provider]
	if !ok {
		return core.User{}, fmt.Errorf("find the person of a sign-in: %w: there is no identity provider %q", core.ErrForbidden, c.Provider)
	}
	ids := p.ids(c)
	if len(ids) == 0 {
		return core.User{}, fmt.Errorf("find the person of a sign-in at %s: %w: it names nobody by an id that is believed", c.Provider, core.ErrForbidden)
	}
	var u core.User
	found := false
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		u, found, err = lookUp(ctx, tx, p, ids)
		return err
	})
	if err == nil && !found {
		err = s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
			u, err = s.first(ctx, tx, p, c, ids)
			return err
		})
	}
	if err == nil && !u.Active() {
		err = core.ErrDisabled
	}
	if err != nil {
		s.refused(ctx, c, ids[0], err)
		return core.User{}, fmt.Errorf("find the person of a sign-in at %s: %w", c.Provider, err)
	}
	return u, nil
}

// identity is one immutable id of the claims.
type identity struct {
	kind     core.IdentityKind
	id       string
	anywhere bool // whichever source knows it; else only the provider's own
}

// ids returns what of the claims identifies somebody, the strongest first: it is what a link is made with.
func (p Policy) ids(c Claims) []identity {
	var list []identity
	ours := p.Tenant != "" && strings.EqualFold(c.TenantID, p.Tenant)
	if p.Tenant != "" && !ours {
		return nil
	}
	if ours && c.ObjectID != "" {
		list = append(list, identity{core.IdentityEntraOID, strings.ToLower(c.TenantID) + "/" + strings.ToLower(c.ObjectID), true})
	}
	if ours && c.ObjectID == "" {
		return nil
	}
	if c.Issuer == "" || c.Subject == "" || len(c.Issuer)+len(c.Subject) > 1000 {
		return list
	}
	// The subject of an Entra token is different for each application, so it says nothing that the object id does not.
	if !ours {
		list = append(list, identity{IdentitySubject, c.Issuer + " " + c.Subject, false})
	}
	if sid := strings.ToUpper(c.SID); ours && !c.Guest && auth.DomainSID(sid) {
		list = append(list, identity{core.IdentitySID, sid, true})
	}
	return list
}

// owners returns whom an id leads to.
func (p Policy) owners(ctx context.Context, tx store.Tx, id identity) ([]core.UserID, error) {
	if id.anywhere {
		return tx.OwnersByID(ctx, id.kind, id.id)
	}
	owner, err := tx.IdentityOwner(ctx, p.SourceID(), id.kind, id.id)
	if errors.Is(err, core.ErrNotFound) {
		return nil, nil
	}
	return []core.UserID{owner}, err
}

// lookUp finds the person by ids. It is not found for somebody whom only a SID leads to and who is not linked yet: that is
// the business of first.
func lookUp(ctx context.Context, tx store.Tx, p Policy, ids []identity) (core.User, bool, error) {
	people, strong, err := everybody(ctx, tx, p, ids)
	switch {
	case err != nil:
		return core.User{}, false, err
	case len(people) > 1:
		return core.User{}, false, fmt.Errorf("%w: its ids belong to the users %v", core.ErrAmbiguous, people)
	case len(people) == 0 || !strong:
		return core.User{}, false, nil
	}
	u, err := tx.User(ctx, people[0])
	return u, err == nil, err
}

// everybody returns all people whom the ids lead to, and whether the first and strongest id leads to somebody.
func everybody(ctx context.Context, tx store.Tx, p Policy, ids []identity) (people []core.UserID, strong bool, err error) {
	for i, id := range ids {
		owners, err := p.owners(ctx, tx, id)
		if err != nil {
			return nil, false, err
		}
		strong = strong || i == 0 && len(owners) > 0
		people = append(people, owners...)
	}
	slices.Sort(people)
	return slices.Compact(people), strong, nil
}

// first is for somebody who has not signed in by this provider before.
func (s *Service) first(ctx context.Context, tx store.Tx, p Policy, c Claims, ids []identity) (core.User, error) {
	u, found, err := lookUp(ctx, tx, p, ids)
	if err != nil || found {
		return u, err // somebody was faster
	}
	people, _, err := everybody(ctx, tx, p, ids)
	if err != nil {
		return core.User{}, err
	}
	how := "sid"
	if len(people) == 0 {
		how = string(p.Match)
		if people, err = s.byName(ctx, tx, p, c); err != nil {
			return core.User{}, err
		}
	}
	if len(people) == 0 {
		return s.create(ctx, tx, p, c, ids)
	}
	if u, err = tx.User(ctx, people[0]); err != nil {
		return core.User{}, err
	}
	if !u.Active() {
		return u, nil // Person says so; nothing is linked
	}
	if err := samePerson(ctx, tx, p, u, ids); err != nil {
		return core.User{}, err
	}
	return u, s.link(ctx, tx, p, u, ids, "identity.link", how)
}

// samePerson refuses somebody who is known by another id where one of these ids comes from.
func samePerson(ctx context.Context, tx store.Tx, p Policy, u core.User, ids []identity) error {
	have, err := tx.UserIdentities(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		for _, e := range have {
			switch {
			case e.Kind != id.kind || strings.EqualFold(e.ImmutableID, id.id):
			case id.kind == core.IdentityEntraOID && !strings.HasPrefix(strings.ToLower(e.ImmutableID), p.Tenant+"/"): // of another tenant
			case !id.anywhere && e.Source != p.SourceID(): // of another provider
			default:
				return fmt.Errorf("%w: user %d has another %s", ErrOtherPerson, u.ID, id.kind)
			}
		}
	}
	return nil
}

// link ties the strongest id to the person for good.
func (s *Service) link(ctx context.Context, tx store.Tx, p Policy, u core.User, ids []identity, action, detail string) error {
	err := tx.PutIdentity(ctx, core.ExternalIdentity{UserID: u.ID, Source: p.SourceID(), Kind: ids[0].kind, ImmutableID: ids[0].id})
	if err != nil {
		return err
	}
	return tx.AppendAudit(ctx, core.AuditEvent{At: s.d.Clock(), Actor: string(p.SourceID()), Action: action, Target: fmt.Sprintf("user:%d", u.ID), Detail: detail})
}
