package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const unitName = Name + ".service"

// toolTime is how long systemctl may take, but for starting the server, which waits until that is ready.
const toolTime = 60 * time.Second

// Installed are the places of an installed service.
func Installed() (Places, error) {
	return Places{Data: "/var/lib/platen-server", Config: "/etc/platen-server/platen-server.yaml"}, nil
}

// Find returns the manager of this computer's services, or ErrNoServiceSystem.
func Find() (Manager, error) {
	if info, err := os.Stat("/run/systemd/system"); err != nil || !info.IsDir() { // sd_booted(3)
		return nil, ErrNoServiceSystem
	}
	places, err := Installed()
	if err != nil {
		return nil, err
	}
	return systemd{
		dir: "/etc/systemd/system", packaged: []string{"/usr/lib/systemd/system", "/lib/systemd/system"}, accounts: "/etc/sysusers.d",
		places: places, run: systemTool, check: installable, group: groupID,
	}, nil
}

// systemd steers the service through systemctl(1).
type systemd struct {
	dir      string   // where an administrator's units are
	packaged []string // where packages put theirs: such a unit is left alone
	accounts string   // where an administrator's sysusers.d(5) files are
	places   Places
	run      tool
	check    func(path string) error
	group    func(name string) (int, error)
}

// Install writes the unit and makes the account, unless a package has brought both, and has systemd start it with the computer.
func (s systemd) Install(ctx context.Context, path string) error {
	if !s.fromPackage() {
		if err := s.write(ctx, path); err != nil {
			return fmt.Errorf("install the service: %w", err)
		}
	}
	if _, err := s.run(ctx, "systemctl", "enable", unitName); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	return nil
}

func (s systemd) write(ctx context.Context, path string) error {
	if err := s.check(path); err != nil {
		return err
	}
	text, err := Unit(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.accounts, 0o755); err != nil {
		return fmt.Errorf("make the account: %w", err)
	}
	account := filepath.Join(s.accounts, Name+".conf")
	if err := replace(account, accountText); err != nil {
		return fmt.Errorf("make the account: %w", err)
	}
	if _, err := s.run(ctx, "systemd-sysusers", account); err != nil {
		return fmt.Errorf("make the account: %w", err)
	}
	gid, err := s.group(Name)
	if err != nil {
		return fmt.Errorf("make the account: %w", err)
	}
	if err := offer(s.places.Config, configText, gid); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := replace(filepath.Join(s.dir, unitName), text); err != nil {
		return fmt.Errorf("write the unit: %w", err)
	}
	_, err = s.run(ctx, "systemctl", "daemon-reload") // before enable: that reads the new unit
	return err
}

func groupID(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

func (s systemd) fromPackage() bool {
	for _, dir := range s.packaged {
		if _, err := os.Stat(filepath.Join(dir, unitName)); err == nil {
			return true
		}
	}
	return false
}

// Uninstall stops the service and removes our unit; one of a package stays, switched off. The account stays: its files do.
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
	for _, path := range []string{filepath.Join(s.dir, unitName), filepath.Join(s.accounts, Name+".conf")} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("uninstall the service: %w", err)
		}
	}
	if _, err := s.run(ctx, "systemctl", "daemon-reload"); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	return nil
}

// Purge implements Manager.
func (s systemd) Purge(ctx context.Context) error {
	if state, err := s.State(ctx); err != nil || state == Running {
		return errors.Join(err, errors.New("remove the server's files: it runs; stop it first"))
	}
	if err := remove(s.places.Data, s.places.Config); err != nil {
		return fmt.Errorf("remove the server's files: %w", err)
	}
	if err := os.Remove(filepath.Dir(s.places.Config)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the server's files: %w; what else is in it was not made by Platen", err)
	}
	return nil
}

func (s systemd) Start(ctx context.Context) error {
	if _, err := s.run(ctx, "systemctl", "start", unitName); err != nil {
		return fmt.Errorf("start the service: %w; see why with: journalctl -u %s", err, Name)
	}
	return nil
}

func (s systemd) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	if _, err := s.run(ctx, "systemctl", "stop", unitName); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State asks for two properties; systemctl show answers for units that do not exist, too.
func (s systemd) State(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
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
