package service

import (
	"context"

	"github.com/platenprint/platen/internal/osservice"
)

const unitName = Name + ".service"

// Find returns the manager of this computer's services, or ErrNoServiceSystem.
func Find() (Manager, error) {
	s, ok := osservice.FindSystemd(unitName, "", osservice.QuickSystemTool)
	if !ok {
		return nil, ErrNoServiceSystem
	}
	return systemd{Systemd: s, check: trusted}, nil
}

// systemd is the service in Linux.
type systemd struct {
	osservice.Systemd
	check func(path string) error
}

// Install implements Manager.
func (s systemd) Install(ctx context.Context, path string) error {
	return s.Systemd.Install(ctx, func(context.Context) (string, error) {
		if err := s.check(path); err != nil {
			return "", err
		}
		return Unit(path)
	})
}

// Uninstall implements Manager.
func (s systemd) Uninstall(ctx context.Context) error { return s.Systemd.Uninstall(ctx) }
