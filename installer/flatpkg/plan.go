package flatpkg

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what carries the files: odc cpio has 11 octal digits for a size and 6 for a number of a file; macOS has
// NAME_MAX 255 and PATH_MAX 1024.
const (
	maxSize  = 1<<33 - 1
	maxFiles = 1<<18 - 2
	maxName  = 255
	maxPath  = 1000
)

// entry is a file of the plan, and what was learned of it when it was written.
type entry struct {
	File
	sum uint32 // cksum(1) of the content, once written
}

func (e *entry) dir() bool { return e.Mode.IsDir() }

// posixMode is the mode as st_mode has it.
func (e *entry) posixMode() uint32 {
	kind := uint32(0o100000)
	if e.dir() {
		kind = 0o040000
	}
	return kind | uint32(e.Mode.Perm())
}

// plan checks the files, adds the folders that were not listed, and sorts everything so that a folder comes before what is
// in it. The first entry is the folder everything is in, ".".
func plan(files []File) ([]*entry, error) {
	if len(files) > maxFiles {
		return nil, fmt.Errorf("%d files are more than the format takes (%d)", len(files), maxFiles)
	}
	byPath := map[string]*entry{".": {File: Dir(".", 0o755, 0)}}
	for _, f := range files {
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("file %q: %w", f.Path, err)
		}
		if byPath[f.Path] != nil {
			return nil, fmt.Errorf("file %q: it is listed twice", f.Path)
		}
		byPath[f.Path] = &entry{File: f}
	}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if e := byPath[dir]; e == nil {
				byPath[dir] = &entry{File: Dir(dir, 0o755, 0)}
			} else if !e.dir() {
				return nil, fmt.Errorf("file %q: %q is listed as a file, so nothing can be in it", f.Path, dir)
			}
		}
	}
	list := make([]*entry, 0, len(byPath))
	folded := map[string]string{}
	for name, e := range byPath {
		// The file system of most Macs does not tell these apart: one would silently replace the other.
		key := strings.ToLower(name)
		if other, ok := folded[key]; ok {
			return nil, fmt.Errorf("files %q and %q differ in upper and lower case only", min(name, other), max(name, other))
		}
		folded[key] = name
		list = append(list, e)
	}
	if len(list) > maxFiles {
		return nil, fmt.Errorf("%d files and folders are more than the format takes (%d)", len(list), maxFiles)
	}
	slices.SortFunc(list, func(a, b *entry) int {
		return slices.CompareFunc(parts(a.Path), parts(b.Path), cmp.Compare[string])
	})
	return list, nil
}

// parts cuts a path into names; "." has none.
func parts(name string) []string {
	if name == "." {
		return nil
	}
	return strings.Split(name, "/")
}

func (f File) check() error {
	if err := checkPath(f.Path); err != nil {
		return err
	}
	if f.Mode&^(fs.ModePerm|fs.ModeDir) != 0 {
		return fmt.Errorf("mode %v: only files and folders with plain permissions are taken", f.Mode)
	}
	if f.Mode.Perm()&0o002 != 0 {
		return fmt.Errorf("mode %v: everybody could change it", f.Mode)
	}
	if f.GID < 0 || f.GID > 0o777777 {
		return fmt.Errorf("group %d: a number from 0 to 262143 is wanted", f.GID)
	}
	switch {
	case f.Mode.IsDir() && (f.Open != nil || f.Size != 0):
		return errors.New("a folder has no content")
	case !f.Mode.IsDir() && f.Open == nil:
		return errors.New("a file needs content")
	case f.Size < 0 || f.Size > maxSize:
		return fmt.Errorf("size %d: the format takes up to %d bytes", f.Size, int64(maxSize))
	}
	return nil
}

// checkPath refuses what could land outside the place of installation, or be taken for something else on the way.
func checkPath(name string) error {
	switch {
	case name == "" || name == ".":
		return errors.New("it has no name")
	case !utf8.ValidString(name):
		return errors.New("its name is not UTF-8")
	case len(name) > maxPath:
		return fmt.Errorf("its path is longer than %d bytes", maxPath)
	case path.IsAbs(name) || path.Clean(name) != name || !fs.ValidPath(name):
		return errors.New("its path must be relative, without . and .. and doubled slashes")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("its name has control characters")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case len(part) > maxName:
			return fmt.Errorf("a name in it is longer than %d bytes", maxName)
		case strings.HasPrefix(part, "._"):
			return errors.New("macOS takes names with ._ for the attributes of another file")
		case part == trailer:
			return errors.New("cpio ends at a file of this name")
		}
	}
	return nil
}

var (
	identifier   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)+$`)
	versionText  = regexp.MustCompile(`^[0-9][0-9A-Za-z.-]*$`)
	osVersion    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`)
	architecture = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// earliest is before any Mac's clock; latest is where the Bom's 32 bits end.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(1<<32-1, 0)
)

func (p Package) check() error {
	switch {
	case !identifier.MatchString(p.Identifier):
		return fmt.Errorf("identifier %q: write it as org.example.thing", p.Identifier)
	case !versionText.MatchString(p.Version):
		return fmt.Errorf("version %q: begin with a digit, then letters, digits, dots and hyphens", p.Version)
	case p.MinOS != "" && !osVersion.MatchString(p.MinOS):
		return fmt.Errorf("oldest macOS %q: write numbers with dots", p.MinOS)
	case !path.IsAbs(p.location()) || path.Clean(p.location()) != p.location():
		return fmt.Errorf("place of installation %q: an absolute path is wanted", p.InstallLocation)
	case p.Time.Before(earliest) || p.Time.After(latest):
		return fmt.Errorf("time %v: it must lie between 1970 and 2106", p.Time)
	}
	for _, a := range p.Architectures {
		if !architecture.MatchString(a) {
			return fmt.Errorf("architecture %q: such as arm64 or x86_64", a)
		}
	}
	for _, b := range p.Bundles {
		if err := checkPath(b.Path); err != nil {
			return fmt.Errorf("bundle %q: %w", b.Path, err)
		}
		if !identifier.MatchString(b.ID) || !osVersion.MatchString(b.Version) {
			return fmt.Errorf("bundle %q: identifier %q or version %q is not as macOS wants it", b.Path, b.ID, b.Version)
		}
	}
	return nil
}
