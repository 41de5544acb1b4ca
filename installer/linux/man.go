package linux

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/platenprint/platen/installer/product"
)

// page is a manual page (man-pages(7)), before it is typeset.
type page struct {
	summary  string
	synopsis []string
	command  *cobra.Command // whose options and commands are listed, nil for none
	sections []section
	also     []string // SEE ALSO: platen(1)
}

// section has a heading and paragraphs. A paragraph that begins with a tab is shown as it is.
type section struct {
	title string
	text  []string
}

// manual is the page as a file of the package.
func manual(r product.Release, name string, number int, p page) []item {
	return []item{{
		path: fmt.Sprintf("/usr/share/man/man%d/%s.%d.gz", number, name, number), mode: 0o644,
		text: compress(p.roff(r, name, number)),
	}}
}

// compress is gzip -9n: nothing of when and where.
func compress(text string) string {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err != nil || w.Close() != nil {
		panic("gzip into memory failed")
	}
	return b.String()
}

// roff typesets the page in the man macros (groff_man(7)).
func (p page) roff(r product.Release, name string, number int) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s %d %s \"%s %s\" \"%s\"\n", strings.ToUpper(name), number, r.Time.UTC().Format("2006-01-02"), product.Name, r.Version, product.Name)
	fmt.Fprintf(&b, ".nh\n.ad l\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", escape(name), escape(strings.TrimSuffix(p.summary, ".")))
	for i, line := range p.synopsis {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, "%s\n", line1(line))
	}
	for _, s := range p.sections {
		if s.title == "DESCRIPTION" {
			writeSection(&b, s)
		}
	}
	if p.command != nil {
		if flags := options(p.command.PersistentFlags(), p.command.LocalNonPersistentFlags()); len(flags) > 0 {
			b.WriteString(".SH OPTIONS\n")
			writeOptions(&b, flags)
		}
		b.WriteString(".SH COMMANDS\n")
		writeCommands(&b, p.command)
	}
	for _, s := range p.sections {
		if s.title != "DESCRIPTION" {
			writeSection(&b, s)
		}
	}
	if len(p.also) > 0 {
		b.WriteString(".SH SEE ALSO\n")
		for i, ref := range p.also {
			page, in, _ := strings.Cut(strings.TrimSuffix(ref, ")"), "(")
			end := ","
			if i == len(p.also)-1 {
				end = ""
			}
			fmt.Fprintf(&b, ".BR %s (%s)%s\n", escape(page), in, end)
		}
		fmt.Fprintf(&b, ".PP\n%s\n", escape(product.Homepage))
	}
	return b.String()
}

func writeSection(b *strings.Builder, s section) {
	fmt.Fprintf(b, ".SH %s\n", escape(s.title))
	writeText(b, s.text)
}

func writeText(b *strings.Builder, paragraphs []string) {
	for i, paragraph := range paragraphs {
		if shown, ok := strings.CutPrefix(paragraph, "\t"); ok {
			b.WriteString(".PP\n.RS 4\n.nf\n")
			for line := range strings.SplitSeq(shown, "\n") {
				b.WriteString(line1(strings.TrimPrefix(line, "\t")) + "\n")
			}
			b.WriteString(".fi\n.RE\n")
			continue
		}
		if i > 0 {
			b.WriteString(".PP\n")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			b.WriteString(line1(line) + "\n")
		}
	}
}

// writeCommands lists what is below a command, depth first, each with its whole name.
func writeCommands(b *strings.Builder, root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Runnable() || !c.HasSubCommands() {
			use := strings.TrimSuffix(strings.TrimPrefix(c.UseLine(), c.Root().Name()+" "), " [flags]")
			fmt.Fprintf(b, ".SS \"%s\"\n", strings.ReplaceAll(escape(use), `"`, `\(dq`))
			about := c.Long
			if about == "" {
				about = c.Short
			}
			writeText(b, []string{strings.TrimRight(about, ".\n") + "."})
			if c.Example != "" {
				writeText(b, []string{"\t" + strings.Trim(c.Example, "\n")})
			}
			writeOptions(b, options(c.LocalNonPersistentFlags()))
		}
		writeCommands(b, c)
	}
}

// options are flags in their order, without help, which every command has.
func options(sets ...*pflag.FlagSet) []*pflag.Flag {
	var list []*pflag.Flag
	for _, set := range sets {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" && f.Name != "version" {
				list = append(list, f)
			}
		})
	}
	return list
}

func writeOptions(b *strings.Builder, flags []*pflag.Flag) {
	for _, f := range flags {
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n\\fB\\-\\-" + escape(f.Name) + "\\fR")
		if value != "" {
			b.WriteString(" \\fI" + escape(value) + "\\fR")
		}
		b.WriteString("\n" + line1(strings.TrimSuffix(usage, ".")+"."))
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" && f.DefValue != "0s" {
			b.WriteString(" Default: " + escape(f.DefValue) + ".")
		}
		b.WriteString("\n")
	}
}

// escape keeps roff from seeing commands in a text.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "\t", "    ").Replace(text)
}

// line1 is a line of text; one that begins with a point would be a command.
func line1(text string) string {
	text = escape(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
