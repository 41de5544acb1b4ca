package sbom

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/tool"
)

// Licences finds the SPDX identifiers of modules' licences in the texts that come with them, which are in the Go tool's module
// cache. A module whose text is of no known kind is left out.
func Licences(ctx context.Context, goTool, source string, modules map[string]string) (map[string]string, error) {
	args := append([]string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}, slices.Sorted(maps.Keys(modules))...)
	out, err := tool.Run(ctx, source, []string{"GOFLAGS=-mod=readonly", "GOWORK=off"}, goTool, args...)
	if err != nil {
		return nil, fmt.Errorf("ask where the modules are: %w", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if id := inFolder(dir); id != "" {
			found[path] = id
		}
	}
	return found, nil
}

// inFolder looks at a module's licence.
func inFolder(dir string) string {
	if dir == "" {
		return ""
	}
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "License*", "license*", "COPYING*", "UNLICENSE*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			continue
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				continue
			}
			if id := Classify(string(text)); id != "" {
				return id
			}
		}
	}
	return ""
}

// kinds are sentences that only one licence has, the more particular first.
var kinds = []struct {
	id    string
	needs []string
}{
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"MPL-2.0", []string{"mozilla public license", "version 2.0"}},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"}},
	{"ISC", []string{"permission to use, copy, modify, and distribute this software for any purpose with or without fee"}},
	{"Zlib", []string{"this notice may not be removed or altered from any source distribution"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "this list of conditions"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright notice and this permission notice"}},
	{"CC0-1.0", []string{"cc0 1.0 universal"}},
}

// Classify returns the SPDX identifier of the licence that a text is, "" if it is of no known kind.
func Classify(text string) string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	for _, k := range kinds {
		all := true
		for _, n := range k.needs {
			all = all && strings.Contains(text, n)
		}
		if all {
			return k.id
		}
	}
	return ""
}
