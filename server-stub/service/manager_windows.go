package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/platenprint/platen/internal/osservice"
)

// account is the service's own: Windows makes it with the service, it has no password and may do nothing but be this service.
const account = `NT SERVICE\` + WindowsName

// Installed are the places of an installed service.
func Installed() (Places, error) {
	base, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return Places{}, fmt.Errorf("find the folder for programs' data: %w", err)
	}
	base = filepath.Join(base, WindowsName)
	return Places{Data: filepath.Join(base, "data"), Config: filepath.Join(base, "platen-server.yaml"), Log: filepath.Join(base, "log")}, nil
}

// Find returns the manager of this computer's services.
func Find() (Manager, error) {
	places, err := Installed()
	return scm{places}, err
}

// scm steers the service through the service control manager.
type scm struct{ places Places }

// Install implements Manager.
func (c scm) Install(_ context.Context, path string) error {
	image, err := ImagePath(path)
	if err == nil {
		err = osservice.Trusted(path, `put platen-server.exe below C:\Program Files`)
	}
	if err == nil {
		err = c.furnish()
	}
	if err == nil {
		err = create(image)
	}
	if err != nil {
		return fmt.Errorf("install the service: %w", hint(err))
	}
	return nil
}

// furnish makes the folders. The service reads its configuration, and writes below data and log.
func (c scm) furnish() error {
	base, own := filepath.Dir(c.places.Config), sid(WindowsName)
	const administrators = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	for _, step := range []struct{ path, sddl string }{
		{base, administrators + "(A;OICI;0x1200a9;;;" + own + ")"},
		{c.places.Data, administrators + "(A;OICI;FA;;;" + own + ")"},
		{c.places.Log, administrators + "(A;OICI;FA;;;" + own + ")"},
	} {
		if err := secure(step.path, step.sddl); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(c.places.Config, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.WriteString(strings.ReplaceAll(configText, "\n", "\r\n"))
	return errors.Join(err, f.Close())
}

// create makes the service, or makes it be what it is now.
func create(image string) error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = m.Disconnect() }()
	texts := map[string]*uint16{}
	for _, text := range []string{WindowsName, display, image, account} {
		if texts[text], err = windows.UTF16PtrFromString(text); err != nil {
			return err
		}
	}
	const kind, start, fault = windows.SERVICE_WIN32_OWN_PROCESS, windows.SERVICE_AUTO_START, windows.SERVICE_ERROR_NORMAL
	h, err := windows.CreateService(m.Handle, texts[WindowsName], texts[display], windows.SERVICE_ALL_ACCESS, kind, start, fault,
		texts[image], nil, nil, nil, texts[account], nil)
	if errors.Is(err, windows.ERROR_SERVICE_EXISTS) {
		if h, err = windows.OpenService(m.Handle, texts[WindowsName], windows.SERVICE_ALL_ACCESS); err == nil {
			err = windows.ChangeServiceConfig(h, kind, start, fault, texts[image], nil, nil, nil, texts[account], nil, texts[display])
		}
	}
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: WindowsName, Handle: h}
	defer func() { _ = s.Close() }()
	return complete(s)
}

// complete says what CreateService has no room for: the description, the delayed start, and that it is started again after a
// failure.
func complete(s *mgr.Service) error {
	text, err := windows.UTF16PtrFromString(description)
	if err != nil {
		return err
	}
	d := windows.SERVICE_DESCRIPTION{Description: text}
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	const again, soon, later = mgr.ServiceRestart, 5 * time.Second, time.Minute
	err = errors.Join(
		windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&d))),
		understood(windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&delayed)))),
		understood(s.SetRecoveryActions([]mgr.RecoveryAction{{Type: again, Delay: soon}, {Type: again, Delay: soon}, {Type: again, Delay: later}}, 3600)),
		understood(s.SetRecoveryActionsOnNonCrashFailures(true)),
	)
	if err != nil {
		return fmt.Errorf("set the service's start and recovery: %w", err)
	}
	return nil
}

// understood drops the error of a system that does not know such a setting (Wine).
func understood(err error) error {
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil
	}
	return err
}

// hint says what to do about the usual error.
func hint(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fmt.Errorf("%w; open the console as administrator", err)
	}
	return err
}

// with opens the service and lets fn do its work; fs.ErrNotExist if there is none.
func with(access uint32, fn func(s *mgr.Service) error) error {
	m, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseServiceHandle(m) }()
	name, err := windows.UTF16PtrFromString(WindowsName)
	if err != nil {
		return err
	}
	h, err := windows.OpenService(m, name, access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: WindowsName, Handle: h}
	defer func() { _ = s.Close() }()
	return fn(s)
}

// Uninstall implements Manager.
func (c scm) Uninstall(ctx context.Context) error {
	err := c.Stop(ctx)
	if err == nil {
		err = with(windows.DELETE, (*mgr.Service).Delete)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
		return fmt.Errorf("uninstall the service: %w", hint(err))
	}
	if err := until(ctx, func() (bool, error) {
		state, err := c.State(ctx)
		return state == NotInstalled, err
	}); err != nil {
		return fmt.Errorf("uninstall the service: it goes once every program that looks at it has ended, such as the services window: %w", err)
	}
	return nil
}

// Purge implements Manager.
func (c scm) Purge(ctx context.Context) error {
	if state, err := c.State(ctx); err != nil || state == Running {
		return errors.Join(err, errors.New("remove the server's files: it runs; stop it first"))
	}
	if err := removeAll(filepath.Dir(c.places.Config)); err != nil {
		return fmt.Errorf("remove the server's files: %w", hint(err))
	}
	return nil
}

// removeAll is os.RemoveAll, also for a system that cannot remove by handles (Wine 8). What is a link or a junction goes itself, not
// where it leads.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, windows.ERROR_INVALID_FUNCTION) {
		return err
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		below := filepath.Join(path, e.Name())
		if e.IsDir() {
			err = errors.Join(err, removeAll(below))
		} else {
			err = errors.Join(err, os.Remove(below))
		}
	}
	return errors.Join(err, os.Remove(path))
}

// Start implements Manager.
func (c scm) Start(ctx context.Context) error {
	err := with(windows.SERVICE_START, func(s *mgr.Service) error { return s.Start() })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("start the service: it is not installed; run platen-server service install")
	case err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING):
		return fmt.Errorf("start the service: %w", hint(err))
	}
	var last svc.Status
	err = until(ctx, func() (bool, error) {
		err := with(windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) (err error) { last, err = s.Query(); return err })
		return last.State == svc.Running || last.State == svc.Stopped, err
	})
	if err == nil && last.State == svc.Stopped {
		err = fmt.Errorf("it ended with %d, its own code %d; see why in %s", last.Win32ExitCode, last.ServiceSpecificExitCode, filepath.Join(c.places.Log, logFile))
	}
	if err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	return nil
}

// Stop implements Manager.
func (c scm) Stop(ctx context.Context) error {
	err := with(windows.SERVICE_STOP, func(s *mgr.Service) error { _, err := s.Control(svc.Stop); return err })
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
		return nil
	case err != nil:
		return fmt.Errorf("stop the service: %w", hint(err))
	}
	if err := until(ctx, func() (bool, error) {
		state, err := c.State(ctx)
		return state != Running, err
	}); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State implements Manager: whoever is logged on may ask.
func (scm) State(context.Context) (State, error) {
	state := Stopped
	err := with(windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		status, err := s.Query()
		if status.State != svc.Stopped {
			state = Running
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return NotInstalled, nil
	case err != nil:
		return "", fmt.Errorf("ask how the service stands: %w", err)
	}
	return state, nil
}

// until asks until it is so, or ctx ends.
func until(ctx context.Context, so func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := so()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
