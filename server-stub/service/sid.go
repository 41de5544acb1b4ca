package service

import (
	"crypto/sha1" //nolint:gosec // Windows makes the ids of services so; nothing is protected by it
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// sid is the security identifier that Windows gives the service of that name, S-1-5-80-...: the SHA-1 of the name in capital
// letters as UTF-16. It is that of the account "NT SERVICE\name", too, and there before the service is, so that its folders can be
// made first. The command "sc.exe showsid" says the same.
func sid(name string) string {
	var text []byte
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text = binary.LittleEndian.AppendUint16(text, unit)
	}
	sum := sha1.Sum(text) //nolint:gosec // see above
	id := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		id += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return id
}
