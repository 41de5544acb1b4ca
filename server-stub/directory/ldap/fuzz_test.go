package ldap

import (
	"bytes"
	"slices"
	"testing"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// FuzzEntryToRecord makes records of any bytes: never a panic, a key that can be looked up again or none, the same fingerprint
// for the same entry, and groups that hold together.
func FuzzEntryToRecord(f *testing.F) {
	for _, e := range []*wire.Entry{
		entry("CN=A,DC=example,DC=org", map[string][]string{
			"objectGUID": {"0123456789abcdef"}, "objectSid": {"\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\xa0\x65\xcf\x7e\x78\x4b\x9b\x5f\xe7\x7c\x87\x70\x09\x1c\x01\x00"},
			"userAccountControl": {"514"}, "accountExpires": {"9223372036854775807"}, "sAMAccountName": {"a"}, "userPrincipalName": {"a@example.org"},
			"proxyAddresses": {"SMTP:a@example.org", "X500:x"}, "employeeNumber": {"12345", ""}, "preferredLanguage": {"de-CH, en;q=0.5"}, "primaryGroupID": {"513"},
		}),
		entry("cn=g", map[string][]string{"objectGUID": {"fedcba9876543210"}, "member;range=0-1": {"<GUID=04030201-0605-0807-0910-111213141516>;<SID=S-1-5>;CN=A", "<GUID=x>;CN=B"}}),
		entry("uid=a,ou=people", map[string][]string{"entryUUID": {"04030201-0605-0807-0910-111213141516"}, "uid": {"a", "b"}, "pwdAccountLockedTime": {"000001010000Z"}, "shadowExpire": {"1"}}),
		entry("cn=u", map[string][]string{"entryUUID": {"x"}, "uniqueMember": {"uid=a,ou=people#'01'B", "=,+"}, "memberUid": {"A"}, "gidNumber": {"1"}}),
	} {
		f.Add(e.Raw(), true)
		f.Add(e.Raw(), false)
	}
	cfg := Config{Attributes: map[string][]string{"card": {"employeeNumber", "extensionAttribute1"}, "code": {"extensionAttribute2"}, "pin": {"extensionAttribute3"}, "aliases": {"proxyAddresses"}}}
	f.Fuzz(func(t *testing.T, content []byte, ad bool) {
		e, err := wire.ParseEntry(content)
		if err != nil {
			return
		}
		product := ProductOpenLDAP
		if ad {
			product = ProductAD
		}
		m := newMapping(cfg, product, noon)
		r := m.record(e)
		if r.Key != "" {
			filter, err := m.keyFilter(r.Key)
			if ad && (err != nil || filter == "") {
				t.Errorf("the key %q cannot be looked up: %v", r.Key, err)
			}
		}
		if m.fingerprint(e) != m.fingerprint(e.Clone()) {
			t.Error("one entry has two fingerprints")
		}
		if slices.ContainsFunc(r.Cards, secret.String.Empty) {
			t.Error("a card without a number")
		}
		if len(r.Credentials) != 3 || r.KeyKind == "" || !bytes.Equal([]byte(r.Where), e.DN) {
			t.Errorf("%+v", r)
		}
		if ad && r.KeyKind != core.IdentityObjectGUID {
			t.Errorf("kind %q", r.KeyKind)
		}
		ms := newMembers(m)
		ms.uids = true
		if r.Key != "" {
			ms.note(e, r.Key)
			if who, ok := ms.find(attributeMember, append([]byte(nil), e.DN...)); ok && !ms.byGUID() && ms.key(who).ID != r.Key {
				t.Errorf("%q is %q as a member", r.Key, ms.key(who).ID)
			}
		}
		rd := &reader{Source: &Source{cfg: cfg}, se: &session{mapping: m}, members: ms}
		if g, err := rd.groupOf(e); err == nil && (g.Key == (directory.Key{}) || g.from < 0) {
			t.Errorf("%+v", g)
		}
	})
}
