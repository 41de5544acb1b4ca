package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Find returns the manager of this computer's services, or ErrNoServiceSystem.
func Find() (Manager, error) {
	if info, err := os.Stat("/run/systemd/system"); err != nil || !info.IsDir() { // sd_booted(3)
		return nil, ErrNoServiceSystem
	}
	return systemd{dir: "/etc/systemd/system", packaged: []string{"/usr/lib/systemd/system", "/lib/systemd/system"}, run: systemTool, check: trusted}, nil
}

const unitName = Name + ".service"

// systemd steers the service through systemctl(1).
type systemd struct {
	dir      string   // where an administrator's units are
	packaged []string // where packages put theirs: such a unit is left alone
	run      tool
	check    func(path string) error
}

// Install writes the unit, unless a package has brought one, and has systemd start it with the computer.
func (s systemd) Install(ctx context.Context, path string) error {
	if !s.fromPackage() {
		if err := s.check(path); err != nil {
			return fmt.Errorf("install the service: %w", err)
		}
		text, err := Unit(path)
		if err != nil {
			return fmt.Errorf("install the service: %w", err)
		}
		if err := replace(filepath.Join(s.dir, unitName), text); err != nil {
			return fmt.Errorf("install the service: write the unit: %w", err)
		}
		if _, err := s.run(ctx, "systemctl", "daemon-reload"); err != nil { // before enable: that reads the new unit
			return fmt.Errorf("install the service: %w", err)
		}
	}
	if _, err := s.run(ctx, "systemctl", "enable", unitName); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	return nil
}

func (s systemd) fromPackage() bool {
	for _, dir := range s.packaged {
		if _, err := os.Stat(filepath.Join(dir, unitName)); err == nil {
			return true
		}
	}
	return false
}

// Uninstall stops the service and removes our unit; one of a package stays, switched off.
func (s systemd) Uninstall(ctx context.Context) error {
	state, err := s.State(ctx)
	if err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if state == NotInstalled {
		return nil
	}
	if _, err := s.run(ctx, "systemctl", "disable", "--now", unitName); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if err := os.Remove(filepath.Join(s.dir, unitName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("uninstall the service: remove the unit: %w", err)
	}
	if _, err := s.run(ctx, "systemctl", "daemon-reload"); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	return nil
}

func (s systemd) Start(ctx context.Context) error {
	if _, err := s.run(ctx, "systemctl", "start", unitName); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	return nil
}

func (s systemd) Stop(ctx context.Context) error {
	if _, err := s.run(ctx, "systemctl", "stop", unitName); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State asks for two properties; systemctl show answers for units that do not exist, too.
func (s systemd) State(ctx context.Context) (State, error) {
	out, err := s.run(ctx, "systemctl", "show", "--property=LoadState", "--property=ActiveState", unitName)
	if err != nil {
		return "", fmt.Errorf("ask how the service stands: %w", err)
	}
	switch {
	case !strings.Contains(out, "LoadState=loaded"):
		return NotInstalled, nil
	case strings.Contains(out, "ActiveState=active"), strings.Contains(out, "ActiveState=activating"), strings.Contains(out, "ActiveState=reloading"):
		return Running, nil
	}
	return Stopped, nil
}
