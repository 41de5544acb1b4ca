package service

import "github.com/platenprint/platen/internal/osservice"

// Installed are the places of an installed service.
func Installed() (Places, error) {
	const base = "/Library/Application Support/PlatenServer"
	return Places{Data: base + "/data", Config: base + "/platen-server.yaml", Log: "/Library/Logs/PlatenServer"}, nil
}

// Find returns the manager of this computer's services.
func Find() (Manager, error) {
	places, err := Installed()
	return newLaunchd(osservice.LaunchDaemon(label), places, osservice.SystemTool), err
}
