package msi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/tool"
)

// List reads a package with msiinfo: every row of every table as a line "Table: value, value ...", sorted, without what changes
// with the content of the files (sizes, hashes, the code of the package).
func List(ctx context.Context, path string) ([]string, error) {
	out, err := tool.Run(ctx, "", nil, "msiinfo", "tables", path)
	if err != nil {
		return nil, fmt.Errorf("list the MSI: %w", err)
	}
	var lines []string
	for _, table := range strings.Fields(string(out)) {
		if slices.Contains([]string{"_SummaryInformation", "_ForceCodepage", "MsiFileHash"}, table) {
			continue
		}
		rows, err := export(ctx, path, table)
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

// export returns the rows of a table.
func export(ctx context.Context, path, table string) ([][]string, error) {
	out, err := tool.Run(ctx, "", nil, "msiinfo", "export", path, table)
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
