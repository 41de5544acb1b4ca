package service

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"errors"
	"strings"
)

//go:embed platen-deploy.service
var unitText string

//go:embed org.platenprint.deploy.plist
var plistText string

// placeholder stands for the program in the texts.
const placeholder = "@PROGRAM@"

var errPath = errors.New("the program's path has characters that cannot stand in a service's text")

// Unit is systemd's unit (systemd.service(5)) for the program at path.
func Unit(path string) (string, error) {
	if strings.ContainsFunc(path, control) {
		return "", errPath
	}
	// systemd.syntax(7): a quoted item with C escapes; systemd.service(5): "%" and "$" are doubled.
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(path)
	return strings.ReplaceAll(unitText, placeholder, `"`+quoted+`"`), nil
}

// Plist is launchd's property list (launchd.plist(5)) for the program at path.
func Plist(path string) (string, error) {
	if strings.ContainsFunc(path, control) {
		return "", errPath
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(path)); err != nil {
		return "", errPath
	}
	return strings.ReplaceAll(plistText, placeholder, escaped.String()), nil
}

// ImagePath is what Windows starts: the path in quotation marks, whether it has spaces or not (R-WIN-1), and the argument.
func ImagePath(path string) (string, error) {
	if strings.ContainsFunc(path, control) || strings.Contains(path, `"`) {
		return "", errPath
	}
	return `"` + path + `" ` + command, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
