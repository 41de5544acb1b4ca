package service

import (
	_ "embed"
	"strings"

	"github.com/platenprint/platen/internal/osservice"
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

// Unit is systemd's unit (systemd.service(5)) for the program at path. The packages install the same.
func Unit(path string) (string, error) {
	if !plain(path) {
		var err error
		if path, err = osservice.UnitPath(path); err != nil {
			return "", err
		}
	}
	return strings.ReplaceAll(unitText, placeholder, path), nil
}

// Account is the sysusers.d(5) text that makes the service's account. The packages install the same.
func Account() string { return accountText }

// Config is the configuration that a new installation begins with: comments only. The packages install the same.
func Config() string { return configText }

// Plist is launchd's property list (launchd.plist(5)) for the program at path.
func Plist(path string) (string, error) {
	escaped, err := osservice.PlistPath(path)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(plistText, placeholder, escaped), nil
}

// ImagePath is what Windows starts: the program in quotation marks (R-WIN-1), and the command.
func ImagePath(path string) (string, error) { return osservice.ImagePath(path, "service run") }

// plain tells that a path needs no quotation marks in a unit.
func plain(path string) bool {
	return strings.Trim(path, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
