package ldap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// id is an immutable id in 16 bytes: the UUID itself, or a digest of an id of another form. A hundred thousand of them must be held
// to tell who is meant by a DN; as texts they would take ten times as much.
type id [16]byte

// idOf makes an id of a key, and tells whether uuidText makes the key of it again.
func idOf(key string) (who id, isUUID bool) {
	if raw, err := uuidBytes(key); err == nil && key == strings.ToLower(key) {
		return id(raw), true
	}
	return digestOf("id", []byte(key)), false
}

// digestOf is a digest of a name of some kind.
func digestOf(kind string, name []byte) id {
	sum := sha256.Sum256(append([]byte(kind+"\x00"), name...))
	return id(sum[:16])
}

// uuidText is the text of a UUID.
func (i id) uuidText() string {
	var b [36]byte
	hex.Encode(b[:], i[:4])
	hex.Encode(b[9:], i[4:6])
	hex.Encode(b[14:], i[6:8])
	hex.Encode(b[19:], i[8:10])
	hex.Encode(b[24:], i[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// members knows who is meant by the names that groups list their members by. Active Directory gives the objectGUID with each DN, so
// that nothing need be known there but who has which primary group.
type members struct {
	m       *mapping
	names   map[id]id       // digest of a DN, or of a uid, to who it is
	keys    map[id]string   // the texts of ids that are no UUIDs
	primary map[string][]id // primaryGroup to who has it
	moved   changes         // nil, or whose primary group is worth noting
	uids    bool            // there are groups that list uids: posixGroup
}

func newMembers(m *mapping) *members {
	return &members{m: m, names: map[id]id{}, keys: map[id]string{}, primary: map[string][]id{}}
}

// byGUID tells whether the server says in a member's DN which objectGUID it has.
func (ms *members) byGUID() bool { return ms.m.ad && ms.m.guid }

// add keeps an entry that may be a member.
func (ms *members) add(key string, dn []byte) id {
	who, isUUID := idOf(key)
	if !isUUID {
		ms.keys[who] = key
	}
	if !ms.byGUID() {
		ms.names[digestOf("dn", normalDN(dn))] = who
	}
	return who
}

// note keeps a person.
func (ms *members) note(e *wire.Entry, key string) {
	who := ms.add(key, e.DN)
	if ms.uids {
		for uid := range e.Values(attributeUID) {
			ms.names[digestOf("uid", bytes.ToLower(uid))] = who
		}
	}
	if group := ms.primaryGroup(e); group != "" && (ms.m.ad || ms.uids) && (ms.moved == nil || ms.moved[who]) {
		ms.primary[group] = append(ms.primary[group], who)
	}
}

// primaryGroup names the group that somebody belongs to without being listed in it: its objectSid in Active Directory, which is the
// person's own with primaryGroupID as its end; its gidNumber elsewhere.
func (ms *members) primaryGroup(e *wire.Entry) string {
	if !ms.m.ad {
		return string(e.Value(attributeGIDNumber))
	}
	sid, err := primarySID(e.Value(attributeSID), e.Text(attributePrimaryGroup))
	if err != nil {
		return ""
	}
	return string(sid)
}

// key is the key of an id.
func (ms *members) key(who id) directory.Key {
	text, ok := ms.keys[who]
	if !ok {
		text = who.uuidText()
	}
	return directory.Key{Kind: ms.m.keyKind, ID: text}
}

// find tells who is meant by a value of an attribute of members.
func (ms *members) find(attribute string, value []byte) (id, bool) {
	if attribute == attributeMemberUID {
		who, ok := ms.names[digestOf("uid", bytes.ToLower(value))]
		return who, ok
	}
	if ms.byGUID() {
		guid, _ := cutExtended(value)
		raw, err := uuidBytes(string(bytes.ToLower(guid)))
		if err != nil {
			return id{}, false
		}
		return id(raw), true
	}
	_, dn := cutExtended(value)
	if attribute == attributeUniqueMember { // RFC 4517 section 3.3.21: a DN, and a bit string that may follow it
		if i := bytes.LastIndex(dn, []byte("#'")); i > 0 && bytes.HasSuffix(dn, []byte("'B")) {
			dn = dn[:i]
		}
	}
	who, ok := ms.names[digestOf("dn", normalDN(dn))]
	return who, ok
}

// cutExtended takes <GUID=...>;<SID=...>; off a DN (MS-ADTS 3.1.1.3.4.1.5).
func cutExtended(value []byte) (guid, dn []byte) {
	for dn = value; bytes.HasPrefix(dn, []byte{'<'}); {
		part, rest, found := bytes.Cut(dn, []byte(">;"))
		if !found {
			return guid, dn
		}
		if name, text, ok := bytes.Cut(part[1:], []byte{'='}); ok && bytes.EqualFold(name, []byte("GUID")) {
			guid = text
		}
		dn = rest
	}
	return guid, dn
}

// normalDN writes a DN so that the ways in which one server writes the same one become the same: lower case, no spaces around
// commas, plus and equals signs. Both sides come from the same server, so escapes are left as they are.
func normalDN(dn []byte) []byte {
	out := make([]byte, 0, len(dn))
	end, start, escaped := 0, true, false // after out[:end] come only spaces that may go
	for _, c := range dn {
		switch {
		case escaped:
			out = append(out, c)
			end, start, escaped = len(out), false, false
		case c == ' ' && start:
		case c == ' ':
			out = append(out, c)
		case c == ',' || c == '+' || c == '=':
			out = append(out[:end], c)
			end, start = len(out), true
		default:
			out = append(out, c)
			end, start, escaped = len(out), false, c == '\\'
		}
	}
	return bytes.ToLower(out[:end])
}
