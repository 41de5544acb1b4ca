package osservice

import "strings"

// below tells whether a path of Windows is below a folder. Both must be whole and clean; case does not matter there.
func below(folder, path string) bool {
	folder = strings.TrimRight(folder, `\`) + `\`
	return len(folder) > 1 && len(path) > len(folder) && strings.EqualFold(path[:len(folder)], folder) && !strings.Contains(path, `\..\`)
}
