package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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
		if moves(r) {
			return '·'
		}
		return r
	}, text)
}

// printableLines is printable for a text that may have several lines: those after the first are indented, so that none passes for
// another message.
func printableLines(text string) string {
	parts := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range parts {
		parts[i] = printable(parts[i])
		if i > 0 && !strings.HasPrefix(parts[i], " ") {
			parts[i] = "  " + parts[i]
		}
	}
	return strings.Join(parts, "\n")
}

// moves tells whether a terminal acts on the character, or shows text in another order because of it.
func moves(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf) }

// jsonWriter writes JSON and escapes what a terminal acts on. JSON leaves all of it but what is below a space as it is, and it stands
// in texts only, where an escape means the same.
type jsonWriter struct{ w io.Writer }

// Write implements io.Writer. Each call has whole characters, as those of package json do.
func (j jsonWriter) Write(p []byte) (int, error) {
	if !bytes.ContainsFunc(p, func(r rune) bool { return r >= 0x7f && moves(r) }) {
		return j.w.Write(p)
	}
	out := make([]byte, 0, len(p)+64)
	for _, r := range string(p) {
		switch high, low := utf16.EncodeRune(r); {
		case r < 0x7f || !moves(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	if _, err := j.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func join(list []string) string { return strings.Join(list, ", ") }
