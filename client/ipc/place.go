package ipc

import "fmt"

// EnvRuntimeDir names a folder for the socket (and the lock beside it), for tests and demonstrations.
const EnvRuntimeDir = "PLATEN_RUNTIME_DIR"

// Place is where the resident of one person listens: the path of a Unix socket or the name of a Windows pipe. Find makes
// it. It prints as what it is.
type Place struct {
	dir     string // the folder of the socket; empty on Windows
	address string
}

// String returns the path or name.
func (p Place) String() string { return p.address }

// maxPath is the longest path of a socket that every system takes (sun_path has 104 bytes on macOS, 108 on Linux).
const maxPath = 100

// checkLength refuses paths that the kernel would cut or refuse with a riddle.
func checkLength(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("the path of the socket is longer than %d bytes: %s; set %s to a shorter folder", maxPath, path, EnvRuntimeDir)
	}
	return nil
}
