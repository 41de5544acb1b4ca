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

// kept are the folders that a resident and its window keep, in a profile.
var kept = []string{`AppData\Local\Platen`, `AppData\Local\fyne\org.platenprint.platen`, `AppData\Roaming\fyne\org.platenprint.platen`}

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
		something, err := purgeProfile(dir, (*os.Root).RemoveAll)
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

// purgeProfile removes our folders from a profile, through a root that leads out of it by no link. (remove is RemoveAll, which Wine 8
// does not have.)
func purgeProfile(dir string, remove func(root *os.Root, path string) error) (something bool, err error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = root.Close() }()
	for _, path := range kept {
		there, e := plain(root, path)
		if e == nil && there {
			something = true
			e = remove(root, path)
		}
		err = errors.Join(err, e)
	}
	return something, err
}

// plain tells whether a folder is there. Whatever is not a plain folder on the way to it, a link or a junction that somebody
// prepared, is refused.
func plain(root *os.Root, path string) (bool, error) {
	at := ""
	for part := range strings.SplitSeq(path, `\`) {
		at = filepath.Join(at, part)
		info, err := root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if info.Mode().Type() != fs.ModeDir {
			return false, fmt.Errorf("%s is no plain folder; it was left alone", at)
		}
	}
	return true, nil
}
