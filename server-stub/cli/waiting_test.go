package cli

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/deviceauth"
)

func TestListsOfManagementSystemsAreRead(t *testing.T) {
	const print1, print2 = "1a2b-3c4d-5e6f-0011-2233-4455-6677-8899", "FFFF-3C4D-5E6F-0011-2233-4455-6677-8899"
	const uuid = "4C4C4544-0042-3510-8052-B4C04F564231"
	wide := func(order binary.ByteOrder, text string) string {
		var b bytes.Buffer
		for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
			_ = binary.Write(&b, order, unit)
		}
		return b.String()
	}
	plain := "Name,Fingerprint\r\nPC-1," + print1 + "\r\n\r\n# those of the lab\r\nPC-2;\"" + print2 + "\"\r\n"
	two := []deviceauth.Listed{{Fingerprint: print1}, {Fingerprint: print2}}
	for name, tt := range map[string]struct {
		text string
		want []deviceauth.Listed
	}{
		"one a line":           {print1 + "\n" + print2, two},
		"with columns":         {plain, two},
		"with a mark":          {"\ufeff" + plain, two},
		"of PowerShell":        {wide(binary.LittleEndian, plain), two},
		"the other way round":  {wide(binary.BigEndian, plain), two},
		"UUIDs":                {"serial\tuuid\nABC123\t{" + uuid + "}\n", []deviceauth.Listed{{UUID: uuid}}},
		"both":                 {uuid + "," + print1, []deviceauth.Listed{{Fingerprint: print1, UUID: uuid}}},
		"colons":               {strings.ReplaceAll(print1, "-", ":"), []deviceauth.Listed{{Fingerprint: strings.ReplaceAll(print1, "-", ":")}}},
		"nothing":              {"", nil},
		"only a heading":       {"Name,Fingerprint\n", nil},
		"a line without":       {print1 + "\nPC-2,\n", nil},
		"two headings":         {"Report of today\nName\n" + print1, nil},
		"a fingerprint longer": {print1 + "-1234\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseListed([]byte(tt.text))
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("%v, %v", got, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("PC-1,1a2b-3c4d-5e6f-0011-2233-4455-6677-8899\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseListed(text)
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d, %v", len(list), err)
		}
		for _, l := range list {
			if l == (deviceauth.Listed{}) {
				t.Error("an empty one")
			}
		}
	})
}
