package dirsync

import (
	"encoding/binary"
	"errors"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// errGarbled says that bytes of ours are not what was written.
var errGarbled = errors.New("what was read is garbled")

// pack appends values to bytes, each text behind its length.
type pack struct{ b []byte }

func (p *pack) text(s string) {
	p.b = binary.AppendUvarint(p.b, uint64(len(s)))
	p.b = append(p.b, s...)
}

func (p *pack) number(n int) { p.b = binary.AppendUvarint(p.b, uint64(n)) }

func (p *pack) flag(f bool) {
	n := 0
	if f {
		n = 1
	}
	p.number(n)
}

func (p *pack) keys(keys []directory.Key) {
	p.number(len(keys))
	for _, k := range keys {
		p.text(string(k.Kind))
		p.text(k.ID)
	}
}

// unpack takes them out again. Its texts share one string.
type unpack struct {
	s   string
	bad bool
}

func (u *unpack) number() int {
	var n uint64
	for shift := 0; ; shift += 7 {
		if len(u.s) == 0 || shift > 56 {
			u.bad, u.s = true, ""
			return 0
		}
		c := u.s[0]
		u.s = u.s[1:]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int(n)
		}
	}
}

func (u *unpack) text() string {
	n := u.number()
	if n < 0 || n > len(u.s) {
		u.bad, u.s = true, ""
		return ""
	}
	s := u.s[:n]
	u.s = u.s[n:]
	return s
}

// count is the number of things that follow, each of at least one byte.
func (u *unpack) count() int {
	n := u.number()
	if n < 0 || n > len(u.s) {
		u.bad, u.s = true, ""
		return 0
	}
	return n
}

func (u *unpack) flag() bool { return u.number() != 0 }

func (u *unpack) keys() (keys []directory.Key) {
	for range u.count() {
		keys = append(keys, directory.Key{Kind: core.IdentityKind(u.text()), ID: u.text()})
	}
	return keys
}

// staged is a record as it was put aside.
type staged struct {
	directory.Record

	seen bool // it is known with this fingerprint already
}

// packRecord appends a record, all but its locator and fingerprint.
func packRecord(b []byte, r *directory.Record) []byte {
	p := pack{b}
	for _, s := range []string{
		string(r.KeyKind), r.Key, r.SID, r.OnPremises, r.Username, r.UPN, r.SAM, r.Domain, r.Nickname, r.Email,
		r.DisplayName, r.Department, r.Office, r.Language, r.EmployeeID, r.Where,
	} {
		p.text(s)
	}
	p.number(len(r.Aliases))
	for _, alias := range r.Aliases {
		p.text(alias)
	}
	p.flag(r.Disabled)
	p.number(len(r.Credentials))
	for _, kind := range r.Credentials {
		p.text(string(kind))
	}
	p.number(len(r.Cards))
	for _, card := range r.Cards {
		p.text(card.Reveal())
	}
	p.text(r.AccessCode.Reveal())
	p.text(r.PIN.Reveal())
	return p.b
}

// recordHead is what stands in front of a packed record: its fingerprint, and whether the person was seen with it last.
const recordHead = 17

// unpackRecord is the other way round.
func unpackRecord(b []byte) (r staged, err error) {
	if len(b) < recordHead {
		return r, errGarbled
	}
	copy(r.Fingerprint[:], b)
	r.seen = b[recordHead-1] != 0
	u := unpack{s: string(b[recordHead:])}
	r.KeyKind = core.IdentityKind(u.text())
	for _, to := range []*string{
		&r.Key, &r.SID, &r.OnPremises, &r.Username, &r.UPN, &r.SAM, &r.Domain, &r.Nickname, &r.Email,
		&r.DisplayName, &r.Department, &r.Office, &r.Language, &r.EmployeeID, &r.Where,
	} {
		*to = u.text()
	}
	for range u.count() {
		r.Aliases = append(r.Aliases, u.text())
	}
	r.Disabled = u.flag()
	for range u.count() {
		r.Credentials = append(r.Credentials, core.CredentialKind(u.text()))
	}
	for range u.count() {
		r.Cards = append(r.Cards, secret.New(u.text()))
	}
	if code := u.text(); code != "" {
		r.AccessCode = secret.New(code)
	}
	if pin := u.text(); pin != "" {
		r.PIN = secret.New(pin)
	}
	if u.bad || u.s != "" {
		return r, errGarbled
	}
	return r, nil
}

// packGroup appends a group.
func packGroup(b []byte, g *directory.Group) []byte {
	p := pack{append(b, g.Fingerprint[:]...)}
	p.text(string(g.Key.Kind))
	p.text(g.Key.ID)
	p.text(g.SID)
	p.text(g.Name)
	p.text(g.Where)
	p.flag(g.Changed)
	p.keys(g.Members)
	p.keys(g.Removed)
	return p.b
}

// unpackGroup is the other way round.
func unpackGroup(b []byte) (directory.Group, error) {
	var g directory.Group
	if len(b) < len(g.Fingerprint) {
		return g, errGarbled
	}
	copy(g.Fingerprint[:], b)
	u := unpack{s: string(b[len(g.Fingerprint):])}
	g.Key = directory.Key{Kind: core.IdentityKind(u.text()), ID: u.text()}
	g.SID, g.Name, g.Where, g.Changed = u.text(), u.text(), u.text(), u.flag()
	g.Members, g.Removed = u.keys(), u.keys()
	if u.bad || u.s != "" {
		return g, errGarbled
	}
	return g, nil
}
