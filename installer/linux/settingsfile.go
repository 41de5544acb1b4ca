package linux

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// settingsFile is /etc/platen/platen.conf as the package brings it: comments alone, so that it says nothing until somebody writes
// into it, and an upgrade can replace it as long as nobody has.
func settingsFile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Settings of Platen on this computer: Key=value. See platen.conf(5); \"platen config\" shows what is in force and from where.\n"+
		"# Stronger than this file: %s (nobody can change it), then options, the environment,\n"+
		"# a person's own file, and %s. Weaker: %s.\n"+
		"# Remove the # of a line to use it. An upgrade of the package keeps what is written here.\n", settings.PolicyFile, settings.RecommendedFile, settings.SiteFile)
	for _, s := range settings.Table() {
		fmt.Fprintf(&b, "\n# %s\n", s.Doc)
		fmt.Fprintf(&b, "#%s=%s\n", s.Name, s.Default)
	}
	return b.String()
}
