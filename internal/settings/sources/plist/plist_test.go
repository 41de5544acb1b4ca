package plist_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings/sources/plist"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">`

func TestParse(t *testing.T) {
	entries, err := plist.Parse([]byte(head + `<dict>
	<key>ServerURL</key> <string>https://print.example.org</string>
	<key>HideBalance</key> <true/>
	<key>Defaults</key> <dict><key>CAPin</key><string>a</string><key>Deep</key><dict><key>x</key><true/></dict><key>HideBalance</key><false/></dict>
	<key>Limit</key> <integer>3</integer>
	<key>SharedOSUsers</key> <array><string>lab</string><string>kiosk</string></array>
	<key>When</key> <date>2026-11-21T00:00:00Z</date>
	<key>AutoStart</key> <false/>
	</dict></plist>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []plist.Entry{
		{Name: "ServerURL", Text: "https://print.example.org"},
		{Name: "HideBalance", Text: "true"},
		{Name: "Defaults", Dict: []plist.Entry{{Name: "CAPin", Text: "a"}, {Name: "HideBalance", Text: "false"}}},
		{Name: "Limit", Text: "3"},
		{Name: "SharedOSUsers", Text: "lab,kiosk"},
		{Name: "AutoStart", Text: "false"},
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestParseRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{"", "bplist00", "<html></html>", head, head + "<dict><key>a</key>", head + "<array/></plist>"} {
		if entries, err := plist.Parse([]byte(text)); !errors.Is(err, plist.ErrFormat) {
			t.Errorf("%q: got %v, %v; want ErrFormat", text, entries, err)
		}
	}
}
