package entra

import (
	"encoding/json"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// guest is the userType of people of other tenants.
const guest = "Guest"

// record turns a user into a record. Somebody without a readable id has no Key; dirsync reports them. raw is all of the user, for the
// attributes that are configured.
func (s *Source) record(u user, raw json.RawMessage) (directory.Record, error) {
	r := directory.Record{
		KeyKind: core.IdentityEntraOID, Where: strings.TrimSpace(u.UPN), UPN: strings.TrimSpace(u.UPN), SAM: strings.TrimSpace(u.SAM), Nickname: strings.TrimSpace(u.Nickname),
		Email: strings.TrimSpace(u.Mail), Aliases: aliases(u), DisplayName: u.DisplayName, Department: u.Department, Office: u.Office,
		Language: strings.TrimSpace(u.Language), EmployeeID: strings.TrimSpace(u.EmployeeID), OnPremises: objectGUID(u.Immutable),
		Disabled: u.Enabled == nil || !*u.Enabled, Credentials: s.credentials,
	}
	if id, ok := parseGUID(u.ID); ok {
		r.Key = s.key(id).ID
	}
	if r.Where == "" {
		r.Where = u.ID
	}
	if sid := strings.ToUpper(strings.TrimSpace(u.SID)); auth.DomainSID(sid) {
		r.SID = sid
	}
	if r.SAM != "" {
		r.Domain = s.domainOf(u.Domain)
	}
	if len(s.credentials) > 0 {
		var a attributes
		if err := json.Unmarshal(raw, &a); err != nil {
			return r, err
		}
		r.Cards, r.PIN, r.AccessCode = a.secrets(s.cards), a.first(s.pin), a.first(s.code)
	}
	r.Username = s.cfg.Username.Choose(r)
	return r, nil
}

// domainOf returns the NetBIOS name of a domain. Graph tells the DNS name only, and nothing is guessed from that: a wrong
// domain would lead DOMAIN\name to somebody else.
func (s *Source) domainOf(dns string) string {
	if name := s.domains[strings.ToLower(strings.TrimSpace(dns))]; name != "" {
		return name
	}
	return s.cfg.Domain
}

// aliases are the person's mail addresses beside the first one.
func aliases(u user) []string {
	var list []string
	for _, text := range u.Addresses {
		kind, address, ok := strings.Cut(text, ":")
		if ok && strings.EqualFold(kind, "smtp") && address != "" && !strings.EqualFold(address, u.Mail) {
			list = append(list, address)
		}
	}
	return list
}
