package ldap

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
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
	attrLanguage    = "language"
	attrEmployeeID  = "employee_id"
	attrCard        = "card"
	attrCode        = "code"
	attrPIN         = "pin"
)

func attributeKeys() []string {
	return []string{
		attrKey, attrUPN, attrSAM, attrNickname, attrEmail, attrAliases, attrDisplayName, attrDepartment, attrOffice, attrLanguage, attrEmployeeID,
		attrCard, attrCode, attrPIN,
	}
}

// validAttribute tells whether a name can be that of an attribute (RFC 4512 section 2.5, also an OID); empty: not read.
func validAttribute(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;_") == ""
}

// Attributes read beside the configurable ones.
const (
	attributeGUID          = "objectGUID"
	attributeEntryUUID     = "entryUUID"
	attributeSID           = "objectSid"
	attributeUAC           = "userAccountControl"
	attributeExpires       = "accountExpires"
	attributePrimaryGroup  = "primaryGroupID"
	attributeGIDNumber     = "gidNumber" // posix
	attributeUID           = "uid"
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
	guid     bool                // the id is an objectGUID
	unique   bool                // the server itself sees to it that no two entries have one id
	names    map[string][]string // of attributes, by the keys above
	filter   string
	username directory.UsernameRule
	domain   string            // for all, when configured
	domains  map[string]string // Active Directory: naming context, in lower case -> NetBIOS name
	now      time.Time

	digest hash.Hash // for fingerprint
	salt   []byte    // made with the first fingerprint: domains are known by then
}

// newMapping chooses what to read. product is never ProductAuto.
func newMapping(cfg Config, product Product, now time.Time) *mapping {
	m := &mapping{
		keyKind: core.IdentityEntryUUID, username: cfg.Username, domain: cfg.Domain, now: now, digest: sha256.New(),
		filter: "(&(|(objectClass=inetOrgPerson)(objectClass=posixAccount))(uid=*))",
		names: map[string][]string{
			attrKey: {attributeEntryUUID}, attrSAM: {attributeUID}, attrEmail: {"mail"}, attrDisplayName: {"displayName", attributeCommonName},
			attrDepartment: {"ou"}, attrOffice: {"physicalDeliveryOfficeName"}, attrLanguage: {"preferredLanguage"}, attrEmployeeID: {"employeeNumber"},
		},
	}
	if product == ProductAD || product == ProductEntraDS {
		m.ad, m.keyKind = true, core.IdentityObjectGUID
		// Built-in accounts (krbtgt, Guest, Administrator) are critical system objects, and no people.
		m.filter = "(&(objectCategory=person)(objectClass=user)(sAMAccountName=*)(!(isCriticalSystemObject=TRUE)))"
		m.names = map[string][]string{
			attrKey: {attributeGUID}, attrUPN: {"userPrincipalName"}, attrSAM: {"sAMAccountName"}, attrNickname: {"mailNickname"}, attrEmail: {"mail"},
			attrDisplayName: {"displayName"}, attrDepartment: {"department"}, attrOffice: {"physicalDeliveryOfficeName"},
			attrLanguage: {"preferredLanguage"}, attrEmployeeID: {"employeeID"},
		}
	}
	if cfg.Filter != "" {
		m.filter = cfg.Filter
	}
	for key, names := range cfg.Attributes {
		m.names[key] = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	}
	m.guid = strings.EqualFold(m.keyName(), attributeGUID)
	m.unique = m.guid || strings.EqualFold(m.keyName(), attributeEntryUUID)
	switch {
	case cfg.Username != directory.UsernameAuto:
	case product == ProductAD && cfg.UPNAsUsername != nil && *cfg.UPNAsUsername:
		m.username = directory.UsernameUPN
	case product == ProductAD && cfg.UPNAsUsername != nil, product == ProductEntraDS:
		m.username = directory.UsernameSAM
	}
	return m
}

// keyName is the attribute of the immutable id, "" when there is none: then no entry has one, and the check says so.
func (m *mapping) keyName() string {
	if names := m.names[attrKey]; len(names) > 0 {
		return names[0]
	}
	return ""
}

// attributes lists what to ask for.
func (m *mapping) attributes() []string {
	list := slices.Concat(slices.Collect(maps.Values(m.names))...)
	if m.ad {
		list = append(list, attributeSID, attributeUAC, attributeExpires, attributePrimaryGroup)
	} else {
		list = append(list, attributeGIDNumber, attributeUID, attributeLockedTime, attributeNSAccountLock, attributeShadowExpire)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mappingVersion is part of every fingerprint. It must change whenever record makes something else of an entry.
const mappingVersion = 1

// salted returns what every fingerprint begins with: all that decides what becomes of an entry, but the entry.
func (m *mapping) salted() []byte {
	if m.salt == nil {
		text := fmt.Appendf(nil, "%d %t %q %q %q %q", mappingVersion, m.ad, m.keyKind, m.names, m.username, m.domain)
		for _, context := range slices.Sorted(maps.Keys(m.domains)) {
			text = fmt.Appendf(text, " %q=%q", context, m.domains[context])
		}
		sum := sha256.Sum256(text)
		m.salt = sum[:]
	}
	return m.salt
}

// fingerprint is that of an entry. Whether somebody is disabled may change with time alone, so it is part of it.
func (m *mapping) fingerprint(e *wire.Entry) (f directory.Fingerprint) {
	m.digest.Reset()
	m.digest.Write(m.salted())
	state := []byte{0}
	if m.disabled(e) {
		state[0] = 1
	}
	m.digest.Write(state)
	m.digest.Write(e.Raw())
	var sum [sha256.Size]byte
	copy(f[:], m.digest.Sum(sum[:0]))
	return f
}
