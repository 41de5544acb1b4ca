package auth

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestEntraObjectID(t *testing.T) {
	tests := []struct {
		name, sid, want string
	}{
		{"A1_47 a published pair", "S-1-12-1-1943430372-1249052806-2496021943-3034400218", "73d664e4-0886-4a73-b745-c694da45ddb4"},
		{"lower case", "s-1-12-1-1943430372-1249052806-2496021943-3034400218", "73d664e4-0886-4a73-b745-c694da45ddb4"},
		{"all zero", "S-1-12-1-0-0-0-0", "00000000-0000-0000-0000-000000000000"},
		{"all ones", "S-1-12-1-4294967295-4294967295-4294967295-4294967295", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		{"byte order", "S-1-12-1-67305985-134678021-202050057-269422093", "04030201-0605-0807-090a-0b0c0d0e0f10"},
		{"number too large", "S-1-12-1-4294967296-0-0-0", ""},
		{"leading zero", "S-1-12-1-01-0-0-0", ""},
		{"sign", "S-1-12-1-+1-0-0-0", ""},
		{"too few", "S-1-12-1-1-2-3", ""},
		{"too many", "S-1-12-1-1-2-3-4-5", ""},
		{"a domain account", "S-1-5-21-1004336348-1177238915-682003330-512", ""},
		{"another subauthority", "S-1-12-2-1-2-3-4", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := EntraObjectID(tt.sid)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("EntraObjectID(%q) = %q, %v; want %q", tt.sid, got, ok, tt.want)
			}
		})
	}
}

// The way back from the object id, written another way than the code under test, gives the same SID again.
func FuzzEntraObjectID(f *testing.F) {
	f.Add(uint32(1943430372), uint32(1249052806), uint32(2496021943), uint32(3034400218))
	f.Fuzz(func(t *testing.T, a, b, c, d uint32) {
		sid := fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", a, b, c, d)
		id, ok := EntraObjectID(sid)
		if !ok {
			t.Fatalf("EntraObjectID(%q) is not known", sid)
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
		if err != nil || len(raw) != 16 {
			t.Fatalf("EntraObjectID(%q) = %q", sid, id)
		}
		be := binary.BigEndian
		second := uint32(be.Uint16(raw[6:]))<<16 | uint32(be.Uint16(raw[4:]))
		back := fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", be.Uint32(raw), second,
			binary.LittleEndian.Uint32(raw[8:]), binary.LittleEndian.Uint32(raw[12:]))
		if back != sid {
			t.Errorf("%s -> %s -> %s", sid, id, back)
		}
	})
}

func TestDomainSID(t *testing.T) {
	for sid, want := range map[string]bool{
		"S-1-5-21-1004336348-1177238915-682003330-512": true,
		"S-1-5-21-1004336348-1177238915-682003330":     false, // a domain, no account
		"S-1-5-18": false,
		"S-1-12-1-1943430372-1249052806-2496021943-303440021": false,
		"S-1-5-21-1-2-3-x":           false,
		"S-1-5-21-1-2-3-99999999999": false,
		"":                           false,
	} {
		if got := DomainSID(sid); got != want {
			t.Errorf("DomainSID(%q) = %v, want %v", sid, got, want)
		}
	}
}
