package service

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"errors"
	"strings"
)

//go:embed platen-server.service
var unitText string

//go:embed org.platenprint.server.plist
var plistText string

//go:embed platen-server.yaml
var configText string

//go:embed platen-server.sysusers
var accountText string

// placeholder stands for the program in the texts.
const placeholder = "@PROGRAM@"

var errPath = errors.New("the program's path has characters that cannot stand in a service's text")

// Unit is systemd's unit (systemd.service(5)) for the program at path. The packages install the same.
func Unit(path string) (string, error) {
	if strings.ContainsFunc(path, control) {
		return "", errPath
	}
	if !plain(path) {
		// systemd.syntax(7): a quoted item with C escapes; systemd.service(5): "%" and "$" are doubled.
		path = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(path) + `"`
	}
	return strings.ReplaceAll(unitText, placeholder, path), nil
}

// Account is the sysusers.d(5) text that makes the service's account. The packages install the same.
func Account() string { return accountText }

// Config is the configuration that a new installation begins with: comments only. The packages install the same.
func Config() string { return configText }

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

// ImagePath is what Windows starts: the path in quotation marks, whether it has spaces or not (R-WIN-1), and the command.
func ImagePath(path string) (string, error) {
	if strings.ContainsFunc(path, control) || strings.Contains(path, `"`) {
		return "", errPath
	}
	return `"` + path + `" service run`, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// plain tells that a path needs no quotation marks in a unit.
func plain(path string) bool {
	return strings.Trim(path, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
