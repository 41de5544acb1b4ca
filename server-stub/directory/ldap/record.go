package ldap

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// record turns an entry into a record. A record without a readable id has no Key; dirsync reports it.
func (m *mapping) record(e *wire.Entry) directory.Record {
	dn := string(e.DN)
	r := directory.Record{
		Key: m.key(e), KeyKind: m.keyKind, Locator: dn, Where: dn,
		UPN: m.text(e, attrUPN), SAM: m.text(e, attrSAM), Nickname: m.text(e, attrNickname), Email: m.text(e, attrEmail),
		DisplayName: m.text(e, attrDisplayName), Department: m.text(e, attrDepartment), Office: m.text(e, attrOffice),
		Language: language(m.text(e, attrLanguage)), EmployeeID: m.text(e, attrEmployeeID),
	}
	if r.SAM != "" {
		r.Domain = m.domainOf(dn)
	}
	r.Aliases = m.aliases(e)
	if m.ad {
		if sid, err := sidText(e.Value(attributeSID)); err == nil {
			r.SID = sid
		}
	}
	r.Disabled = m.disabled(e)
	r.Username = m.username.Choose(r)
	m.credentials(e, &r)
	return r
}

// credentials reads cards, code and PIN, for those that have an attribute.
func (m *mapping) credentials(e *wire.Entry, r *directory.Record) {
	if names := m.names[attrCard]; len(names) > 0 {
		r.Credentials = append(r.Credentials, core.CredentialCard)
		for _, name := range names {
			for value := range e.Values(name) {
				card := secret.New(string(bytes.TrimSpace(value)))
				if !card.Empty() && !slices.ContainsFunc(r.Cards, card.Equal) {
					r.Cards = append(r.Cards, card)
				}
			}
		}
	}
	if len(m.names[attrCode]) > 0 {
		r.Credentials, r.AccessCode = append(r.Credentials, core.CredentialCode), secret.New(m.text(e, attrCode))
	}
	if len(m.names[attrPIN]) > 0 {
		r.Credentials, r.PIN = append(r.Credentials, core.CredentialPIN), secret.New(m.text(e, attrPIN))
	}
}

// text is the first value there is of the attributes of a key.
func (m *mapping) text(e *wire.Entry, key string) string {
	for _, name := range m.names[key] {
		if value := bytes.TrimSpace(e.Value(name)); len(value) > 0 {
			return string(value)
		}
	}
	return ""
}

// key reads the immutable id. Only objectGUID is binary; a configured attribute of another name is taken as text.
func (m *mapping) key(e *wire.Entry) string {
	value := e.Value(m.keyName())
	if !m.guid {
		return string(bytes.ToLower(bytes.TrimSpace(value)))
	}
	guid, err := guidText(value)
	if err != nil {
		return ""
	}
	return guid
}

// keyFilter finds the entry of an id.
func (m *mapping) keyFilter(key string) (string, error) {
	name := m.keyName()
	if m.guid {
		raw, err := guidBytes(key)
		if err != nil {
			return "", err
		}
		return equal(name, string(raw)), nil
	}
	if m.unique {
		if _, err := uuidBytes(key); err != nil {
			return "", err
		}
	}
	return equal(name, key), nil
}

// aliases are the further short names of a person with several, and the mail addresses of the configured attributes
// ("smtp:" in front of them, as in proxyAddresses, is left out; addresses of other kinds are no names).
func (m *mapping) aliases(e *wire.Entry) []string {
	var out []string
	short := false // the first is the short name itself
	for _, name := range m.names[attrSAM] {
		for value := range e.Values(name) {
			if short {
				out = append(out, string(bytes.TrimSpace(value)))
			}
			short = true
		}
	}
	for _, name := range m.names[attrAliases] {
		for value := range e.Values(name) {
			kind, address, typed := strings.Cut(string(value), ":")
			switch {
			case !typed:
				out = append(out, kind)
			case strings.EqualFold(kind, "smtp"):
				out = append(out, address)
			}
		}
	}
	return out
}

// domainOf returns the NetBIOS domain of an entry: the configured one, or that of the longest naming context it is in.
func (m *mapping) domainOf(dn string) string {
	if m.domain != "" || len(m.domains) == 0 {
		return m.domain
	}
	lower := strings.ToLower(dn)
	domain, longest := "", 0
	for context, name := range m.domains {
		if len(context) > longest && strings.HasSuffix(lower, ","+context) {
			domain, longest = name, len(context)
		}
	}
	return domain
}

func (m *mapping) disabled(e *wire.Entry) bool {
	if m.ad {
		uac, err := strconv.ParseInt(e.Text(attributeUAC), 10, 64)
		return err == nil && uac&accountDisabled != 0 || m.expired(e.Text(attributeExpires))
	}
	if days, err := strconv.ParseInt(e.Text(attributeShadowExpire), 10, 32); err == nil && days > 0 && !time.Unix(days*24*60*60, 0).After(m.now) {
		return true
	}
	return e.Text(attributeLockedTime) == lockedForGood || strings.EqualFold(e.Text(attributeNSAccountLock), "true")
}

// expired reads accountExpires: hundreds of nanoseconds since 1601, where 0 and the greatest value mean never.
func (m *mapping) expired(text string) bool {
	at, ok := windowsTime(text)
	return ok && !at.After(m.now)
}

// windowsTime reads a time of Active Directory, false for never and for what is none.
func windowsTime(text string) (time.Time, bool) {
	const never, unixEpoch, perSecond = 0x7fffffffffffffff, 11_644_473_600, 10_000_000
	ticks, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ticks <= 0 || ticks == never {
		return time.Time{}, false
	}
	return time.Unix(ticks/perSecond-unixEpoch, 0), true
}

// language takes the first of preferredLanguage, which may be a list with weights as in HTTP (RFC 2798 section 2.7).
func language(text string) string {
	first, _, _ := strings.Cut(text, ",")
	first, _, _ = strings.Cut(first, ";")
	first = strings.TrimSpace(first)
	if len(first) > 35 || strings.Trim(first, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return ""
	}
	return first
}
