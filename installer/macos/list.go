package macos

import (
	"fmt"
	"io"
	"path"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos/identity"
)

// List reads a package and says what is in it, one line each: "-rwxr-xr-x 0/0 payload /Applications/...". Every checksum in
// the package is compared on the way. Sizes and times are not in it.
func List(name string) (_ []string, err error) {
	r, err := flatpkg.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var lines []string
	for _, n := range r.Names() {
		if err := r.Copy(io.Discard, n); err != nil {
			return nil, err
		}
		lines = append(lines, "archive "+n)
	}
	for _, part := range []struct{ name, root string }{{"Scripts", "scripts "}, {"Payload", "payload /"}} {
		err := r.Walk(identity.Package+".pkg/"+part.name, func(e flatpkg.Entry, _ io.Reader) error {
			lines = append(lines, fmt.Sprintf("%s %d/%d %s", permissions(e.Mode), e.UID, e.GID, part.root+path.Clean(e.Path)))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// permissions writes st_mode as ls(1) does.
func permissions(mode uint32) string {
	kind := map[uint32]byte{0o040000: 'd', 0o100000: '-', 0o120000: 'l'}[mode&0o170000]
	if kind == 0 {
		kind = '?'
	}
	text := []byte{kind}
	for i, c := range []byte("rwxrwxrwx") {
		if mode&(1<<(8-i)) == 0 {
			c = '-'
		}
		text = append(text, c)
	}
	return string(text)
}
