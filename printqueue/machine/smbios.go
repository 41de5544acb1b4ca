package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// smbiosUUID finds the system's UUID in a table of SMBIOS structures (DMTF DSP0134, sections 6.1 and 7.2): type 1, at offset 8.
// "" if there is none.
func smbiosUUID(table []byte) string {
	const systemInformation, offset, end = 1, 8, 127
	for len(table) >= 4 {
		kind, length := table[0], int(table[1])
		if length < 4 || length > len(table) {
			return ""
		}
		if kind == systemInformation && length >= offset+16 {
			u := table[offset : offset+16]
			return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(u), binary.LittleEndian.Uint16(u[4:]),
				binary.LittleEndian.Uint16(u[6:]), u[8:10], u[10:])
		}
		if kind == end {
			return ""
		}
		// The structure's texts follow; an empty one ends them.
		_, rest, ok := bytes.Cut(table[length:], []byte{0, 0})
		if !ok {
			return ""
		}
		table = rest
	}
	return ""
}
