package deviceauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// How long tokens last, and how fast machines may come by them.
const (
	DefaultTokenLife = 72 * time.Hour
	LongestToken     = 30 * 24 * time.Hour  // of a token with a number of uses
	LongestCampaign  = 400 * 24 * time.Hour // of a campaign
	DefaultPerHour   = 100                  // of a campaign
	mostUses         = 100_000
)

// NewToken is what an administrator wants of an enrolment token.
type NewToken struct {
	Group       string        // of the machines; "" for the default group
	Uses        int           // 0 means 1, or any number for a campaign
	Life        time.Duration // 0 means DefaultTokenLife
	Networks    string        // where the machines must come from, separated by commas; a campaign needs some
	Campaign    bool          // for months, and for one group and network
	PerHour     int           // how many an hour; 0 means DefaultPerHour for a campaign, else any number
	Description string
}

// CreateToken makes an enrolment token. The secret is in clear only here. Errors: core.ErrInvalid with what to write instead.
func (s *Service) CreateToken(ctx context.Context, actor string, n NewToken) (core.EnrolmentToken, secret.String, error) {
	t, err := s.token(n)
	if err != nil {
		return core.EnrolmentToken{}, secret.String{}, fmt.Errorf("create an enrolment token: %w", err)
	}
	text := secret.New(api.EnrolmentSecretPrefix + newID())
	t.ID, t.SecretHash, t.CreatedBy = newID()[:8], sha256.Sum256([]byte(text.Reveal())), actor
	err = s.o.Store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.CreateEnrolmentToken(ctx, t), tx.AppendAudit(ctx, core.AuditEvent{
			At: t.CreatedAt, Actor: actor, Action: "enrolment.create", Target: "enrolment:" + t.ID, Detail: fmt.Sprintf("uses %d, campaign %v", t.Uses, t.Campaign),
		}))
	})
	if err != nil {
		return core.EnrolmentToken{}, secret.String{}, fmt.Errorf("create an enrolment token: %w", err)
	}
	t.SecretHash = [32]byte{}
	return t, text, nil
}

func (s *Service) token(n NewToken) (core.EnrolmentToken, error) {
	group, ok := s.o.Groups.Get(n.Group)
	networks, err := parseNetworks(n.Networks)
	longest := LongestToken
	if n.Campaign {
		longest = LongestCampaign
	}
	if n.Life == 0 {
		n.Life = DefaultTokenLife
	}
	invalid := func(format string, args ...any) (core.EnrolmentToken, error) {
		return core.EnrolmentToken{}, fmt.Errorf("%w: %s", core.ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch {
	case !ok:
		return invalid("there is no group %q in device_groups; there are %s", n.Group, strings.Join(s.o.Groups.Names(), ", "))
	case err != nil:
		return core.EnrolmentToken{}, err
	case n.Life < time.Minute || n.Life > longest:
		return invalid("a token lasts from a minute to %d days", longest/(24*time.Hour))
	case n.Campaign && n.Group == "":
		return invalid("a campaign is for one group: name it")
	case n.Campaign && len(networks) == 0:
		return invalid("a campaign is for one network or some: name them")
	case n.Uses < 0 || n.Uses > mostUses:
		return invalid("a token is good for 1 to %d machines", mostUses)
	case n.PerHour < 0 || n.PerHour > mostUses:
		return invalid("1 to %d machines an hour", mostUses)
	case len(n.Description) > 200 || strings.ContainsFunc(n.Description, isControl):
		return invalid("the description has at most 200 bytes")
	}
	if n.Campaign && n.PerHour == 0 {
		n.PerHour = DefaultPerHour
	}
	if !n.Campaign && n.Uses == 0 {
		n.Uses = 1
	}
	now := s.o.Clock()
	return core.EnrolmentToken{
		Group: group.Name, Networks: networksText(networks), Campaign: n.Campaign, Uses: n.Uses, PerHour: n.PerHour, CreatedAt: now,
		ExpiresAt: now.Add(n.Life), Description: n.Description,
	}, nil
}

func networksText(list []netip.Prefix) string {
	var texts []string
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

// usable tells whether one more machine from there may enrol by the token, and counts it if so.
func (s *Service) usable(t *core.EnrolmentToken, from netip.Addr) bool {
	now := s.o.Clock()
	networks, err := parseNetworks(t.Networks)
	if err != nil || !within(networks, from) || !t.RevokedAt.IsZero() || !now.Before(t.ExpiresAt) || usedUp(*t) {
		return false
	}
	if t.HourFrom.IsZero() || !now.Before(t.HourFrom.Add(time.Hour)) || t.HourFrom.After(now) {
		t.HourFrom, t.HourUsed = now, 0
	}
	if t.PerHour > 0 && t.HourUsed >= t.PerHour {
		return false
	}
	t.Used++
	t.HourUsed++
	t.LastUsedAt = now
	return true
}

// usedUp tells that as many machines enrolled as may. A campaign may be without a number.
func usedUp(t core.EnrolmentToken) bool { return t.Used >= t.Uses && (t.Uses > 0 || !t.Campaign) }

// Tokens lists the enrolment tokens, the newest first, without the hashes of their secrets.
func (s *Service) Tokens(ctx context.Context) ([]core.EnrolmentToken, error) {
	var list []core.EnrolmentToken
	err := s.o.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.EnrolmentTokens(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list enrolment tokens: %w", err)
	}
	for i := range list {
		list[i].SecretHash = [32]byte{}
	}
	return list, nil
}

// TokenState says in a word how a token stands: "usable", "used up", "expired" or "revoked".
func (s *Service) TokenState(t core.EnrolmentToken) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !s.o.Clock().Before(t.ExpiresAt):
		return "expired"
	case usedUp(t):
		return "used up"
	}
	return "usable"
}

// RevokeToken ends a token; machines that came by it stay. core.ErrNotFound for an unknown one.
func (s *Service) RevokeToken(ctx context.Context, actor, id string) error {
	now := s.o.Clock()
	err := s.o.Store.Update(ctx, func(tx store.Tx) error {
		t, err := tx.EnrolmentToken(ctx, id)
		if err != nil || !t.RevokedAt.IsZero() {
			return err
		}
		t.RevokedAt = now
		return errors.Join(tx.UpdateEnrolmentToken(ctx, t), tx.AppendAudit(ctx, core.AuditEvent{
			At: now, Actor: actor, Action: "enrolment.revoke", Target: "enrolment:" + id,
		}))
	})
	if errors.Is(err, core.ErrNotFound) {
		return fmt.Errorf("%w: there is no enrolment token %q; platen-server enrolment list has them", core.ErrNotFound, id)
	}
	if err != nil {
		return fmt.Errorf("revoke enrolment token %s: %w", id, err)
	}
	return nil
}
