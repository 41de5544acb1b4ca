package osservice

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// Trusted makes sure that the program is where only administrators can put another one in its place: a service that is started
// from somebody's folder makes them SYSTEM. The error ends with the remedy.
func Trusted(path, remedy string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("look at the program: %w", err)
	}
	for _, id := range []*windows.KNOWNFOLDERID{windows.FOLDERID_ProgramFiles, windows.FOLDERID_ProgramFilesX86} {
		folder, err := windows.KnownFolderPath(id, 0)
		if err == nil && below(folder, real) {
			return nil
		}
	}
	return fmt.Errorf("others than administrators may be able to replace the program; %s", remedy)
}
