//go:build unix

package osservice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Launchd steers a service through launchctl(1). It is built for Linux as well, where its tests run.
type Launchd struct {
	Label   string
	Path    string // the property list's
	Command string // what installs the service, for people
	Why     string // where it says why it did not start ("in /Library/Logs/..."), "" for nowhere
	Run     Tool
}

// LaunchDaemon is where macOS looks for the property list of the service of that label.
func LaunchDaemon(label string) string { return "/Library/LaunchDaemons/" + label + ".plist" }

// launchd's name for the services of the computer, rather than of somebody's session.
const domain = "system"

func (l Launchd) target() string { return domain + "/" + l.Label }

// Write writes the property list. launchd starts the service with the computer, and at once when it is loaded (Start).
func (l Launchd) Write(text string) error {
	if err := Replace(l.Path, text); err != nil {
		return fmt.Errorf("write the property list: %w", err)
	}
	return nil
}

// Uninstall stops the service and removes the property list.
func (l Launchd) Uninstall(ctx context.Context) error {
	if err := l.Stop(ctx); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if err := os.Remove(l.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("uninstall the service: remove the property list: %w", err)
	}
	return nil
}

// Start loads the service; launchd does not tell when it is ready.
func (l Launchd) Start(ctx context.Context) error {
	state, err := l.State(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("start the service: %w", err)
	case state == NotInstalled:
		return fmt.Errorf("start the service: it is not installed; run %s", l.Command)
	case state == Running:
		return nil
	}
	if _, err := l.Run(ctx, "launchctl", "bootstrap", domain, l.Path); err != nil {
		return fmt.Errorf("start the service: %w%s", err, seeWhy(l.Why))
	}
	return nil
}

// Stop unloads the service; launchd would start a loaded one again.
func (l Launchd) Stop(ctx context.Context) error {
	if state, err := l.State(ctx); err != nil || state != Running {
		return err
	}
	if _, err := l.Run(ctx, "launchctl", "bootout", l.target()); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State takes a loaded service for a running one.
func (l Launchd) State(ctx context.Context) (State, error) {
	if _, err := os.Stat(l.Path); errors.Is(err, fs.ErrNotExist) {
		return NotInstalled, nil
	}
	out, err := l.Run(ctx, "launchctl", "print", l.target())
	if err == nil && strings.Contains(out, l.Label) {
		return Running, nil
	}
	return Stopped, nil
}
