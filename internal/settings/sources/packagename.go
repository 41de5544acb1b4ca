package sources

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// named is the file name of the package that was installed, where the package's installer noted it.
type named struct {
	where string
	read  func() (string, error) // "" if there is none
}

// packageName is no source on Linux: there, packages do not know what their file was called.
func packageName(c Computer) []Source {
	switch {
	case c.GOOS == "windows" && c.Registry != nil:
		return []Source{named{settings.RegistryInstaller + `\` + settings.RegistryInstallerFile, func() (string, error) {
			values, err := c.Registry.Values(settings.RegistryInstaller)
			return values[settings.RegistryInstallerFile], err
		}}}
	case c.GOOS == "darwin":
		return []Source{named{settings.MacInstallerFile, func() (string, error) {
			text, err := c.readShared(settings.MacInstallerFile)
			if errors.Is(err, fs.ErrNotExist) {
				return "", nil
			}
			return string(text), err
		}}}
	}
	return nil
}

func (n named) Origin() Origin { return Origin{Kind: KindPackageName, Where: n.where} }

func (n named) Read(context.Context) ([]Raw, []Warning, error) {
	text, err := n.read()
	if err != nil {
		return nil, nil, err
	}
	p, told, err := settings.ParsePackageName(strings.TrimSpace(text))
	if err != nil {
		return nil, []Warning{{n.Origin(), err.Error() + "."}}, nil
	}
	if !told {
		return nil, nil, nil
	}
	raws := []Raw{{"ServerURL", p.ServerURL(), n.Origin()}}
	if p.Pin != "" {
		raws = append(raws, Raw{"CAPin", p.Pin, n.Origin()})
	}
	return raws, nil, nil
}
