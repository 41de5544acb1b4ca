// Package statedir says where the client keeps what it writes on this computer: logs, and the sealed session of
// auth/tokenstore. Settings live elsewhere (client/config).
package statedir

import (
	"errors"
	"path/filepath"
)

// The files in the folder. The old log is what was turned away when the log became too long.
const (
	LogFile    = "platen.log"
	OldLogFile = "platen.log.1"
	CrashFile  = "crash.log"
)

// ErrNoHome says that the environment names no place to write to.
var ErrNoHome = errors.New("no home folder is set (HOME, or LOCALAPPDATA on Windows)")

// Find returns the folder for a system (a runtime.GOOS value) and an environment. It does not make it.
//
//	linux    $XDG_STATE_HOME/platen, else ~/.local/state/platen (XDG base directory specification 0.8)
//	darwin   ~/Library/Application Support/Platen
//	windows  %LOCALAPPDATA%\Platen
func Find(goos string, getenv func(string) string) (string, error) {
	home := getenv("HOME")
	switch goos {
	case "windows":
		if local := getenv("LOCALAPPDATA"); local != "" {
			return filepath.Join(local, "Platen"), nil
		}
		return "", ErrNoHome
	case "darwin":
		if home == "" {
			return "", ErrNoHome
		}
		return filepath.Join(home, "Library", "Application Support", "Platen"), nil
	}
	if state := getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "platen"), nil
	}
	if home == "" {
		return "", ErrNoHome
	}
	return filepath.Join(home, ".local", "state", "platen"), nil
}
