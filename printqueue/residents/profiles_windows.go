package residents

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// profileList is where Windows has the folders of everybody who ever logged on. Only administrators write it.
const profileList = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`

// kept is what a resident keeps, in a profile.
var kept = []string{`AppData`, `AppData\Local`, `AppData\Local\Platen`}

// purgeProfiles removes what is kept in the profiles of this computer, of people who are not logged on too. Their key in the
// Credential Manager stays: it is encrypted with their password, and what it opened is gone.
func purgeProfiles(r *Report) {
	dirs, err := profiles()
	if err != nil {
		r.problem("find people's profiles", err)
	}
	for _, dir := range dirs {
		if strings.HasPrefix(dir, `\\`) {
			r.Skipped = append(r.Skipped, dir+": on another computer")
			continue
		}
		something, err := purgeProfile(dir)
		if err != nil {
			r.problem(dir, err)
		}
		if something {
			r.Accounts++
		}
	}
}

func profiles() ([]string, error) {
	list, err := registry.OpenKey(registry.LOCAL_MACHINE, profileList, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil, err
	}
	defer func() { _ = list.Close() }()
	sids, err := list.ReadSubKeyNames(-1)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, sid := range sids {
		if !strings.HasPrefix(sid, "S-1-5-21-") && !strings.HasPrefix(sid, "S-1-12-1-") { // people: of a domain or this computer, of Entra ID
			continue
		}
		k, err := registry.OpenKey(registry.LOCAL_MACHINE, profileList+`\`+sid, registry.QUERY_VALUE)
		if err != nil {
			continue
		}
		path, _, err := k.GetStringValue("ProfileImagePath")
		_ = k.Close()
		if err != nil {
			continue
		}
		if path, err = registry.ExpandString(path); err == nil && filepath.IsAbs(path) {
			dirs = append(dirs, filepath.Clean(path))
		}
	}
	return dirs, nil
}

// purgeProfile removes our folder from a profile. Whatever is not a plain folder on the way, a link or a junction that somebody
// prepared, is refused; nothing outside of the profile can be reached.
func purgeProfile(dir string) (bool, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = root.Close() }()
	for _, step := range kept {
		info, err := root.Lstat(step)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if info.Mode().Type() != fs.ModeDir {
			return false, fmt.Errorf("%s is no plain folder; it was left alone", step)
		}
	}
	return true, root.RemoveAll(kept[len(kept)-1])
}
