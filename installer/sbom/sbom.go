// Package sbom writes what an artefact is made of: the modules in its programs, as the Go tool has noted them in the programs
// themselves, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). The same programs give the same bytes: it is dated with
// the release and has no serial number.
package sbom

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/sums"
)

// Ending is what the name of an artefact's list ends with.
const Ending = ".cdx.json"

// Write writes the list of the artefact at path, in which programs are, beside it, and returns the list's path. licences has
// the SPDX identifier of modules' licences, by module path; a module that is not in it is listed without.
func Write(path string, programs []string, licences map[string]string, r product.Release) (string, error) {
	bom, err := list(path, programs, licences, r)
	if err != nil {
		return "", fmt.Errorf("list what %s is made of: %w", filepath.Base(path), err)
	}
	out := path + Ending
	f, err := os.Create(out)
	if err != nil {
		return "", fmt.Errorf("list what %s is made of: %w", filepath.Base(path), err)
	}
	err = cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("list what %s is made of: %w", filepath.Base(path), errors.Join(err, os.Remove(out)))
	}
	return out, nil
}

// Modules are the modules in the programs, by path, with their versions.
func Modules(programs []string) (map[string]string, error) {
	all := map[string]string{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", filepath.Base(program), err)
		}
		for _, m := range info.Deps {
			all[module(m).Path] = module(m).Version
		}
	}
	return all, nil
}

func list(path string, programs []string, licences map[string]string, r product.Release) (*cdx.BOM, error) {
	sum, err := sums.File(path)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: r.Time.UTC().Format(time.RFC3339),
		Supplier:  &cdx.OrganizationalEntity{Name: product.Vendor, URL: &[]string{product.Homepage}},
		Component: &cdx.Component{
			BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: r.Version, Licenses: licence(product.License),
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}},
		},
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "platen-installer", Version: r.Version}}},
	}
	parts := map[string]cdx.Component{}
	needs := map[string][]string{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", filepath.Base(program), err)
		}
		p, err := application(program, info, r)
		if err != nil {
			return nil, err
		}
		parts[p.BOMRef] = p
		needs[name] = append(needs[name], p.BOMRef)
		library := func(path, version string) {
			c := component(path, version, licences)
			parts[c.BOMRef] = c
			needs[p.BOMRef] = append(needs[p.BOMRef], c.BOMRef)
		}
		library("std", strings.TrimPrefix(info.GoVersion, "go"))
		for _, m := range info.Deps {
			library(module(m).Path, module(m).Version)
		}
	}
	bom.Components, bom.Dependencies = sorted(parts), tree(name, parts, needs)
	return bom, nil
}

// module is what was really compiled: the replacement, where there is one.
func module(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

// application is one of our programs.
func application(path string, info *buildinfo.BuildInfo, r product.Release) (cdx.Component, error) {
	sum, err := sums.File(path)
	if err != nil {
		return cdx.Component{}, err
	}
	var properties []cdx.Property
	system := map[string]string{}
	for _, s := range info.Settings {
		system[s.Key] = s.Value
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-tags":
			properties = append(properties, cdx.Property{Name: "platen:build:" + strings.TrimPrefix(s.Key, "-"), Value: s.Value})
		}
	}
	name := filepath.Base(path)
	return cdx.Component{
		BOMRef: "program:" + name + ":" + system["GOOS"] + "-" + system["GOARCH"], Type: cdx.ComponentTypeApplication, Name: name, Version: r.Version, Licenses: licence(product.License),
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}}, Properties: &properties, PackageURL: purl(info.Main.Path, "v"+r.Version),
	}, nil
}

func component(path, version string, licences map[string]string) cdx.Component {
	id := licences[path]
	if path == "std" {
		id = "BSD-3-Clause"
	}
	url := purl(path, version)
	return cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url, Licenses: licence(id)}
}

// purl is the package URL of a Go module, of the form that vulnerability databases know
// (https://github.com/package-url/purl-spec, type golang).
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

func licence(id string) *cdx.Licenses {
	if id == "" {
		return nil
	}
	return &cdx.Licenses{{License: &cdx.License{ID: id}}}
}

func sorted(parts map[string]cdx.Component) *[]cdx.Component {
	var all []cdx.Component
	for _, c := range parts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	return &all
}

// tree says what needs what. What needs nothing is named as well: then it is known that nothing was left out.
func tree(root string, parts map[string]cdx.Component, needs map[string][]string) *[]cdx.Dependency {
	var all []cdx.Dependency
	add := func(ref string) {
		below := slices.Clone(needs[ref])
		slices.Sort(below)
		below = slices.Compact(below)
		d := cdx.Dependency{Ref: ref}
		if below != nil {
			d.Dependencies = &below
		}
		all = append(all, d)
	}
	add(root)
	for _, c := range *sorted(parts) {
		add(c.BOMRef)
	}
	return &all
}
