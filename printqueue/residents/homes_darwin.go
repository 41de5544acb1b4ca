package residents

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	users       = "/Users"
	firstPerson = 501 // smaller numbers are services'
)

// findHomes lists the folders of people below /Users. Network homes are elsewhere (/Network, /home), so none is looked at.
func findHomes() (list []home, skipped []string, err error) {
	entries, err := os.ReadDir(users)
	if err != nil {
		return nil, nil, fmt.Errorf("find people's homes: %w", err)
	}
	for _, e := range entries {
		info, err := os.Lstat(filepath.Join(users, e.Name()))
		if err != nil || !info.IsDir() {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid >= firstPerson {
			list = append(list, home{path: filepath.Join(users, e.Name()), uid: st.Uid, gid: st.Gid})
		}
	}
	return list, nil, nil
}
