// Package assets holds the pictures and the words of the desktop programs, embedded: the icon set (drawn by assets/gen
// from icons/src) and the translations (locale/*.json). It has no logic beyond looking things up, and it is a leaf.
package assets

import (
	"embed"
	"fmt"
)

//go:generate go run ./gen

//go:embed icons/png/tray-*-48.png icons/png/app-64.png icons/png/app-256.png
//go:embed icons/ico/*.ico icons/template/tray-*-44.png
var icons embed.FS

// TrayIcon returns the tray icon of a state ("ok", "signed-out", "offline", "low", "empty" or "problem") in the format
// that the tray of the system goos takes: PNG of 48 pixels, ICO for windows, a template PNG of 44 pixels for darwin.
func TrayIcon(state, goos string) ([]byte, error) {
	path := "icons/png/tray-" + state + "-48.png"
	switch goos {
	case "windows":
		path = "icons/ico/tray-" + state + ".ico"
	case "darwin":
		path = "icons/template/tray-" + state + "-44.png"
	}
	data, err := icons.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("find tray icon %q: %w", state, err)
	}
	return data, nil
}

// AppIcon returns the program's icon as PNG of 64 (for notifications) or 256 pixels.
func AppIcon(size int) ([]byte, error) {
	data, err := icons.ReadFile(fmt.Sprintf("icons/png/app-%d.png", size))
	if err != nil {
		return nil, fmt.Errorf("find program icon: %w", err)
	}
	return data, nil
}
