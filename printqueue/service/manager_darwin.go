package service

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/internal/osservice"
)

// Find returns the manager of this computer's services.
func Find() (Manager, error) {
	return launchd{osservice.Launchd{
		Label: label, Path: osservice.LaunchDaemon(label), Command: "platen-deploy install", Run: osservice.QuickSystemTool,
	}}, nil
}

// launchd is the service in macOS.
type launchd struct{ osservice.Launchd }

// Install implements Manager.
func (l launchd) Install(_ context.Context, path string) error {
	err := trusted(path)
	if err == nil {
		var text string
		if text, err = Plist(path); err == nil {
			err = l.Write(text)
		}
	}
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	return nil
}
