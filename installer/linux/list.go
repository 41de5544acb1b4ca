package linux

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// List says what is in a deb or an rpm, one line for each file and folder: mode, owner and group, path, and "config" for what the
// package manager keeps when it was changed. Sizes and times are left out: they are another day's.
func List(ctx context.Context, file string) ([]string, error) {
	lines, err := list(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", filepath.Base(file), err)
	}
	slices.SortFunc(lines, func(a, b string) int {
		return strings.Compare(strings.Fields(a)[2], strings.Fields(b)[2])
	})
	return lines, nil
}

func list(ctx context.Context, file string) ([]string, error) {
	if filepath.Ext(file) == ".rpm" {
		out, err := tool(ctx, []string{"HOME=/nonexistent"}, "rpm", "-qp", "--nosignature", "--queryformat",
			`[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES} %{FILEFLAGS:fflags}\n]`, file)
		if err != nil {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(out) {
			f := strings.Fields(line)
			if len(f) == 4 && strings.Contains(f[3], "c") {
				f[3] = "config"
			} else {
				f = f[:min(len(f), 3)]
			}
			lines = append(lines, strings.Join(f, " "))
		}
		return lines, nil
	}
	conffiles, err := tool(ctx, nil, "dpkg-deb", "--info", file, "conffiles")
	if err != nil {
		return nil, err
	}
	out, err := tool(ctx, nil, "dpkg-deb", "--contents", file)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(out) {
		f := strings.Fields(line) // mode owner/group size date time path
		if len(f) < 6 {
			return nil, fmt.Errorf("dpkg-deb says %q", line)
		}
		path := strings.TrimPrefix(f[5], ".")
		if path != "/" {
			path = strings.TrimSuffix(path, "/")
		}
		entry := f[0] + " " + f[1] + " " + path
		if slices.Contains(strings.Fields(conffiles), path) {
			entry += " config"
		}
		lines = append(lines, entry)
	}
	return lines, nil
}
