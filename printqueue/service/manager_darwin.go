package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const (
	plistPath = "/Library/LaunchDaemons/" + label + ".plist"
	domain    = "system"
	target    = domain + "/" + label
)

// Find returns the manager of this computer's services.
func Find() (Manager, error) { return launchd{run: systemTool}, nil }

// launchd steers the service through launchctl(1).
type launchd struct{ run tool }

// Install writes the property list. launchd starts it with the computer, and at once when it is loaded (Start).
func (l launchd) Install(_ context.Context, path string) error {
	if err := trusted(path); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	text, err := Plist(path)
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	if err := replace(plistPath, text); err != nil {
		return fmt.Errorf("install the service: write the property list: %w", err)
	}
	return nil
}

// Uninstall stops the service and removes the property list.
func (l launchd) Uninstall(ctx context.Context) error {
	if err := l.Stop(ctx); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if err := os.Remove(plistPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("uninstall the service: remove the property list: %w", err)
	}
	return nil
}

func (l launchd) Start(ctx context.Context) error {
	state, err := l.State(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("start the service: %w", err)
	case state == NotInstalled:
		return errors.New("start the service: it is not installed; run platen-deploy install")
	case state == Running:
		return nil
	}
	if _, err := l.run(ctx, "launchctl", "bootstrap", domain, plistPath); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	return nil
}

// Stop unloads the service; launchd would start a loaded one again.
func (l launchd) Stop(ctx context.Context) error {
	if state, err := l.State(ctx); err != nil || state != Running {
		return err
	}
	if _, err := l.run(ctx, "launchctl", "bootout", target); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State takes a loaded service for a running one.
func (l launchd) State(ctx context.Context) (State, error) {
	if _, err := os.Stat(plistPath); errors.Is(err, fs.ErrNotExist) {
		return NotInstalled, nil
	}
	out, err := l.run(ctx, "launchctl", "print", target)
	if err == nil && strings.Contains(out, label) {
		return Running, nil
	}
	return Stopped, nil
}
