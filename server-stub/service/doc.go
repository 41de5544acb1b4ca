// Package service makes platen-server a service of the operating system: systemd's by the unit that the packages bring too,
// launchd's by a property list, Windows' by the service control manager. The service has an account of its own that can do nothing
// else, and folders that only it and administrators may enter.
//
// Taking a service out leaves what it wrote: a server's folder is people's money. Only Purge removes that.
package service

import (
	"context"
	"errors"

	"github.com/platenprint/platen/internal/osservice"
)

// The names of the service.
const (
	Name        = "platen-server"          // systemd, and its account
	label       = "org.platenprint.server" // launchd
	macAccount  = "_platenserver"          // macOS
	WindowsName = "PlatenServer"           // Windows, and its folder below %ProgramData%
	display     = "Platen Server"          // for people
	description = "Print server: accounts, balances and sign-in for printing."
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
var ErrNoServiceSystem = errors.New("this computer has no service system that platen-server knows (systemd, launchd or Windows services); " +
	"let whatever starts programs here run \"platen-server serve --data DIR\" as a user of its own")

// Manager steers the service. Errors name the step and, where there is one, the remedy.
type Manager interface {
	// Install makes the service, which starts with the computer, of the program at path, its account, its folders, and a
	// configuration to fill in if there is none. A second time is no error and makes it be what it is now.
	Install(ctx context.Context, path string) error
	// Uninstall stops and removes it. What is in its folders stays.
	Uninstall(ctx context.Context) error
	// Purge removes its folders, with everybody's balances in them. The service must be gone.
	Purge(ctx context.Context) error
	// Start returns when the server is ready, or when it has failed to be.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	State(ctx context.Context) (State, error)
}

// Places are where an installed service has its files.
type Places struct {
	Data   string // the data folder
	Config string // the configuration file
	Log    string // the folder of its log files, "" where the system keeps them
}
