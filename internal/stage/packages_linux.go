package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Packages is what dpkg changes on a Workstation: it is seen by this program and those it starts, and gone with them.
type Packages struct {
	layers string
	before map[string]bool // what was in the watched folders
}

// watched are the folders beside /usr in which packages and their programs leave something.
var watched = []string{"/etc", "/var/lib", "/var/log", "/opt", "/run"}

// PackagedWorkstation is Workstation on a computer whose packages can be changed, too: it has a /usr and a list of packages of its
// own, which begin as this computer's.
func (p *Place) PackagedWorkstation(ctx context.Context, accounts ...Account) (*Packages, error) {
	if os.Getenv(ownMounts) == "" {
		return nil, errors.New("packages need mounts of their own: call OwnMounts first")
	}
	k := &Packages{layers: p.Path("layers")}
	if err := os.Mkdir(k.layers, 0o755); err != nil { //nolint:gosec // /usr is everybody's
		return nil, err
	}
	// The layers are in memory: the folder for temporary files may be of a kind that an overlay cannot lie on.
	if err := syscall.Mount("tmpfs", k.layers, "tmpfs", 0, "mode=755,size=512m"); err != nil {
		return nil, fmt.Errorf("mount the layers: %w", err)
	}
	if err := errors.Join(k.overlay("/usr", "/usr"), k.overlay("/var/lib/dpkg", "")); err != nil {
		return nil, err
	}
	if err := p.Workstation(ctx, accounts...); err != nil { // hides /var/lib
		return nil, err
	}
	const list = "/var/lib/dpkg"
	for _, dir := range []string{list, "/var/lib/systemd"} { // every computer has both
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // as they are everywhere
			return nil, err
		}
	}
	if err := syscall.Mount(k.seen(list), list, "", syscall.MS_BIND, ""); err != nil {
		return nil, fmt.Errorf("mount over %s: %w", list, err)
	}
	var err error
	k.before, err = k.look()
	return k, err
}

// Close makes the computer the one that it was: it takes the layers away, and what Workstation put over them. It comes before
// Place.CleanUp.
func (k *Packages) Close() error {
	var errs []error
	for _, at := range []string{"/var/lib/dpkg", k.seen("/var/lib/dpkg"), "/run", "/var/log", "/var/lib", "/etc", "/usr", k.layers} {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil { // programs that were started still hold them
			errs = append(errs, fmt.Errorf("unmount %s: %w", at, err))
		}
	}
	return errors.Join(errs...)
}

// layer is the folder of what changes below a folder, and seen is both together.
func (k *Packages) layer(folder string) string { return filepath.Join(k.layers, filepath.Base(folder)) }
func (k *Packages) seen(folder string) string  { return k.layer(folder) + ".seen" }

// overlay lets a folder be changed without being changed, as seen at a path, "" for k.seen.
func (k *Packages) overlay(folder, at string) error {
	layer := k.layer(folder)
	if at == "" {
		at = k.seen(folder)
		if err := os.Mkdir(at, 0o755); err != nil { //nolint:gosec // as the folder is
			return err
		}
	}
	if err := errors.Join(os.Mkdir(layer, 0o755), os.Mkdir(layer+".work", 0o700)); err != nil { //nolint:gosec // as the folder is
		return err
	}
	if err := syscall.Mount("overlay", at, "overlay", 0, "lowerdir="+folder+",upperdir="+layer+",workdir="+layer+".work"); err != nil {
		return fmt.Errorf("mount a layer over %s: %w", folder, err)
	}
	return nil
}

// Dpkg runs dpkg(1).
func (k *Packages) Dpkg(ctx context.Context, args ...string) (string, error) {
	return Command(ctx, []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, "", "/usr/bin/dpkg", args...)
}

// Left are the files that are there now, and were not at first, beside those that every package changes.
func (k *Packages) Left() ([]string, error) {
	now, err := k.look()
	var left []string
	for path := range now {
		if !k.before[path] {
			left = append(left, path)
		}
	}
	slices.Sort(left)
	return left, err
}

// look lists the files of the watched folders, and what was changed in /usr.
func (k *Packages) look() (map[string]bool, error) {
	found := map[string]bool{}
	list := func(folder, as string) error {
		return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist): // gone meanwhile
				return nil
			case err != nil:
				return err
			case path == folder || strings.HasPrefix(path, "/var/lib/dpkg") || strings.HasPrefix(path, "/var/lib/sss/") || strings.HasPrefix(path, "/run/sssd"):
				return nil
			case d.Type()&fs.ModeCharDevice != 0: // something of /usr is hidden
				return nil
			case as == "/usr" && d.IsDir(): // one that was there, perhaps
				if _, err := os.Stat(filepath.Join("/usr", strings.TrimPrefix(path, folder))); err == nil {
					return nil
				}
			}
			found[as+strings.TrimPrefix(path, folder)] = true
			return nil
		})
	}
	var err error
	for _, folder := range watched {
		err = errors.Join(err, list(folder, folder))
	}
	err = errors.Join(err, list(k.layer("/usr"), "/usr"))
	for _, cache := range []string{"/usr/share/applications/mimeinfo.cache", "/usr/share/icons/hicolor/icon-theme.cache", "/var/log/dpkg.log", "/var/log/alternatives.log"} {
		delete(found, cache)
	}
	return found, err
}
