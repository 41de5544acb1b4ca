package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table writes rows under headings.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, headings ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(headings...)
	return t
}

func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t *table) flush() { _ = t.w.Flush() } // what cannot be written to a terminal nobody can be told of

// fields writes names with their values, leaving out empty ones.
func fields(w io.Writer, list [][2]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range list {
		if f[1] != "" {
			fmt.Fprintf(t, "%s:\t%s\n", f[0], printable(f[1]))
		}
	}
	_ = t.Flush()
}

// printable takes what would move the cursor or change colours out of texts that people and directories wrote.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return '·'
		}
		return r
	}, text)
}

func join(list []string) string { return strings.Join(list, ", ") }
