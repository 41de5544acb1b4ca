//go:build !linux

package doctor

// ThisDesk is nil: this system always shows tray icons and notifications.
func ThisDesk(map[string]string) TrayProbe { return nil }
