package policy

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/platenprint/platen/internal/settings"
)

// Registry writes the values as a .reg file that regedit imports: enforced and recommended policies of the computer. It is for
// computers without Group Policy, and for trying things out. The file is UTF-16 with a byte order mark, as regedit writes it.
// Errors are those of Check.
func Registry(enforced, recommended []Value) ([]byte, error) {
	var b strings.Builder
	b.WriteString("Windows Registry Editor Version 5.00\r\n")
	for _, level := range []struct {
		key    string
		values []Value
	}{
		{settings.RegistryPolicyMachine, enforced},
		{settings.RegistryPolicyMachine + `\` + settings.RegistryRecommended, recommended},
	} {
		checked, err := Check(level.values)
		if err != nil {
			return nil, err
		}
		if len(checked) == 0 {
			continue
		}
		key := strings.Replace(level.key, `HKLM\`, `HKEY_LOCAL_MACHINE\`, 1)
		fmt.Fprintf(&b, "\r\n[%s]\r\n", key)
		for _, v := range checked {
			fmt.Fprintf(&b, "\"%s\"=%s\r\n", v.Name, v.registry())
		}
	}
	return utf16File(b.String()), nil
}

// registry is the value as a .reg file has it.
func (v Value) registry() string {
	switch shapeOf(v.kind()) {
	case shapeBool:
		if v.yes() {
			return "dword:00000001"
		}
		return "dword:00000000"
	case shapeList:
		var raw []byte
		for _, item := range settings.ParseList(v.Text) {
			raw = append(utf16Bytes(raw, item), 0, 0)
		}
		raw = append(raw, 0, 0)
		return "hex(7):" + strings.ReplaceAll(fmt.Sprintf("% x", raw), " ", ",")
	case shapeText, shapeChoice:
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v.Text) + `"`
}

func utf16File(text string) []byte { return utf16Bytes([]byte{0xff, 0xfe}, text) }

func utf16Bytes(to []byte, text string) []byte {
	for _, unit := range utf16.Encode([]rune(text)) {
		to = binary.LittleEndian.AppendUint16(to, unit)
	}
	return to
}
