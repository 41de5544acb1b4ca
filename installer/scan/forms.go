package scan

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// encoded is "-----BEGIN " in base64, as many systems want keys to be handed to them.
const encoded = "LS0tLS1CRUdJTi"

// decode is what stands in base64 at the beginning of data, in one or more lines.
func decode(data []byte) []byte {
	if end := bytes.IndexFunc(data, func(r rune) bool { return !strings.ContainsRune(digits, r) }); end >= 0 {
		data = data[:end]
	}
	text := strings.Join(strings.Fields(string(data)), "")
	plain, _ := base64.RawStdEncoding.DecodeString(text[:len(text)/4*4]) // every digit is one
	return plain
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ \r\n\t"

// keys finds private keys in ASN.1 itself: what a key in PEM is when it is taken out of that.
func keys(data []byte) []Finding {
	var found []Finding
	add := func(form string) { found = append(found, Finding{Rule: "private key", Excerpt: form}) }
	before := func(at, n int) []byte { return data[max(0, at-n):at] }
	// RSA (RFC 8017, A.1.2): a sequence of version 0 and a modulus, with which PKCS #8 has it, too.
	each(data, "\x02\x01\x00\x02\x82", func(at int) {
		b := before(at, 4)
		if len(b) < 4 || b[0] != 0x30 || b[1] != 0x82 || at+8 > len(data) {
			return
		}
		all, modulus := int(b[2])<<8|int(b[3]), int(data[at+5])<<8|int(data[at+6])
		if slices.Contains([]int{129, 257, 385, 513, 1025}, modulus) && all > 2*modulus && all < 6*modulus {
			add("RSA key in ASN.1")
		}
	})
	// Elliptic curves (RFC 5915): version 1 and a secret of the curve's length.
	for secret, head := range map[byte]int{0x20: 2, 0x30: 3, 0x42: 3} {
		each(data, "\x02\x01\x01\x04"+string(secret), func(at int) {
			if b := before(at, head); len(b) == head && b[0] == 0x30 && (head == 2 || b[1] == 0x81) && b[head-1] > secret {
				add("EC key in ASN.1")
			}
		})
	}
	// Ed25519 and X25519 (RFC 8410).
	for _, curve := range []string{"\x70", "\x6e"} {
		each(data, "\x06\x03\x2b\x65"+curve+"\x04\x22\x04\x20", func(int) { add("25519 key in ASN.1") })
	}
	return found
}

// packed finds files that cannot be looked into, and are none of ours: archives of formats that we do not take apart, and files
// whose name says that a key is in them.
func packed(name string, data []byte) []Finding {
	for _, magic := range []string{"\xfd7zXZ\x00", "BZh", "\x28\xb5\x2f\xfd", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return []Finding{{Rule: "archive that is not looked into", Excerpt: name[strings.LastIndexAny(name, "/!")+1:]}}
		}
	}
	base := strings.ToLower(name[strings.LastIndexAny(name, "/!")+1:])
	for _, ending := range []string{".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", "id_rsa", "id_ecdsa", "id_ed25519"} {
		if strings.HasSuffix(base, ending) {
			return []Finding{{Rule: "file with a key, by its name", Excerpt: base}}
		}
	}
	return nil
}
