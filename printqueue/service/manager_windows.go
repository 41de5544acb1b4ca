package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// Find returns the manager of this computer's services.
func Find() (Manager, error) { return scm{}, nil }

// scm steers the service through the service control manager.
type scm struct{}

// nothing is what the library needs to steer a service that it does not run.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }

// of names the service of the program at path. DelayedAutoStart is not asked for: the installer sets it.
func of(path string) (service.Service, error) {
	s, err := service.New(nothing{}, &service.Config{
		Name: windowsName, DisplayName: display, Description: description, Executable: path, Arguments: []string{command},
		Option: service.KeyValue{
			service.StartType: service.ServiceStartAutomatic, service.OnFailure: service.OnFailureRestart,
			service.OnFailureDelayDuration: "5s", service.OnFailureResetPeriod: 3600,
		},
	})
	if err == nil && s == nil { // the library can return neither
		err = ErrNoServiceSystem
	}
	return s, err
}

// Install makes the service of LocalSystem, started with the computer and again after a failure.
func (c scm) Install(ctx context.Context, path string) error {
	if err := trusted(path); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	image, err := ImagePath(path)
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	state, err := c.State(ctx)
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	if state == NotInstalled {
		s, err := of(path)
		if err == nil {
			err = s.Install()
		}
		if err != nil {
			return fmt.Errorf("install the service: %w", err)
		}
	}
	return point(image)
}

// point makes sure that Windows starts exactly our program: the library leaves a path without spaces unquoted.
func point(image string) error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(windowsName)
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	defer func() { _ = s.Close() }()
	config, err := s.Config()
	if err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	config.BinaryPathName = image
	if err := s.UpdateConfig(config); err != nil {
		return fmt.Errorf("install the service: set what it starts: %w", err)
	}
	return nil
}

func (c scm) Uninstall(ctx context.Context) error {
	state, err := c.State(ctx)
	if err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	switch state {
	case NotInstalled:
		return nil
	case Running:
		if err := c.Stop(ctx); err != nil {
			return fmt.Errorf("uninstall the service: %w", err)
		}
	case Stopped:
	}
	s, err := of("")
	if err == nil {
		err = s.Uninstall()
	}
	if err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	return nil
}

func (c scm) Start(context.Context) error {
	s, err := of("")
	if err == nil {
		err = s.Start()
	}
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return fmt.Errorf("start the service: %w", err)
	}
	return nil
}

func (c scm) Stop(context.Context) error {
	s, err := of("")
	if err == nil {
		err = s.Stop()
	}
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

func (c scm) State(context.Context) (State, error) {
	s, err := of("")
	if err != nil {
		return "", fmt.Errorf("ask how the service stands: %w", err)
	}
	status, err := s.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled), errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		return NotInstalled, nil
	case err != nil:
		return "", fmt.Errorf("ask how the service stands: %w", err)
	case status == service.StatusRunning:
		return Running, nil
	}
	return Stopped, nil
}
