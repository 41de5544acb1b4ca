package entra

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// guid16 is an object id. A tenant has very many, so they are kept short.
type guid16 [16]byte

// parseGUID reads an object id.
func parseGUID(text string) (id guid16, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	at := 0
	for _, part := range []string{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n, err := hex.Decode(id[at:], []byte(part))
		if err != nil {
			return id, false
		}
		at += n
	}
	return id, true
}

// String is the form of Graph, in lower case.
func (id guid16) String() string {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// key is the identity of a person or a group of the tenant.
func (s *Source) key(id guid16) directory.Key {
	return directory.Key{Kind: core.IdentityEntraOID, ID: s.cfg.Tenant + "/" + id.String()}
}

// objectID is the reverse of key.
func (s *Source) objectID(k directory.Key) (guid16, bool) {
	text, ok := strings.CutPrefix(k.ID, s.cfg.Tenant+"/")
	if !ok || k.Kind != core.IdentityEntraOID {
		return guid16{}, false
	}
	return parseGUID(text)
}

// objectGUID reads what Entra Connect made of an Active Directory's objectGUID, in the text form that the directory itself
// shows: the first three fields are little-endian there (MS-DTYP 2.3.4.2). Another anchor is none: "".
func objectGUID(immutable string) string {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(immutable))
	if err != nil || len(raw) != 16 {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint16(raw[4:]),
		binary.LittleEndian.Uint16(raw[6:]), raw[8:10], raw[10:])
}
