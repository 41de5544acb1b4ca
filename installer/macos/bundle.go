package macos

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
)

//go:embed files/Info.plist
var infoPlist string

// bundle is what Platen.app has besides its programs.
func bundle(in product.Input) ([]flatpkg.File, error) {
	info, err := infoFor(in.Release)
	if err != nil {
		return nil, err
	}
	icon, err := icns(filepath.Join(in.Assets, "icons", "png"))
	if err != nil {
		return nil, err
	}
	license, err := os.ReadFile(in.License)
	if err != nil {
		return nil, fmt.Errorf("read the license: %w", err)
	}
	contents := inside(identity.App) + "/Contents/"
	list := []flatpkg.File{
		flatpkg.Bytes(contents+"Info.plist", 0o644, info),
		flatpkg.Bytes(contents+"PkgInfo", 0o644, []byte("APPL????")),
		flatpkg.Bytes(contents+"Resources/Platen.icns", 0o644, icon),
		flatpkg.Bytes(contents+"Resources/LICENSE.txt", 0o644, license),
	}
	if in.Notices != "" {
		notices, err := os.ReadFile(in.Notices)
		if err != nil {
			return nil, fmt.Errorf("read the licences of others' parts: %w", err)
		}
		list = append(list, flatpkg.Bytes(contents+"Resources/"+product.NoticesFile, 0o644, notices))
	}
	return list, nil
}

// infoFor is the bundle's Info.plist: what the app is called, that it stays out of the Dock, and on what it runs.
func infoFor(r product.Release) ([]byte, error) {
	t, err := template.New("Info.plist").Funcs(template.FuncMap{"xml": escaped}).Parse(infoPlist)
	if err != nil {
		return nil, fmt.Errorf("write Info.plist: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, map[string]string{
		"Name": product.Name, "Identifier": identity.Bundle, "Version": r.Windows(), "Full": r.Version, "MinOS": MinOS,
		"Copyright": product.Vendor + ", " + product.License,
	}); err != nil {
		return nil, fmt.Errorf("write Info.plist: %w", err)
	}
	return out.Bytes(), nil
}

func escaped(text string) (string, error) {
	var out bytes.Buffer
	err := xml.EscapeText(&out, []byte(text))
	return out.String(), err
}
