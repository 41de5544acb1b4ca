package msi

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/tool"
)

// List reads a package with msiinfo: every row of every table as a line "Table: value, value ...", sorted, without what changes
// with the content of the files (sizes, hashes, the code of the package).
func List(ctx context.Context, path string) ([]string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("list the MSI: %w", err)
	}
	streams, err := os.MkdirTemp("", "platen-msi-") // msiinfo puts the streams of a table beside it, in the folder it runs in
	if err != nil {
		return nil, fmt.Errorf("list the MSI: %w", err)
	}
	defer func() { _ = os.RemoveAll(streams) }()
	out, err := tool.Run(ctx, streams, nil, "msiinfo", "tables", path)
	if err != nil {
		return nil, fmt.Errorf("list the MSI: %w", err)
	}
	var lines []string
	for _, table := range strings.Fields(string(out)) {
		if slices.Contains([]string{"_SummaryInformation", "_ForceCodepage", "MsiFileHash"}, table) {
			continue
		}
		rows, err := export(ctx, streams, path, table)
		if err != nil {
			return nil, fmt.Errorf("list the MSI: %w", err)
		}
		for _, row := range rows {
			if table == "File" {
				row[3] = "size"
			}
			lines = append(lines, table+": "+strings.Join(row, ", "))
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// export returns the rows of a table; dir gets its streams.
func export(ctx context.Context, dir, path, table string) ([][]string, error) {
	out, err := tool.Run(ctx, dir, nil, "msiinfo", "export", path, table)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for i, line := range strings.Split(strings.ReplaceAll(string(out), "\r\n", "\n"), "\n") {
		if i >= 3 && line != "" { // before them: names of the columns, their types, the keys
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows, nil
}
