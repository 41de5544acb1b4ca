package policy

import (
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// Conf writes the values as a settings file: platen.conf, policy.conf, recommended.conf or site.conf of Linux, platen.conf
// elsewhere. The comment, which may have several lines, stands before them. Errors are those of Check.
func Conf(comment string, values []Value) ([]byte, error) {
	checked, err := Check(values)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(comment, "\n"), "\n") {
		b.WriteString(strings.TrimRight("# "+settings.Visible(line), " ") + "\n")
	}
	for _, v := range checked {
		text := v.Text
		if strings.HasPrefix(text, `"`) { // one pair of quotes would be taken off
			text = `"` + text + `"`
		}
		b.WriteString(v.Name + "=" + text + "\n")
	}
	return []byte(b.String()), nil
}
