package deploykit

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/server-stub/core"
)

// pack is a package of a release.
type pack struct {
	path    string
	name    string
	version product.Release
	size    int64
	sum     string // SHA-256 in hex
}

// packages are the packages for computers, nil where there is none.
type packages struct {
	msi, pkg                   *pack
	debAMD, debARM, rpmX, rpmA *pack
}

// versionText is what may stand where a package's name has its version.
const versionText = `([0-9][0-9A-Za-z.~-]*)`

var (
	msiName = regexp.MustCompile(`^platen-` + versionText + `-x64\.msi$`)
	pkgName = regexp.MustCompile(`^platen-` + versionText + `\.pkg$`)
	debName = regexp.MustCompile(`^platen_` + versionText + `_(amd64|arm64)\.deb$`)
	rpmName = regexp.MustCompile(`^platen-` + versionText + `-1\.(x86_64|aarch64)\.rpm$`)
)

// findPackages finds the packages of one release in a folder. Where it has a list of sums, packages must be as listed.
func findPackages(dir string) (packages, error) {
	var found packages
	if dir == "" {
		return found, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return found, fmt.Errorf("%w: look for packages: %w", core.ErrInvalid, err)
	}
	listed, err := readSums(dir)
	if err != nil {
		return found, err
	}
	for _, e := range entries {
		at, version := found.place(e.Name())
		if at == nil {
			continue
		}
		r, err := product.Parse(strings.ReplaceAll(version, "~", "-"))
		if err != nil {
			continue // somebody else's platen-...
		}
		p, err := open(filepath.Join(dir, e.Name()), r)
		if err != nil {
			return found, err
		}
		if want, ok := listed[e.Name()]; ok && want != p.sum {
			return found, fmt.Errorf("%w: %s is not as %s in its folder lists it; it was damaged or changed, so fetch it anew", core.ErrInvalid, p.path, sums.Name)
		}
		if *at != nil {
			return found, fmt.Errorf("%w: %s has both %s and %s; keep the version that is to be installed", core.ErrInvalid, dir, (*at).name, p.name)
		}
		*at = p
	}
	if found == (packages{}) {
		return found, fmt.Errorf("%w: %s has no package such as platen-1.2.3-x64.msi, platen-1.2.3.pkg or platen_1.2.3_amd64.deb", core.ErrInvalid, dir)
	}
	return found, nil
}

// place is where a file of that name belongs, nil for any other file.
func (p *packages) place(name string) (at **pack, version string) {
	if m := msiName.FindStringSubmatch(name); m != nil {
		return &p.msi, m[1]
	}
	if m := pkgName.FindStringSubmatch(name); m != nil {
		return &p.pkg, m[1]
	}
	if m := debName.FindStringSubmatch(name); m != nil {
		return map[string]**pack{"amd64": &p.debAMD, "arm64": &p.debARM}[m[2]], m[1]
	}
	if m := rpmName.FindStringSubmatch(name); m != nil {
		return map[string]**pack{"x86_64": &p.rpmX, "aarch64": &p.rpmA}[m[2]], m[1]
	}
	return nil, ""
}

func open(path string, version product.Release) (*pack, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look at the package: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a plain file", core.ErrInvalid, path)
	}
	sum, err := sums.File(path)
	if err != nil {
		return nil, fmt.Errorf("read the package: %w", err)
	}
	return &pack{path: path, name: filepath.Base(path), version: version, size: info.Size(), sum: sum}, nil
}

// readSums reads the list of sums beside the packages, if there is one.
func readSums(dir string) (map[string]string, error) {
	f, err := os.Open(filepath.Join(dir, sums.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the sums of the packages: %w", err)
	}
	defer func() { _ = f.Close() }()
	list, err := sums.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", core.ErrInvalid, f.Name(), err)
	}
	return list, nil
}

// renamed is the name by which a package tells a computer its server, "" where this server's name cannot stand in one.
func (k *Kit) renamed(ending string) string {
	want := settings.PackageName{Host: k.host}
	name := "platen--" + k.host
	pin, err := api.ParsePin(k.value("CAPin")) // of several, none can stand there
	if err == nil {
		want.Pin = pin.String()
	}
	if port, _ := strconv.Atoi(k.port); k.port != "443" || want.Pin != "" {
		want.Port = port
		name += "--" + k.port
	}
	if want.Pin != "" {
		name += "--" + base64.RawURLEncoding.EncodeToString(pin[:])
	}
	name += ending
	if told, ok, err := settings.ParsePackageName(name); err != nil || !ok || told != want {
		return ""
	}
	return name
}

// named is the name of a package in the kit: the one that tells the server, or its own; what to call one that is not there.
func (k *Kit) named(p *pack, ending, generic string) string {
	if p == nil {
		return generic
	}
	return cmp.Or(k.renamed(ending), p.name)
}
