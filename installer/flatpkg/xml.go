package flatpkg

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// kilobytes is the size on disk as the installer wants it, rounded up file by file.
func kilobytes(entries []*entry) int64 {
	total := int64(0)
	for _, e := range entries {
		total += (e.Size + 1023) / 1024
	}
	return total
}

// The PackageInfo as pkgbuild(1) writes it. A bundle is replaced as a whole (upgrade-bundle) whatever its version was
// (bundle-version is empty: the installer would silently leave a newer one and change the rest), and only where it was put
// (relocate is empty).
type packageInfo struct {
	XMLName             xml.Name     `xml:"pkg-info"`
	OverwritePermission bool         `xml:"overwrite-permissions,attr"`
	Relocatable         bool         `xml:"relocatable,attr"`
	Identifier          string       `xml:"identifier,attr"`
	PostinstallAction   string       `xml:"postinstall-action,attr"`
	Version             string       `xml:"version,attr"`
	FormatVersion       int          `xml:"format-version,attr"`
	InstallLocation     string       `xml:"install-location,attr"`
	Auth                string       `xml:"auth,attr"`
	Payload             payloadInfo  `xml:"payload"`
	Bundles             []bundleInfo `xml:"bundle"`
	BundleVersion       struct{}     `xml:"bundle-version"`
	UpgradeBundle       []bundleRef  `xml:"upgrade-bundle>bundle"`
	StrictIdentifier    []bundleRef  `xml:"strict-identifier>bundle"`
	Relocate            struct{}     `xml:"relocate"`
	Preinstall          *scriptInfo  `xml:"scripts>preinstall"`
	Postinstall         *scriptInfo  `xml:"scripts>postinstall"`
}

type payloadInfo struct {
	NumberOfFiles int   `xml:"numberOfFiles,attr"`
	InstallKBytes int64 `xml:"installKBytes,attr"`
}

type bundleInfo struct {
	Path         string `xml:"path,attr"`
	ID           string `xml:"id,attr"`
	ShortVersion string `xml:"CFBundleShortVersionString,attr"`
	Version      string `xml:"CFBundleVersion,attr"`
}

type bundleRef struct {
	ID string `xml:"id,attr"`
}

type scriptInfo struct {
	File string `xml:"file,attr"`
}

func (p Package) info(entries []*entry) ([]byte, error) {
	info := packageInfo{
		Identifier: p.Identifier, Version: p.Version, InstallLocation: p.location(),
		PostinstallAction: "none", FormatVersion: 2, Auth: "root",
		Payload: payloadInfo{NumberOfFiles: len(entries), InstallKBytes: kilobytes(entries)},
	}
	for _, b := range p.Bundles {
		info.Bundles = append(info.Bundles, bundleInfo{Path: "./" + b.Path, ID: b.ID, ShortVersion: b.Version, Version: b.Version})
		info.UpgradeBundle = append(info.UpgradeBundle, bundleRef{b.ID})
		info.StrictIdentifier = append(info.StrictIdentifier, bundleRef{b.ID})
	}
	if p.Preinstall != nil {
		info.Preinstall = &scriptInfo{"./preinstall"}
	}
	if p.Postinstall != nil {
		info.Postinstall = &scriptInfo{"./postinstall"}
	}
	return document("PackageInfo", info)
}

// The Distribution, as productbuild(1) writes it: nothing to choose, for the whole computer, on the disk it runs from.
type distribution struct {
	XMLName xml.Name `xml:"installer-gui-script"`
	MinSpec int      `xml:"minSpecVersion,attr"`
	Title   string   `xml:"title"`
	Options struct {
		Choosing          string `xml:"customize,attr"` //nolint:misspell // Apple writes it so
		RequireScripts    bool   `xml:"require-scripts,attr"`
		RootVolumeOnly    bool   `xml:"rootVolumeOnly,attr"`
		HostArchitectures string `xml:"hostArchitectures,attr,omitempty"`
	} `xml:"options"`
	Domains struct {
		Anywhere    bool `xml:"enable_anywhere,attr"`
		UserHome    bool `xml:"enable_currentUserHome,attr"`
		LocalSystem bool `xml:"enable_localSystem,attr"`
	} `xml:"domains"`
	VolumeCheck *volumeCheck `xml:"volume-check"`
	Outline     outlineLine  `xml:"choices-outline>line"`
	Choices     []choice     `xml:"choice"`
	PkgRef      pkgRef       `xml:"pkg-ref"`
	Product     product      `xml:"product"`
}

type volumeCheck struct {
	OS struct {
		Min string `xml:"min,attr"`
	} `xml:"allowed-os-versions>os-version"`
}

type outlineLine struct {
	Choice string       `xml:"choice,attr"`
	Line   *outlineLine `xml:"line"`
}

type choice struct {
	ID      string     `xml:"id,attr"`
	Visible *bool      `xml:"visible,attr"`
	PkgRef  *choicePkg `xml:"pkg-ref"`
}

type choicePkg struct {
	ID string `xml:"id,attr"`
}

type pkgRef struct {
	ID            string `xml:"id,attr"`
	Version       string `xml:"version,attr"`
	OnConclusion  string `xml:"onConclusion,attr"`
	InstallKBytes int64  `xml:"installKBytes,attr"`
	Where         string `xml:",chardata"`
}

type product struct {
	ID      string `xml:"id,attr"`
	Version string `xml:"version,attr"`
}

func (p Package) distribution(entries []*entry) ([]byte, error) {
	hidden := false
	d := distribution{
		MinSpec: 2, Title: p.Title,
		Outline: outlineLine{Choice: "default", Line: &outlineLine{Choice: p.Identifier}},
		Choices: []choice{{ID: "default"}, {ID: p.Identifier, Visible: &hidden, PkgRef: &choicePkg{p.Identifier}}},
		PkgRef: pkgRef{
			ID: p.Identifier, Version: p.Version, OnConclusion: "none", InstallKBytes: kilobytes(entries), Where: "#" + p.component(),
		},
		Product: product{p.Identifier, p.Version},
	}
	d.Options.Choosing, d.Options.RootVolumeOnly = "never", true
	d.Options.HostArchitectures = strings.Join(p.Architectures, ",")
	d.Domains.LocalSystem = true
	if p.MinOS != "" {
		d.VolumeCheck = &volumeCheck{}
		d.VolumeCheck.OS.Min = p.MinOS
	}
	return document("Distribution", d)
}

func document(what string, v any) ([]byte, error) {
	text, err := xml.MarshalIndent(v, "", "    ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", what, err)
	}
	return append([]byte(`<?xml version="1.0" encoding="utf-8"?>`+"\n"), append(text, '\n')...), nil
}
