package machine

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestIdentityTellsComputersApart(t *testing.T) {
	const uuid = "4C4C4544-0042-3510-8052-B4C04F563433"
	me := newIdentity("0123456789abcdef0123456789abcdef\n", uuid+"\n")
	for name, test := range map[string]struct {
		now     Identity
		another bool
	}{
		"the same":               {newIdentity("0123456789ABCDEF0123456789ABCDEF", strings.ToLower(uuid)), false},
		"set up anew":            {newIdentity("ffff456789abcdef0123456789abcdef", uuid), true},
		"the disk in another":    {newIdentity("0123456789abcdef0123456789abcdef", "11111111-0042-3510-8052-b4c04f563433"), true},
		"no firmware today":      {newIdentity("0123456789abcdef0123456789abcdef", ""), false},
		"a firmware of no use":   {newIdentity("0123456789abcdef0123456789abcdef", "03000200-0400-0500-0006-000700080009"), false},
		"only the firmware left": {newIdentity("", uuid), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := me.another(test.now); got != test.another {
				t.Errorf("got %v", got)
			}
		})
	}
	a := me.api()
	for _, text := range []string{a.ID, a.Hardware} {
		if len(text) != 64 || strings.Contains(text, "0123456789abcdef01") || strings.Contains(text, "4c4c4544") {
			t.Errorf("the server is told %q", text)
		}
	}
	if !newIdentity("", "00000000-0000-0000-0000-000000000000").empty() {
		t.Error("zeros identify a computer")
	}
}

func TestSMBIOS(t *testing.T) {
	unhex := func(text string) []byte {
		raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	bios := "00 18 0000" + strings.Repeat("00", 20) + hex.EncodeToString([]byte("maker\x00version\x00\x00"))
	system := "01 1b 0100 01020304" + "44454c4c 4200 1035 8052 b4c04f563433" + "060500" + hex.EncodeToString([]byte("PC\x00\x00"))
	const want = "4c4c4544-0042-3510-8052-b4c04f563433"
	if got := smbiosUUID(unhex(bios + system + "7f04feff0000")); got != want {
		t.Errorf("got %q", got)
	}
	for name, table := range map[string]string{
		"empty": "", "no system": bios + "7f04feff0000", "cut": bios + system[:19], "length 0": "01000000", "no texts' end": "00040000" + "41",
		"length too long": "01ff0000",
	} {
		if got := smbiosUUID(unhex(table)); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func FuzzSMBIOS(f *testing.F) {
	f.Add([]byte{1, 27, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, table []byte) { smbiosUUID(table) })
}
