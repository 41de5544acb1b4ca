package osservice

import (
	"encoding/xml"
	"errors"
	"testing"
)

func image(path string) (string, error) { return ImagePath(path, "run it") }

func TestR_WIN_1_ImagePathIsQuoted(t *testing.T) {
	for path, want := range map[string]string{
		`C:\Program Files\Platen\a.exe`: `"C:\Program Files\Platen\a.exe" run it`,
		`C:\Platen\a.exe`:               `"C:\Platen\a.exe" run it`,
	} {
		if got, err := image(path); err != nil || got != want {
			t.Errorf("got %s, %v", got, err)
		}
	}
	if got, err := image(`C:\a" b`); !errors.Is(err, ErrPath) {
		t.Errorf("got %s", got)
	}
}

func TestStrangePathsStayPaths(t *testing.T) {
	const path = `/opt/a "b" %n $HOME \x & <c>/platen`
	const unit = `"/opt/a \"b\" %%n $$HOME \\x & <c>/platen"`
	if got, err := UnitPath(path); err != nil || got != unit {
		t.Errorf("got %s, %v", got, err)
	}
	escaped, err := PlistPath(path)
	if err != nil {
		t.Fatal(err)
	}
	var read string
	if err := xml.Unmarshal([]byte("<string>"+escaped+"</string>"), &read); err != nil || read != path {
		t.Errorf("%s is read as %s, %v", escaped, read, err)
	}
	for _, bad := range []string{"/a\nExecStartPre=/bin/sh", "/a\x00", "/a\x7f"} {
		for name, write := range map[string]func(string) (string, error){"unit": UnitPath, "plist": PlistPath, "image": image} {
			if text, err := write(bad); !errors.Is(err, ErrPath) {
				t.Errorf("%s of %q: %s, %v", name, bad, text, err)
			}
		}
	}
}
