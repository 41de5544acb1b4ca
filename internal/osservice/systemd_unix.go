//go:build unix

package osservice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Systemd steers a service through systemctl(1).
type Systemd struct {
	Unit     string   // the unit's name, with .service
	Dir      string   // where an administrator's units are
	Packaged []string // where packages put theirs: such a unit is left alone
	Why      string   // where it says why it did not start ("with: journalctl ..."), "" for nowhere
	Run      Tool
}

// FindSystemd is the Systemd of this computer; false where systemd does not run it.
func FindSystemd(unit, why string, run Tool) (Systemd, bool) {
	info, err := os.Stat("/run/systemd/system") // sd_booted(3)
	return Systemd{
		Unit: unit, Dir: "/etc/systemd/system", Packaged: []string{"/usr/lib/systemd/system", "/lib/systemd/system"}, Why: why, Run: run,
	}, err == nil && info.IsDir()
}

// Install has systemd start the service with the computer. Unless a package has brought the unit, it is first made to be the text that
// prepare returns.
func (s Systemd) Install(ctx context.Context, prepare func(context.Context) (text string, err error)) error {
	if !s.fromPackage() {
		text, err := prepare(ctx)
		if err != nil {
			return fmt.Errorf("install the service: %w", err)
		}
		if err := Replace(filepath.Join(s.Dir, s.Unit), text); err != nil {
			return fmt.Errorf("install the service: write the unit: %w", err)
		}
		if _, err := s.Run(ctx, "systemctl", "daemon-reload"); err != nil { // before enable: that reads the new unit
			return fmt.Errorf("install the service: %w", err)
		}
	}
	if _, err := s.Run(ctx, "systemctl", "enable", s.Unit); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	return nil
}

func (s Systemd) fromPackage() bool {
	for _, dir := range s.Packaged {
		if _, err := os.Stat(filepath.Join(dir, s.Unit)); err == nil {
			return true
		}
	}
	return false
}

// Uninstall stops the service and removes our unit, and the other files that were installed with it; a package's unit stays, switched off.
func (s Systemd) Uninstall(ctx context.Context, others ...string) error {
	state, err := s.State(ctx)
	if err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if state == NotInstalled {
		return nil
	}
	if _, err := s.Run(ctx, "systemctl", "disable", "--now", s.Unit); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	for _, path := range append([]string{filepath.Join(s.Dir, s.Unit)}, others...) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("uninstall the service: %w", err)
		}
	}
	if _, err := s.Run(ctx, "systemctl", "daemon-reload"); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	return nil
}

// Start returns when systemd takes the service for started, or when it has failed to be. It waits as long as Run does.
func (s Systemd) Start(ctx context.Context) error {
	if _, err := s.Run(ctx, "systemctl", "start", s.Unit); err != nil {
		return fmt.Errorf("start the service: %w%s", err, seeWhy(s.Why))
	}
	return nil
}

// Stop returns when the service has ended.
func (s Systemd) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ToolTime)
	defer cancel()
	if _, err := s.Run(ctx, "systemctl", "stop", s.Unit); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State asks for two properties; systemctl show answers for units that do not exist, too.
func (s Systemd) State(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, ToolTime)
	defer cancel()
	out, err := s.Run(ctx, "systemctl", "show", "--property=LoadState", "--property=ActiveState", s.Unit)
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
