package deploykit

import (
	"regexp"
	"strings"

	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

// plain is what may stand in double quotes on a line of cmd, PowerShell and a Unix shell, and means itself in all of them.
var plain = regexp.MustCompile(`^[A-Za-z0-9 :/._=+,;@*\[\]-]+$`)

// property is a public property of the MSI on a command line.
type property struct{ Name, Value string }

// properties are those of the settings that the MSI takes, and the names of the settings that no command line can hold: they must
// be given by policy.
func properties(values []policy.Value) (list []property, unsaid []string) {
	for _, v := range values {
		switch v.Name {
		case "ServerURL", "CAPin", "UPNSuffix", "AuthMode", "AutoStart", "DeviceRole":
			if !plain.MatchString(v.Text) {
				unsaid = append(unsaid, v.Name)
				continue
			}
			list = append(list, property{strings.ToUpper(v.Name), v.Text})
		default:
			unsaid = append(unsaid, v.Name)
		}
	}
	return list, unsaid
}

// line writes the properties for a command line.
func line(list []property) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(" " + p.Name + `="` + p.Value + `"`)
	}
	return b.String()
}

// powershell writes a text as a PowerShell literal. The typographic quotes end one, too.
func powershell(text string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(text) + "'"
}

var markdown = regexp.MustCompile("[\\\\`*_{}\\[\\]<>()#+!|~&]")

// prose writes a text that somebody else has chosen so that it is only a text in Markdown.
func prose(text string) string {
	return markdown.ReplaceAllString(settings.Visible(strings.Join(strings.Fields(text), " ")), `\$0`)
}

// code writes a value as a piece of code in a table of Markdown: values have no line ends, and the fence is longer than any in it.
func code(text string) string {
	fence, space := "`", ""
	for strings.Contains(text, fence) {
		fence, space = fence+"`", " "
	}
	return fence + space + cell(text) + space + fence
}

// cell keeps a text from ending its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
