package auth

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// entraPrefix begins every SID that Windows makes up for an account of Microsoft Entra ID.
const entraPrefix = "S-1-12-1-"

// EntraObjectID returns the object id ("73d664e4-0886-4a73-b745-c694da45ddb4") that a SID of the form S-1-12-1-a-b-c-d
// encodes, and false for every other SID. The four numbers are the sixteen bytes of the GUID as little-endian 32-bit
// words, so the way back is exact: no directory is asked (MS-DTYP 2.3.4 for the GUID, the SID form is what Entra-joined
// Windows 10 and later show in `whoami /user`).
func EntraObjectID(sid string) (string, bool) {
	if len(sid) < len(entraPrefix) || !strings.EqualFold(sid[:len(entraPrefix)], entraPrefix) {
		return "", false
	}
	words := strings.Split(sid[len(entraPrefix):], "-")
	if len(words) != 4 {
		return "", false
	}
	var b [16]byte
	for i, word := range words {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil || strconv.FormatUint(n, 10) != word {
			return "", false
		}
		binary.LittleEndian.PutUint32(b[4*i:], uint32(n))
	}
	// A GUID is written with its first three fields as numbers and the rest as bytes.
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b[0:]), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:16]), true
}

// DomainSID tells whether sid has the form of an account of a Windows domain or computer, S-1-5-21-a-b-c-rid. The form
// alone does not tell a domain from a computer.
func DomainSID(sid string) bool {
	parts := strings.Split(sid, "-")
	if len(parts) != 8 || !strings.EqualFold(strings.Join(parts[:4], "-"), "S-1-5-21") {
		return false
	}
	for _, part := range parts[4:] {
		if n, err := strconv.ParseUint(part, 10, 32); err != nil || strconv.FormatUint(n, 10) != part {
			return false
		}
	}
	return true
}
