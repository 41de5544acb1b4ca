package residents

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	maxLinks    = 16
	maxListed   = 5000    // homes that are looked at
	largestText = 8 << 20 // bytes of passwd and mountinfo
)

// findHomes lists the homes on this computer: of the accounts in passwd, and the folders below homes, which are those of people
// whom a directory knows. It looks at no file system that may ask another computer, and not into what is not root's.
func findHomes(passwd, homes, mountinfo string) (list []home, skipped []string, err error) {
	text, err := readText(mountinfo)
	if err != nil {
		return nil, nil, fmt.Errorf("find people's homes: %w", err)
	}
	mounts := parseMounts(text)
	text, err = readText(passwd)
	if err != nil {
		return nil, nil, fmt.Errorf("find people's homes: %w", err)
	}
	seen := map[string]bool{}
	for _, h := range slices.Concat(parsePasswd(text), below(homes, mounts, 2)) {
		if len(list) >= maxListed || seen[h.path] {
			continue
		}
		seen[h.path] = true
		kind, err := settle(h.path, mounts)
		switch {
		case errors.Is(err, errRemote):
			skipped = append(skipped, h.path+": on a network file system ("+kind+")")
			continue
		case err != nil:
			continue // it has never been made
		}
		if uid, _, ok := ownerOf(h.path); ok && uid == h.uid {
			list = append(list, h)
		}
	}
	return list, skipped, nil
}

func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var b strings.Builder
	if _, err := io.Copy(&b, io.LimitReader(f, largestText)); err != nil {
		return "", err
	}
	return b.String(), nil
}

// below lists the folders of people in a folder of root's, and in those of root's in it (/home/EXAMPLE/alex).
func below(dir string, mounts []mount, depth int) []home {
	if _, err := settle(dir, mounts); err != nil || depth == 0 {
		return nil
	}
	if uid, _, ok := ownerOf(dir); !ok || uid != 0 {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []home
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() {
			continue
		}
		if _, err := settle(path, mounts); err != nil {
			continue
		}
		uid, gid, ok := ownerOf(path)
		switch {
		case ok && uid == 0:
			list = append(list, below(path, mounts, depth-1)...)
		case ok && isPerson(uid):
			list = append(list, home{path: path, uid: uid, gid: gid})
		}
	}
	return list
}

// ownerOf tells whose folder it is.
func ownerOf(path string) (uid, gid uint32, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}

var errRemote = errors.New("it is on another computer")

// settle makes sure, step by step, that nothing on the way to a folder is on a network file system: a server that does not answer
// would hold us up.
func settle(path string, mounts []mount) (kind string, err error) {
	rest := strings.Split(strings.Trim(filepath.Clean(path), "/"), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		if kind = kindAt(next, mounts); remote(kind) {
			return kind, errRemote
		}
		info, err := os.Lstat(next)
		if err != nil {
			return kind, err
		}
		rest = rest[1:]
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return kind, fmt.Errorf("%s: too many links", path)
		}
		to, err := os.Readlink(next)
		if err != nil {
			return kind, err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(at, to)
		}
		rest = append(strings.Split(strings.Trim(filepath.Clean(to), "/"), "/"), rest...)
		at = "/"
	}
	return kind, nil
}
