package service

import (
	_ "embed"
	"strings"

	"github.com/platenprint/platen/internal/osservice"
)

//go:embed platen-deploy.service
var unitText string

//go:embed org.platenprint.deploy.plist
var plistText string

// placeholder stands for the program in the texts.
const placeholder = "@PROGRAM@"

// Unit is systemd's unit (systemd.service(5)) for the program at path.
func Unit(path string) (string, error) {
	quoted, err := osservice.UnitPath(path)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(unitText, placeholder, quoted), nil
}

// Plist is launchd's property list (launchd.plist(5)) for the program at path.
func Plist(path string) (string, error) {
	escaped, err := osservice.PlistPath(path)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(plistText, placeholder, escaped), nil
}

// ImagePath is what Windows starts: the program in quotation marks (R-WIN-1), and the argument.
func ImagePath(path string) (string, error) { return osservice.ImagePath(path, command) }
