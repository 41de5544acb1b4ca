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

	"github.com/platenprint/platen/internal/osservice"
)

const unitName = Name + ".service"

// Installed are the places of an installed service.
func Installed() (Places, error) {
	return Places{Data: "/var/lib/platen-server", Config: "/etc/platen-server/platen-server.yaml"}, nil
}

// Find returns the manager of this computer's services, or ErrNoServiceSystem.
func Find() (Manager, error) {
	s, ok := osservice.FindSystemd(unitName, "with: journalctl -u "+Name, osservice.SystemTool) // as long as a server takes to be ready
	if !ok {
		return nil, ErrNoServiceSystem
	}
	places, err := Installed()
	if err != nil {
		return nil, err
	}
	return systemd{Systemd: s, accounts: "/etc/sysusers.d", places: places, check: installable, group: groupID}, nil
}

// systemd is the service in Linux, with its account.
type systemd struct {
	osservice.Systemd
	accounts string // where an administrator's sysusers.d(5) files are
	places   Places
	check    func(path string) error
	group    func(name string) (int, error)
}

// Install implements Manager. A package that has brought the unit has brought the account, too.
func (s systemd) Install(ctx context.Context, path string) error {
	return s.Systemd.Install(ctx, func(ctx context.Context) (string, error) { return s.prepare(ctx, path) })
}

// prepare makes what the unit needs, and returns its text.
func (s systemd) prepare(ctx context.Context, path string) (string, error) {
	if err := s.check(path); err != nil {
		return "", err
	}
	text, err := Unit(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.accounts, 0o755); err != nil {
		return "", fmt.Errorf("make the account: %w", err)
	}
	if err := osservice.Replace(s.account(), accountText); err != nil {
		return "", fmt.Errorf("make the account: %w", err)
	}
	if _, err := s.Run(ctx, "systemd-sysusers", s.account()); err != nil {
		return "", fmt.Errorf("make the account: %w", err)
	}
	gid, err := s.group(Name)
	if err != nil {
		return "", fmt.Errorf("make the account: %w", err)
	}
	if err := offer(s.places.Config, configText, gid); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return text, nil
}

// account is the file that makes the account.
func (s systemd) account() string { return filepath.Join(s.accounts, Name+".conf") }

func groupID(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// Uninstall implements Manager. The account stays: its files do.
func (s systemd) Uninstall(ctx context.Context) error { return s.Systemd.Uninstall(ctx, s.account()) }

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
