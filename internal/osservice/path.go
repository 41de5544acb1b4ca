package osservice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// ErrPath says that a path cannot be written into what starts a service.
var ErrPath = errors.New("the program's path has characters that cannot stand in a service's text")

// UnitPath writes a path for systemd's units: systemd.syntax(7) has quoted items with C escapes, systemd.service(5) doubles "%" and "$".
func UnitPath(path string) (string, error) {
	if strings.ContainsFunc(path, control) {
		return "", ErrPath
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(path) + `"`, nil
}

// PlistPath writes a path for launchd's property lists (launchd.plist(5)), which are XML.
func PlistPath(path string) (string, error) {
	if strings.ContainsFunc(path, control) {
		return "", ErrPath
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(path)); err != nil {
		return "", ErrPath
	}
	return escaped.String(), nil
}

// ImagePath is what Windows starts: the path in quotation marks, whether it has spaces or not (R-WIN-1), and the arguments as they are.
func ImagePath(path, arguments string) (string, error) {
	if strings.ContainsFunc(path, control) || strings.Contains(path, `"`) {
		return "", ErrPath
	}
	return `"` + path + `" ` + arguments, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
