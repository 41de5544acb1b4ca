package msi

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
	"github.com/platenprint/platen/installer/winres"
	"github.com/platenprint/platen/internal/settings"
)

//go:embed platen.wxs
var source string

// programs are the program files of the package: key in the MSI's File table and name.
var programs = [...]struct{ key, name string }{
	{"platen.exe", "platen.exe"}, {"platen_window.exe", "platen-window.exe"}, {"platen_deploy.exe", "platen-deploy.exe"},
}

// Needs are the programs that Build starts.
func Needs() []string { return []string{"wixl", "msibuild", "faketime"} }

// Name is the file name of a release's package.
func Name(r product.Release) string { return "platen-" + r.Version + "-x64.msi" }

// Build makes the MSI of in.Programs (platen.exe, platen-window.exe and platen-deploy.exe, branded by winres) in in.Out and
// returns its path. The same input makes the same bytes. Errors are product.ErrNoPrograms, a *tool.MissingError, and what
// wixl or msibuild say.
func Build(ctx context.Context, in product.Input) (string, error) {
	path := filepath.Join(in.Out, Name(in.Release))
	if in.Arch != "amd64" {
		return "", fmt.Errorf("make the MSI: there is none for %s, only for amd64", in.Arch)
	}
	if err := tool.Need(Needs()...); err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	work, err := os.MkdirTemp("", "msi")
	if err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	size, err := gather(in, work)
	if err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	wxs, err := render(in.Release, size, in.Notices != "")
	if err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, "platen.wxs"), wxs, 0o600); err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	if err := assemble(ctx, in.Release, work); err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	if err := os.MkdirAll(in.Out, 0o755); err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	if err := copyFile(filepath.Join(work, "platen.msi"), path, in.Release.Time); err != nil {
		return "", fmt.Errorf("make the MSI: %w", err)
	}
	return path, nil
}

// gather copies what goes into the package to dir, dated with the release, because the cabinet keeps the dates. It returns the
// size in bytes.
func gather(in product.Input, dir string) (int64, error) {
	from := map[string]string{"app.ico": filepath.Join(in.Assets, "icons", "ico", "app.ico"), "LICENSE.txt": in.License}
	if in.Notices != "" {
		from[product.NoticesFile] = in.Notices
	}
	for _, p := range programs {
		path := filepath.Join(in.Programs, p.name)
		version, err := winres.FileVersion(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return 0, fmt.Errorf("%w: %s", product.ErrNoPrograms, path)
		case err != nil:
			return 0, fmt.Errorf("%w; brand the program first", err)
		case version != in.Release.FileVersion():
			// Windows Installer decides by the version whether a file is replaced, and would be told a wrong one.
			return 0, fmt.Errorf("%s carries version %s, the release is %s", path, version, in.Release.FileVersion())
		}
		from[p.name] = path
	}
	var size int64
	for name, path := range from {
		to := filepath.Join(dir, name)
		if err := copyFile(path, to, in.Release.Time); err != nil {
			return 0, err
		}
		info, err := os.Stat(to)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}

func copyFile(from, to string, modified time.Time) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // packages are for everyone
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, modified, modified)
}

// shown is a property with the places of its two actions in the sequence: after AppSearch (50), before LaunchConditions (100).
type shown struct {
	Property
	Keep, Forget int
}

// render writes the source for wixl, of a package with or without the licences of others' parts.
func render(r product.Release, size int64, notices bool) ([]byte, error) {
	page, err := template.New("platen.wxs").Funcs(template.FuncMap{
		"guid": func(name string) string { return bare(detection.Code("component/" + name)) },
		"xml":  escape,
	}).Parse(source)
	if err != nil {
		return nil, fmt.Errorf("read the template of the MSI: %w", err)
	}
	var properties []shown
	components := []string{"C_platen", "C_window", "C_deploy", "C_license", "C_run", "C_version", "C_menu"}
	for i, p := range remembered() {
		properties = append(properties, shown{Property: p, Keep: 51 + i, Forget: 61 + i})
		components = append(components, "C_"+p.Name)
	}
	var file string
	if notices {
		file, components = product.NoticesFile, append(components, "C_notices")
	}
	var text bytes.Buffer
	err = page.Execute(&text, struct {
		Name, Vendor, Summary, Homepage, Service   string
		ProductCode, UpgradeCode, Version, Release string
		Key, Run, Notices                          string
		Kilobytes                                  int64
		Judged                                     []Property
		Properties                                 []shown
		Actions                                    []action
		Components                                 []string
	}{
		Name: product.Name, Vendor: product.Vendor, Summary: product.Summary, Homepage: product.Homepage, Service: product.WindowsService,
		ProductCode: bare(detection.Of(r).ProductCode), UpgradeCode: bare(product.UpgradeCode), Version: r.Windows(), Release: r.Version,
		Key: strings.TrimPrefix(settings.RegistryInstaller, `HKLM\`), Run: detection.RunValue, Notices: file,
		Kilobytes: (size + 1023) / 1024, Judged: Properties(), Properties: properties, Actions: actions(), Components: components,
	})
	if err != nil {
		return nil, fmt.Errorf("write the source of the MSI: %w", err)
	}
	return text.Bytes(), nil
}

// bare is a GUID without braces, as wixl wants it.
func bare(guid string) string { return strings.Trim(guid, "{}") }

func escape(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes everything
	return out.String()
}
