package statedir

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// Find returns the folders of this computer. It makes none. %ProgramData% is asked of Windows, not of the environment.
func Find() (Places, error) {
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return Places{}, fmt.Errorf("find the folder for programs' data: %w", err)
	}
	dir := filepath.Join(data, "Platen", "sys")
	return Places{State: dir, Log: filepath.Join(data, "Platen", "log")}, nil
}
