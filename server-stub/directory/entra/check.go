package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// The application permissions of Microsoft Graph that are needed: the least that do.
const (
	permissionUsers        = "User.Read.All"
	permissionGroups       = "GroupMember.Read.All"
	permissionApplications = "Application.Read.All" // only to read when the client secret ends
)

// wider are permissions that include one of ours.
var wider = map[string][]string{
	permissionUsers:  {"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	permissionGroups: {"GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
}

// portal is the address of the admin centre of a cloud.
func (c Cloud) portal() string {
	switch c {
	case CloudUSGov, CloudUSDoD:
		return "https://entra.microsoft.us"
	case CloudChina:
		return "https://entra.microsoftonline.cn"
	case CloudGlobal:
	}
	return "https://entra.microsoft.com"
}

// grantPage is the page of the application's permissions.
func (s *Source) grantPage() string {
	return s.cfg.Cloud.portal() + "/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/" + s.cfg.ClientID + "/isMSAApp~/false"
}

// grant tells how to give the application what it lacks.
func (s *Source) grant(permissions ...string) string {
	what, it, name := "application permission "+permissions[0], "it", "that name"
	if n := len(permissions); n > 1 {
		what, it, name = "application permissions "+strings.Join(permissions[:n-1], ", ")+" and "+permissions[n-1], "them", "these names"
	}
	text := fmt.Sprintf("the application lacks the %s: add %s (not the delegated one of %s) and let an administrator consent, both at %s", what, it, name, s.grantPage())
	if slices.Contains(permissions, permissionGroups) {
		text += "; or write read_groups: no when groups are not wanted"
	}
	return text
}

// missing are those permissions that the application's token does not name; nil where it cannot be read. Nothing is allowed or
// refused by that: it makes an error more exact.
func missing(token string, needed []string) []string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(needed), func(permission string) bool {
		return slices.ContainsFunc(claims.Roles, func(role string) bool {
			return role == permission || slices.Contains(wider[permission], role)
		})
	})
}

// denied makes an error of a check exact: where Graph refuses for a permission it names all that are missing.
func (se *session) denied(ctx context.Context, err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok || f.permission == "" {
		return se.s.unavailable(err)
	}
	token, tokenErr := se.s.token(ctx, se.credential)
	if lacking := missing(token, se.s.needed()); tokenErr == nil && len(lacking) > 0 {
		if !slices.Contains(lacking, f.permission) { // the token says otherwise, but Graph decides
			lacking = append(lacking, f.permission)
		}
		f.remedy = se.s.grant(lacking...)
	}
	return se.s.unavailable(err)
}

// needed are the permissions without which nothing is read.
func (s *Source) needed() []string {
	if s.cfg.NoGroups {
		return []string{permissionUsers}
	}
	return []string{permissionUsers, permissionGroups}
}

// soon is how long before its end something is told about.
const soon = 60 * 24 * time.Hour

// checkSize is how many people Check looks at.
const checkSize = 25

// Check implements directory.Source.
func (s *Source) Check(ctx context.Context) (string, error) {
	se, err := s.open(checkTries)
	if err != nil {
		return "", err
	}
	p, err := se.page(ctx, question{step: stepPeople, permission: permissionUsers, address: s.first(checkSize)})
	if err != nil {
		return "", se.denied(ctx, err)
	}
	text := fmt.Sprintf("the tenant %s lets the application %s read its people", s.cfg.Tenant, s.cfg.ClientID)
	about, err := s.look(p)
	if err != nil {
		return "", err
	}
	if !s.cfg.NoGroups {
		q := question{step: stepGroups, permission: permissionGroups, address: s.graph.String() + "/v1.0/groups?$top=1&$select=id"}
		if _, err := se.page(ctx, q); err != nil {
			return "", se.denied(ctx, err)
		}
		text += " and groups"
	}
	text += about
	if c := se.credential.certificate; c != nil {
		text += "; its certificate expires on " + c.NotAfter.UTC().Format(time.DateOnly)
		if c.NotAfter.Sub(s.now()) < soon {
			text += ", so renew it soon"
		}
	}
	return text, nil
}

// look tells what stands out among some people.
func (s *Source) look(p *page) (string, error) {
	named, short, homeless, carded := 0, 0, 0, 0
	for _, raw := range p.rows {
		var u user
		if err := json.Unmarshal(raw, &u); err != nil {
			return "", s.unavailable(spoilt(stepPeople, err))
		}
		if u.Removed != nil || !s.cfg.Guests && strings.EqualFold(u.Type, guest) {
			continue
		}
		if err := s.readable(u, stepPeople); err != nil {
			return "", err
		}
		r, err := s.record(u, raw)
		if err != nil {
			return "", s.unavailable(spoilt(stepPeople, err))
		}
		if r.Username != "" {
			named++
		}
		if len(r.Cards) > 0 {
			carded++
		}
		if r.SAM != "" {
			short++
			if r.Domain == "" {
				homeless++
			}
		}
	}
	if named == 0 {
		return "", s.errorf("%w: among the first %d accounts nobody has the name that username asks for: choose upn, nickname, sam, mail or auto, and guests: yes for a tenant of guests",
			core.ErrInvalid, len(p.rows))
	}
	text := ""
	if homeless > 0 {
		text += fmt.Sprintf("; %d of %d short names stand in no NetBIOS domain, so set domain or netbios_domains", homeless, short)
	}
	if len(s.cards) > 0 {
		text += fmt.Sprintf("; %d of the first %d people have a card number in %s", carded, named, strings.Join(s.cards, ", "))
	}
	return text, nil
}
