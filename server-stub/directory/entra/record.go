package entra

import (
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// guest is the userType of people of other tenants.
const guest = "Guest"

// record turns a user into a record. Somebody without a readable id has no Key; dirsync reports them.
func (s *Source) record(u user) directory.Record {
	r := directory.Record{
		KeyKind: core.IdentityEntraOID, Where: strings.TrimSpace(u.UPN), UPN: strings.TrimSpace(u.UPN), SAM: strings.TrimSpace(u.SAM), Nickname: strings.TrimSpace(u.Nickname),
		Email: strings.TrimSpace(u.Mail), Aliases: aliases(u), DisplayName: u.DisplayName, Department: u.Department, Office: u.Office,
		Disabled: u.Enabled == nil || !*u.Enabled,
	}
	if guid.MatchString(u.ID) {
		r.Key = s.cfg.Tenant + "/" + strings.ToLower(u.ID)
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
	r.Username = s.cfg.Username.Choose(r)
	return r
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
