package service

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/platenprint/platen/internal/osservice"
)

// Find returns the manager of this computer's services.
func Find() (Manager, error) { return scm{}, nil }

// scm steers the service through the service control manager.
type scm struct{}

// nothing is what the library needs to steer a service that it does not run.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }

// of names the service of the program at path. How it is started and started again is configure's part.
func of(path string) (service.Service, error) {
	s, err := service.New(nothing{}, &service.Config{
		Name: windowsName, DisplayName: display, Description: description, Executable: path, Arguments: []string{command},
		Option: service.KeyValue{service.StartType: service.ServiceStartAutomatic},
	})
	if err == nil && s == nil { // the library can return neither
		err = ErrNoServiceSystem
	}
	return s, err
}

// Install makes the service of LocalSystem, started with the computer and again after a failure. A service that is there (the
// package makes it) is set up the same way.
func (c scm) Install(ctx context.Context, path string) error {
	if err := osservice.Trusted(path, `put platen-deploy below C:\Program Files`); err != nil {
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
	return configure(image)
}

// recovery is what Windows does when the service fails: it starts it again, at last once a minute. Failures count for an hour.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
	{Type: mgr.ServiceRestart, Delay: time.Minute},
}

// configure makes sure that Windows starts exactly our program (the library leaves a path without spaces unquoted, and so may
// others who made the service), when it starts it, and that it starts it again. Each step is tried, whatever the others said.
func configure(image string) error {
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
	step := func(what string, err error) error {
		if err != nil {
			return fmt.Errorf("install the service: %s: %w", what, err)
		}
		return nil
	}
	return errors.Join(
		step("set what it starts", setImage(s.Handle, image)),
		step("set that it is started again", s.SetRecoveryActions(recovery, 3600)),
		step("set that an error counts as a failure", s.SetRecoveryActionsOnNonCrashFailures(true)),
		step("set that it is started after what log-on needs", setDelayed(s.Handle)),
	)
}

func setImage(service windows.Handle, image string) error {
	path, err := windows.UTF16PtrFromString(image)
	if err != nil {
		return err
	}
	return windows.ChangeServiceConfig(service, windows.SERVICE_NO_CHANGE, windows.SERVICE_NO_CHANGE, windows.SERVICE_NO_CHANGE,
		path, nil, nil, nil, nil, nil, nil)
}

func setDelayed(service windows.Handle) error {
	info := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	return windows.ChangeServiceConfig2(service, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&info)))
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
