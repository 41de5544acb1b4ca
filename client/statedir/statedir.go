// Package statedir says where the client keeps what it writes on this computer: logs, the servers that the person has confirmed,
// and the sealed session of auth/tokenstore. Settings live elsewhere (client/config).
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

	ServersFile = "server.json" // which servers the person has confirmed (client/servers)
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

// Files are the names of what the client itself writes into the folder; auth/tokenstore knows its own. A name that ends in * is
// that of a file that was being written.
func Files() []string {
	return []string{LogFile, OldLogFile, CrashFile, ServersFile, ServersFile + ".*"}
}

// windowID is the window's name to its toolkit, which keeps settings under it.
const windowID = "org.platenprint.platen"

// Window lists the folders in which the window's toolkit keeps what it remembers of the window, and pictures of its own
// (Fyne 2.7.1, internal/app and app/icon_cache_file.go).
func Window(goos string, getenv func(string) string) []string {
	var config, cache string
	home := getenv("HOME")
	switch {
	case goos == "windows":
		if profile := getenv("USERPROFILE"); profile != "" {
			config = filepath.Join(profile, "AppData", "Roaming")
		}
		cache = getenv("LOCALAPPDATA")
	case goos == "darwin" && home != "":
		config, cache = filepath.Join(home, "Library", "Preferences"), filepath.Join(home, "Library", "Caches")
	case goos != "darwin":
		config, cache = xdg(getenv, "XDG_CONFIG_HOME", ".config"), xdg(getenv, "XDG_CACHE_HOME", ".cache")
	}
	var list []string
	for _, base := range []string{config, cache} {
		if base != "" {
			list = append(list, filepath.Join(base, "fyne", windowID))
		}
	}
	return list
}

// xdg is a base folder of the XDG specification, "" if the environment tells of none.
func xdg(getenv func(string) string, name, usual string) string {
	if dir := getenv(name); filepath.IsAbs(dir) {
		return dir
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, usual)
	}
	return ""
}
