package index

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

// texts numbers texts of which there are few: domains, sources, suffixes of names. 0 is the empty one.
type texts struct {
	list []string
	at   map[string]uint64
}

func newTexts() texts { return texts{[]string{""}, map[string]uint64{"": 0}} }

func (t *texts) number(text string) uint64 {
	if n, ok := t.at[text]; ok {
		return n
	}
	text = strings.Clone(text)
	n := uint64(len(t.list))
	t.list, t.at[text] = append(t.list, text), n
	return n
}

// What the first byte of a packed name says beside its kind.
const (
	kindBits   = 0x07
	sameLocal  = 0x08 // the part before the suffix is that of the name before
	otherName  = 0x10 // the name is written differently from its fold: it stands behind it
	ended      = 0x20 // the time of the end stands behind it
	hasDomain  = 0x40
	otherGiver = 0x80 // another source than the person's gave it
)

// kinds are numbered by their place.
var kinds = []core.NameKind{core.NameUPN, core.NameUsername, core.NameSAM, core.NameNickname, core.NameAlias, core.NameEmail}

func kindNumber(kind core.NameKind) (byte, bool) {
	for i, k := range kinds {
		if k == kind {
			return byte(i), true
		}
	}
	return 0, false
}

// split cuts a folded name before its suffix: the @ and what is behind it.
func split(folded string) (local, suffix string) {
	if i := strings.LastIndexByte(folded, '@'); i >= 0 {
		return folded[:i], folded[i:]
	}
	return folded, ""
}

// pack writes a person's names: the length of the rest, whether they are active, their source, and each name. ok is false for a
// kind of name that it does not know.
func (x *Index) pack(b []byte, names []core.NameHolder) (_ []byte, ok bool) {
	b = append(b, 0)
	if names[0].Active {
		b[len(b)-1] = 1
	}
	b = binary.AppendUvarint(b, x.sources.number(string(names[0].UserSource)))
	last := ""
	for _, n := range names {
		kind, known := kindNumber(n.Kind)
		if !known {
			return b, false
		}
		local, suffix := split(string(n.Folded))
		head := kind
		set := func(flag byte, when bool) {
			if when {
				head |= flag
			}
		}
		set(sameLocal, local == last)
		set(otherName, n.Name != string(n.Folded))
		set(ended, !n.ValidTo.IsZero())
		set(hasDomain, n.Domain != "")
		set(otherGiver, n.Source != n.UserSource)
		b = append(b, head)
		b = binary.AppendUvarint(b, uint64(n.ID)) //nolint:gosec // ids are positive
		if head&sameLocal == 0 {
			b = appendText(b, local)
		}
		b = binary.AppendUvarint(b, x.suffixes.number(suffix))
		if head&otherName != 0 {
			b = appendText(b, n.Name)
		}
		if head&ended != 0 {
			b = binary.AppendVarint(b, n.ValidTo.UnixMicro())
		}
		if head&hasDomain != 0 {
			b = binary.AppendUvarint(b, x.domains.number(string(n.Domain)))
		}
		if head&otherGiver != 0 {
			b = binary.AppendUvarint(b, x.sources.number(string(n.Source)))
		}
		last = local
	}
	return b, true
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// unpacker reads what pack wrote.
type unpacker struct {
	x    *Index
	rest []byte
	last []byte // the part before the suffix of the name before
	base core.NameHolder
}

func (x *Index) unpack(user core.UserID, packed []byte) unpacker {
	u := unpacker{x: x, rest: packed[1:]}
	u.base.UserID, u.base.Active = user, packed[0] == 1
	u.base.UserSource = core.SourceID(x.sources.list[u.number()])
	return u
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.rest)
	u.rest = u.rest[size:]
	return n
}

func (u *unpacker) text() []byte {
	n := u.number()
	text := u.rest[:n]
	u.rest = u.rest[n:]
	return text
}

// packedName is a name as it stands in the bytes.
type packedName struct {
	head           byte
	id             uint64
	local, name    []byte
	suffix         string
	endedAt        int64
	domain, source uint64
}

// next returns the next name, false behind the last.
func (u *unpacker) next() (n packedName, ok bool) {
	if len(u.rest) == 0 {
		return n, false
	}
	n.head, u.rest = u.rest[0], u.rest[1:]
	n.id = u.number()
	if n.head&sameLocal == 0 {
		u.last = u.text()
	}
	n.local, n.suffix = u.last, u.x.suffixes.list[u.number()]
	if n.head&otherName != 0 {
		n.name = u.text()
	}
	if n.head&ended != 0 {
		var size int
		n.endedAt, size = binary.Varint(u.rest)
		u.rest = u.rest[size:]
	}
	if n.head&hasDomain != 0 {
		n.domain = u.number()
	}
	if n.head&otherGiver != 0 {
		n.source = u.number()
	}
	return n, true
}

// is tells whether the name's fold is this one.
func (n packedName) is(local, suffix string) bool {
	return string(n.local) == local && n.suffix == suffix
}

// holder is the name in full.
func (u *unpacker) holder(n packedName) core.NameHolder {
	h := u.base
	h.ID, h.Kind = int64(n.id), kinds[n.head&kindBits] //nolint:gosec // it was an int64
	folded := string(n.local) + n.suffix
	h.Folded, h.Name = auth.Folded(folded), folded
	if n.head&otherName != 0 {
		h.Name = string(n.name)
	}
	if n.head&ended != 0 {
		h.ValidTo = time.UnixMicro(n.endedAt).UTC()
	}
	h.Domain = auth.Folded(u.x.domains.list[n.domain])
	if h.Source = h.UserSource; n.head&otherGiver != 0 {
		h.Source = core.SourceID(u.x.sources.list[n.source])
	}
	return h
}
