package service

import "os"

const plistPath = "/Library/LaunchDaemons/" + label + ".plist"

// Installed are the places of an installed service.
func Installed() (Places, error) {
	const base = "/Library/Application Support/PlatenServer"
	return Places{Data: base + "/data", Config: base + "/platen-server.yaml", Log: "/Library/Logs/PlatenServer"}, nil
}

// Find returns the manager of this computer's services.
func Find() (Manager, error) {
	places, err := Installed()
	return launchd{plist: plistPath, places: places, run: systemTool, check: installable, chown: os.Lchown}, err
}
