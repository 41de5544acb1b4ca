// Package service makes platen-deploy a service of the operating system: systemd's by our own unit, launchd's by our own
// property list, Windows' through github.com/kardianos/service. The texts are ours because that library's are not what we need
// (its Environment is not quoted, its units are not hardened, and it finds systemctl in PATH); they are golden-tested.
//
// A computer without any of them (a container) has no service, but the program runs in the foreground all the same.
package service

import (
	"context"
	"errors"

	"github.com/platenprint/platen/internal/osservice"
)

// The names of the service.
const (
	Name        = "platen-deploy"          // systemd
	label       = "org.platenprint.deploy" // launchd
	windowsName = "PlatenDeploy"           // Windows
	command     = "run-service"            // the argument that makes the program the service
	display     = "Platen Deploy"          // for people
	description = "Vouches to the print server for the people who are logged on to this computer."
)

// State is how the service stands.
type State = osservice.State

// How a service stands.
const (
	NotInstalled = osservice.NotInstalled
	Stopped      = osservice.Stopped
	Running      = osservice.Running
)

// ErrNoServiceSystem says that nothing here runs services.
var ErrNoServiceSystem = errors.New("this computer has no service system that platen-deploy knows (systemd, launchd or Windows services); " +
	"let whatever starts programs here run \"platen-deploy run-service\" as root")

// Manager steers the service. Errors name the step and, where there is one, the remedy.
type Manager interface {
	// Install makes the service, which starts with the computer, of the program at path; a second time is no error.
	Install(ctx context.Context, path string) error
	// Uninstall stops and removes it. What it wrote (key, certificate, logs) stays.
	Uninstall(ctx context.Context) error
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	State(ctx context.Context) (State, error)
}
