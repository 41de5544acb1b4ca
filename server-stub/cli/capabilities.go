package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
)

// How wide the table is, in columns of the terminal.
const (
	narrowest  = 80
	usualWidth = 100
	widest     = 132
)

func (a *app) capabilities() *cobra.Command {
	return &cobra.Command{
		Use:   "capabilities",
		Short: "Say what works with this configuration, by which way of signing in, and why",
		Long: "Say for each feature of the comparison table whether it works with this server's configuration, by which way of signing in and why,\n" +
			"or what to configure. The columns are ways of having a directory; the one that this server has is marked with *.",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c api.Capabilities
			if err := a.call(cmd.Context(), admin.VerbCapabilities, admin.Nothing{}, &c); err != nil {
				return err
			}
			return a.print(c, func(w io.Writer) { writeCapabilities(w, c, a.width()) })
		},
	}
}

// width is how wide the terminal is; COLUMNS says it where there is none.
func (a *app) width() int {
	width, err := strconv.Atoi(a.Getenv("COLUMNS"))
	if err != nil {
		width = usualWidth
	}
	if f, ok := a.Out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = w
		}
	}
	return min(max(width, narrowest), widest)
}

// writeCapabilities writes every answer with its reason, and below them, where a terminal stops scrolling, the answers side
// by side.
func writeCapabilities(w io.Writer, c api.Capabilities, width int) {
	fmt.Fprintf(w, "Posture: %s\n", printable(c.Posture.ID))
	paragraph(w, 2, width, c.Posture.Note)
	for _, r := range c.Rows {
		fmt.Fprintf(w, "\n%s  %s\n", printable(r.ID), printable(r.Feature))
		before := ""
		for i, cell := range r.Cells {
			answer, reason := printable(string(cell.Answer)), cell.Reason
			if cell.Way != "" {
				answer += ", by " + printable(cell.Way)
			}
			if reason == before {
				reason = "The same."
			}
			before = cell.Reason
			fmt.Fprintf(w, "  %-8s%-20s elsewhere: %s\n", columnID(c, i), answer, printable(cell.Elsewhere))
			paragraph(w, 10, width, reason)
		}
	}
	fmt.Fprintln(w)
	headings := []string{"ROW", "FEATURE"}
	for i := range c.Columns {
		headings = append(headings, columnID(c, i))
	}
	t := newTable(w, headings...)
	for _, r := range c.Rows {
		line := []string{r.ID, cut(r.Feature, width-34)}
		for _, cell := range r.Cells {
			line = append(line, string(cell.Answer))
		}
		t.row(line...)
	}
	t.flush()
	writeLegend(w, c, width)
}

func writeLegend(w io.Writer, c api.Capabilities, width int) {
	fmt.Fprintln(w)
	for i, col := range c.Columns {
		title := col.Title
		if col.Posture != "" {
			title += ": " + col.Posture
		}
		if col.Current {
			title += " (this server)"
		}
		fmt.Fprintf(w, "%-8s%s\n", columnID(c, i), printable(title))
	}
	answers, barred, opened, cells := map[api.CapabilityAnswer]int{}, 0, 0, 0
	for _, r := range c.Rows {
		for _, cell := range r.Cells {
			cells++
			answers[cell.Answer]++
			if cell.Elsewhere == "No" {
				barred++
				if cell.Answer == api.CapabilityYes {
					opened++
				}
			}
		}
	}
	fmt.Fprintf(w, "\nyes      %d of %d cells: it works with this configuration\n", answers[api.CapabilityYes], cells)
	fmt.Fprintf(w, "no       %d: the configuration stands in the way; the reason says what to do\n", answers[api.CapabilityNo])
	fmt.Fprintf(w, "not yet  %d: that part of Platen is not there yet\n", answers[api.CapabilityNotYet])
	paragraph(w, 0, width, fmt.Sprintf("A column is answered as if the directory were of that kind, with the ways of signing in that are configured here. "+
		"Elsewhere is what the comparison table says; of the %d cells that say No there, %d say yes here.", barred, opened))
}

// columnID names a column, with a mark on the server's own.
func columnID(c api.Capabilities, i int) string {
	if i >= len(c.Columns) {
		return "?" // a server of another version
	}
	if c.Columns[i].Current {
		return printable(c.Columns[i].ID) + " *"
	}
	return printable(c.Columns[i].ID)
}

// cut shortens text to so many columns.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// paragraph writes text in lines of at most width, each behind indent spaces.
func paragraph(w io.Writer, indent, width int, text string) {
	line := ""
	for _, word := range strings.Fields(printable(text)) {
		if line != "" && indent+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, strings.Repeat(" ", indent)+line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		fmt.Fprintln(w, strings.Repeat(" ", indent)+line)
	}
}
