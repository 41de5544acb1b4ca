// Package winres puts into a Windows program what Windows shows of it and how it treats it: the version, the icon, and the
// manifest. It changes the file after it was built, so that one Go build serves every system, and before it is signed.
// The same program, release and icon make the same bytes.
package winres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"

	"github.com/platenprint/platen/installer/product"
)

// icon is the program's icon in the folder assets.
const icon = "icons/ico/app.ico"

// descriptions are what Windows calls each program: in the task manager, in the prompt for an administrator's consent, in the
// settings of notifications and start-up.
var descriptions = map[string]string{
	"platen":        "Platen",
	"platen-window": "Platen window",
	"platen-deploy": "Platen Deploy service",
	"platen-server": "Platen print server",
}

// Brand puts version, icon and manifest of release r into the program exe, in the place of what it had. The name of the file
// says which of Platen's programs it is; assets is the folder assets of the source tree. A signed program is refused: sign
// after this.
func Brand(exe, assets string, r product.Release) error {
	file := filepath.Base(exe)
	description, ok := descriptions[strings.TrimSuffix(file, ".exe")]
	if !ok {
		return fmt.Errorf("brand %s: it is none of Platen's programs", file)
	}
	set, err := resources(filepath.Join(assets, icon), file, description, r)
	if err != nil {
		return fmt.Errorf("brand %s: %w", file, err)
	}
	if err := rewrite(exe, set); err != nil {
		return fmt.Errorf("brand %s: %w", file, err)
	}
	return nil
}

func resources(icon, file, description string, r product.Release) (*winres.ResourceSet, error) {
	f, err := os.Open(icon)
	if err != nil {
		return nil, fmt.Errorf("read the icon: %w", err)
	}
	defer func() { _ = f.Close() }()
	ico, err := winres.LoadICO(f)
	if err != nil {
		return nil, fmt.Errorf("read the icon %s: %w", icon, err)
	}
	set := new(winres.ResourceSet)
	if err := set.SetIcon(winres.ID(1), ico); err != nil {
		return nil, fmt.Errorf("set the icon: %w", err)
	}
	info, err := versionInfo(file, description, r)
	if err != nil {
		return nil, err
	}
	set.SetVersionInfo(*info)
	if err := set.Set(winres.RT_MANIFEST, winres.ID(1), winres.LCIDDefault, manifest(strings.TrimSuffix(file, ".exe"))); err != nil {
		return nil, fmt.Errorf("set the manifest: %w", err)
	}
	return set, nil
}

// versionInfo is the version resource (VS_VERSIONINFO) of a program.
func versionInfo(file, description string, r product.Release) (*version.Info, error) {
	numbers, err := quad(r.FileVersion())
	if err != nil {
		return nil, err
	}
	info := &version.Info{FileVersion: numbers, ProductVersion: numbers, Type: version.App}
	info.Flags.Prerelease = strings.Contains(r.Version, "-")
	for key, text := range map[string]string{
		version.CompanyName:      product.Vendor,
		version.FileDescription:  description,
		version.FileVersion:      r.FileVersion(),
		version.InternalName:     strings.TrimSuffix(file, ".exe"),
		version.LegalCopyright:   product.Vendor + ", " + product.License,
		version.OriginalFilename: file,
		version.ProductName:      product.Name,
		version.ProductVersion:   r.Version,
	} {
		if err := info.Set(version.LangDefault, key, text); err != nil {
			return nil, fmt.Errorf("set %s: %w", key, err)
		}
	}
	return info, nil
}

// quad reads four numbers of 16 bits.
func quad(text string) (numbers [4]uint16, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != len(numbers) {
		return numbers, fmt.Errorf("file version %q has not four numbers", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return numbers, fmt.Errorf("file version %q: %w", text, err)
		}
		numbers[i] = uint16(n)
	}
	return numbers, nil
}

// rewrite puts a program with other resources in the place of exe, as a whole.
func rewrite(exe string, set *winres.ResourceSet) (err error) {
	in, err := os.Open(exe)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(exe), filepath.Base(exe)+".*.new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	err = set.WriteToEXE(out, in, winres.ForceCheckSum())
	if err = errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), exe)
}

// FileVersion reads the version that a program carries, four numbers such as "1.2.3.0"; an error if it carries none.
func FileVersion(exe string) (string, error) {
	f, err := os.Open(exe)
	if err != nil {
		return "", fmt.Errorf("read the version of a program: %w", err)
	}
	defer func() { _ = f.Close() }()
	set, err := winres.LoadFromEXESingleType(f, winres.RT_VERSION)
	if err != nil {
		return "", fmt.Errorf("read the version of %s: %w", filepath.Base(exe), err)
	}
	info, err := version.FromBytes(set.Get(winres.RT_VERSION, winres.ID(1), winres.LCIDDefault))
	if err != nil {
		return "", fmt.Errorf("read the version of %s: %w", filepath.Base(exe), err)
	}
	n := info.FileVersion
	return fmt.Sprintf("%d.%d.%d.%d", n[0], n[1], n[2], n[3]), nil
}
