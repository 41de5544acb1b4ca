package ldap

import (
	"slices"
	"strconv"
	"strings"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// The keys of Config.Attributes.
const (
	attrKey         = "id"
	attrUPN         = "upn"
	attrSAM         = "sam"
	attrNickname    = "nickname"
	attrEmail       = "email"
	attrAliases     = "aliases"
	attrDisplayName = "display_name"
	attrDepartment  = "department"
	attrOffice      = "office"
)

func attributeKeys() []string {
	return []string{attrKey, attrUPN, attrSAM, attrNickname, attrEmail, attrAliases, attrDisplayName, attrDepartment, attrOffice}
}

func validAttributeKey(key string) bool { return slices.Contains(attributeKeys(), key) }

// Attributes read beside the configurable ones.
const (
	attributeSID           = "objectSid"
	attributeUAC           = "userAccountControl"
	attributeExpires       = "accountExpires"
	attributeCommonName    = "cn"
	attributeLockedTime    = "pwdAccountLockedTime" // ppolicy
	attributeNSAccountLock = "nsAccountLock"        // 389 Directory Server, FreeIPA
	attributeShadowExpire  = "shadowExpire"         // posix
	accountDisabled        = 0x2                    // of userAccountControl: ADS_UF_ACCOUNTDISABLE
	lockedForGood          = "000001010000Z"        // of pwdAccountLockedTime: by an administrator
)

// mapping turns entries of one product into records.
type mapping struct {
	ad       bool
	keyKind  core.IdentityKind
	names    map[string]string // of attributes, by the keys above
	filter   string
	username directory.UsernameRule
	domain   string            // for all, when configured
	domains  map[string]string // Active Directory: naming context, in lower case -> NetBIOS name
	now      time.Time
}

// newMapping chooses what to read. product is never ProductAuto.
func newMapping(cfg Config, product Product, now time.Time) *mapping {
	m := &mapping{
		keyKind: core.IdentityEntryUUID, username: cfg.Username, domain: cfg.Domain, now: now,
		filter: "(&(|(objectClass=inetOrgPerson)(objectClass=posixAccount))(uid=*))",
		names: map[string]string{
			attrKey: "entryUUID", attrSAM: "uid", attrEmail: "mail", attrDisplayName: "displayName", attrDepartment: "ou", attrOffice: "physicalDeliveryOfficeName",
		},
	}
	if product == ProductAD || product == ProductEntraDS {
		m.ad, m.keyKind = true, core.IdentityObjectGUID
		// Built-in accounts (krbtgt, Guest, Administrator) are critical system objects, and no people.
		m.filter = "(&(objectCategory=person)(objectClass=user)(sAMAccountName=*)(!(isCriticalSystemObject=TRUE)))"
		m.names = map[string]string{
			attrKey: "objectGUID", attrUPN: "userPrincipalName", attrSAM: "sAMAccountName", attrNickname: "mailNickname", attrEmail: "mail",
			attrDisplayName: "displayName", attrDepartment: "department", attrOffice: "physicalDeliveryOfficeName",
		}
	}
	if cfg.Filter != "" {
		m.filter = cfg.Filter
	}
	for key, name := range cfg.Attributes {
		m.names[key] = name
	}
	switch {
	case cfg.Username != directory.UsernameAuto:
	case product == ProductAD && cfg.UPNAsUsername != nil && *cfg.UPNAsUsername:
		m.username = directory.UsernameUPN
	case product == ProductAD && cfg.UPNAsUsername != nil, product == ProductEntraDS:
		m.username = directory.UsernameSAM
	}
	return m
}

// attributes lists what to ask for.
func (m *mapping) attributes() []string {
	var list []string
	for _, name := range m.names {
		if name != "" {
			list = append(list, name)
		}
	}
	if m.ad {
		list = append(list, attributeSID, attributeUAC, attributeExpires)
	} else {
		list = append(list, attributeCommonName, attributeLockedTime, attributeNSAccountLock, attributeShadowExpire)
	}
	slices.Sort(list)
	return list
}

// record turns an entry into a record. A record without a readable id has no Key; dirsync reports it.
func (m *mapping) record(e *goldap.Entry) directory.Record {
	r := directory.Record{
		KeyKind: m.keyKind, Locator: e.DN, Where: e.DN,
		UPN: m.text(e, attrUPN), SAM: m.text(e, attrSAM), Nickname: m.text(e, attrNickname), Email: m.text(e, attrEmail),
		DisplayName: m.text(e, attrDisplayName), Department: m.text(e, attrDepartment), Office: m.text(e, attrOffice),
	}
	r.Key = m.key(e)
	if r.SAM != "" {
		r.Domain = m.domainOf(e.DN)
	}
	r.Aliases = m.aliases(e)
	if m.ad {
		if sid, err := sidText(e.GetEqualFoldRawAttributeValue(attributeSID)); err == nil {
			r.SID = sid
		}
	} else if r.DisplayName == "" {
		r.DisplayName = e.GetEqualFoldAttributeValue(attributeCommonName)
	}
	r.Disabled = m.disabled(e)
	r.Username = m.username.Choose(r)
	return r
}

func (m *mapping) text(e *goldap.Entry, key string) string {
	if name := m.names[key]; name != "" {
		return strings.TrimSpace(e.GetEqualFoldAttributeValue(name))
	}
	return ""
}

// key reads the immutable id. Only objectGUID is binary; a configured attribute of another name is taken as text.
func (m *mapping) key(e *goldap.Entry) string {
	name := m.names[attrKey]
	if !strings.EqualFold(name, "objectGUID") {
		return strings.ToLower(strings.TrimSpace(e.GetEqualFoldAttributeValue(name)))
	}
	guid, err := guidText(e.GetEqualFoldRawAttributeValue(name))
	if err != nil {
		return ""
	}
	return guid
}

// keyFilter finds the entry of an id.
func (m *mapping) keyFilter(key string) (string, error) {
	name := m.names[attrKey]
	if strings.EqualFold(name, "objectGUID") {
		raw, err := guidBytes(key)
		if err != nil {
			return "", err
		}
		return equal(name, string(raw)), nil
	}
	if strings.EqualFold(name, "entryUUID") {
		if _, err := uuidBytes(key); err != nil {
			return "", err
		}
	}
	return equal(name, key), nil
}

// aliases are the further short names of a person with several, and the mail addresses of the configured attribute
// ("smtp:" in front of them, as in proxyAddresses, is left out; addresses of other kinds are no names).
func (m *mapping) aliases(e *goldap.Entry) []string {
	var out []string
	if values := e.GetEqualFoldAttributeValues(m.names[attrSAM]); len(values) > 1 {
		out = append(out, values[1:]...)
	}
	if name := m.names[attrAliases]; name != "" {
		for _, value := range e.GetEqualFoldAttributeValues(name) {
			kind, address, typed := strings.Cut(value, ":")
			switch {
			case !typed:
				out = append(out, value)
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

func (m *mapping) disabled(e *goldap.Entry) bool {
	if m.ad {
		uac, err := strconv.ParseInt(e.GetEqualFoldAttributeValue(attributeUAC), 10, 64)
		return err == nil && uac&accountDisabled != 0 || m.expired(e.GetEqualFoldAttributeValue(attributeExpires))
	}
	if days, err := strconv.ParseInt(e.GetEqualFoldAttributeValue(attributeShadowExpire), 10, 32); err == nil && days > 0 && !time.Unix(days*24*60*60, 0).After(m.now) {
		return true
	}
	return e.GetEqualFoldAttributeValue(attributeLockedTime) == lockedForGood || strings.EqualFold(e.GetEqualFoldAttributeValue(attributeNSAccountLock), "true")
}

// expired reads accountExpires: hundreds of nanoseconds since 1601, where 0 and the greatest value mean never.
func (m *mapping) expired(text string) bool {
	const never, unixEpoch, perSecond = 0x7fffffffffffffff, 11_644_473_600, 10_000_000
	ticks, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ticks <= 0 || ticks == never {
		return false
	}
	return !time.Unix(ticks/perSecond-unixEpoch, 0).After(m.now)
}
