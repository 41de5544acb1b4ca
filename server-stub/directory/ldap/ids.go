package ldap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// guidText writes an objectGUID as RFC 4122 text in lower case, the form in which Microsoft's tools show it. The first
// three fields are little-endian in the attribute (MS-DTYP 2.3.4.2).
func guidText(raw []byte) (string, error) {
	if len(raw) != 16 {
		return "", fmt.Errorf("an objectGUID has 16 bytes, this has %d", len(raw))
	}
	i := id(raw)
	i[0], i[1], i[2], i[3] = i[3], i[2], i[1], i[0]
	i[4], i[5] = i[5], i[4]
	i[6], i[7] = i[7], i[6]
	return i.uuidText(), nil
}

// guidBytes is the reverse of guidText, for filters.
func guidBytes(text string) ([]byte, error) {
	raw, err := uuidBytes(text)
	if err != nil {
		return nil, err
	}
	raw[0], raw[1], raw[2], raw[3] = raw[3], raw[2], raw[1], raw[0]
	raw[4], raw[5] = raw[5], raw[4]
	raw[6], raw[7] = raw[7], raw[6]
	return raw, nil
}

// uuidBytes reads RFC 4122 text.
func uuidBytes(text string) ([]byte, error) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return nil, fmt.Errorf("%q is not a UUID", text)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("%q is not a UUID", text)
	}
	return raw, nil
}

// sidText writes an objectSid as S-1-5-21-... (MS-DTYP 2.4.2).
func sidText(raw []byte) (string, error) {
	if len(raw) < 8 || raw[0] != 1 || len(raw) != 8+4*int(raw[1]) {
		return "", fmt.Errorf("not an objectSid (%d bytes)", len(raw))
	}
	var authority uint64
	for _, b := range raw[2:8] {
		authority = authority<<8 | uint64(b)
	}
	var b strings.Builder
	b.WriteString("S-1-" + strconv.FormatUint(authority, 10))
	for rest := raw[8:]; len(rest) > 0; rest = rest[4:] {
		b.WriteString("-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(rest)), 10))
	}
	return b.String(), nil
}

// primarySID is the objectSid of the group whose number within the person's own domain is rid.
func primarySID(person []byte, rid string) ([]byte, error) {
	n, err := strconv.ParseUint(rid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("primaryGroupID: %w", err)
	}
	if _, err := sidText(person); err != nil || person[1] == 0 {
		return nil, fmt.Errorf("not the objectSid of an account: %x", person)
	}
	sid := append([]byte{}, person...)
	binary.LittleEndian.PutUint32(sid[len(sid)-4:], uint32(n))
	return sid, nil
}
