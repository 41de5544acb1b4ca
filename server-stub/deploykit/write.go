package deploykit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/server-stub/core"
)

// Written is a file of a kit that was written.
type Written struct {
	Path   string `json:"path"` // below the folder, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	About  string `json:"about,omitempty"`
}

// Free tells whether a kit can be written to dir: there is no such folder, or it is empty, or it has an earlier kit that nobody has
// changed. Errors are core.ErrInvalid and name what is in the way.
func Free(dir string) error {
	_, err := earlier(dir)
	return err
}

// Write writes the kit to dir, all of it or nothing: an earlier kit there is replaced as a whole.
func (k *Kit) Write(dir string) ([]Written, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder for the kit: %w", err)
	}
	old, err := earlier(dir)
	if err != nil {
		return nil, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for the kit: %w", err)
	}
	work, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".new-") // 0700 until it is whole
	if err != nil {
		return nil, fmt.Errorf("make the folder for the kit: %w", err)
	}
	list, err := k.fill(work)
	if err == nil {
		err = replace(work, dir, old)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the kit: %w", err), os.RemoveAll(work))
	}
	return list, nil
}

// fill writes everything below dir.
func (k *Kit) fill(dir string) ([]Written, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	var list []Written
	var lines strings.Builder
	for _, f := range k.files {
		w, err := f.write(root)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
		fmt.Fprintf(&lines, "%s  %s\n", w.SHA256, w.Path)
	}
	w, err := file{path: sums.Name, mode: public, content: []byte(lines.String()), about: "the sums of all files; sha256sum -c reads it"}.write(root)
	if err != nil {
		return nil, err
	}
	return append(list, w), root.Chmod(".", 0o755)
}

// write writes the file below root.
func (f file) write(root *os.Root) (w Written, err error) {
	if dir := filepath.Dir(filepath.FromSlash(f.path)); f.mode == private {
		err = makePrivate(root, dir)
	} else {
		err = root.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return w, err
	}
	to, err := root.OpenFile(filepath.FromSlash(f.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	var from io.Reader = strings.NewReader(string(f.content))
	if f.from != "" {
		source, err := os.Open(f.from)
		if err != nil {
			return w, err
		}
		defer func() { _ = source.Close() }()
		from = source
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), from)
	if err != nil {
		return w, err
	}
	w = Written{Path: f.path, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil)), About: f.about}
	if f.sum != "" && f.sum != w.SHA256 {
		return w, fmt.Errorf("%w: %s was changed meanwhile; try again when it is whole", core.ErrConflict, f.from)
	}
	return w, nil
}

// earlier lists the files of an earlier kit in dir, nil when there is nothing. Files that are not of a kit, or were changed since,
// are somebody's: then the error names one.
func earlier(dir string) ([]string, error) {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at the folder for the kit: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is not a folder; choose another place with --out", core.ErrInvalid, dir)
	}
	listed := map[string]string{}
	f, err := os.Open(filepath.Join(dir, sums.Name))
	if err == nil {
		listed, err = sums.Read(f)
		_ = f.Close()
		if err != nil {
			listed = map[string]string{} // not ours: then its neighbours are not, either
		}
	}
	var found []string
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		ours := false
		if want, ok := listed[name]; ok && e.Type().IsRegular() {
			sum, err := sums.File(path)
			if err != nil {
				return err
			}
			ours = sum == want
		} else if name == sums.Name {
			ours = e.Type().IsRegular() && len(listed) > 0
		}
		if !ours {
			return fmt.Errorf("%w: %s has %s, which is not of a kit or was changed since; nothing was written, choose an empty folder with --out",
				core.ErrInvalid, dir, name)
		}
		found = append(found, name)
		return nil
	})
	if err != nil && !errors.Is(err, core.ErrInvalid) {
		err = fmt.Errorf("look at the folder for the kit: %w", err)
	}
	return found, err
}

// replace puts the new folder into the place of the old one, whose files are known.
func replace(work, dir string, old []string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(work, dir)
	}
	aside := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".old-"+strings.ToLower(rand.Text()[:10]))
	if err := os.Rename(dir, aside); err != nil {
		return err
	}
	if err := os.Rename(work, dir); err != nil {
		return errors.Join(err, os.Rename(aside, dir))
	}
	return removeAll(aside, old)
}

// removeAll removes the files and the folders that are empty then.
func removeAll(dir string, files []string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	folders := map[string]bool{}
	for _, name := range files {
		if err := root.Remove(filepath.FromSlash(name)); err != nil {
			return err
		}
		for d := filepath.Dir(filepath.FromSlash(name)); d != "."; d = filepath.Dir(d) {
			folders[d] = true
		}
	}
	var deepest []string
	for d := range folders {
		deepest = append(deepest, d)
	}
	slices.SortFunc(deepest, func(a, b string) int { return len(b) - len(a) })
	for _, d := range deepest {
		if err := root.Remove(d); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
