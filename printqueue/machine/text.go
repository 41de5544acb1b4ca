package machine

import (
	"strings"
	"unicode"
)

// maxText is the longest text of somebody else that is passed on, in runes.
const maxText = 300

// plain makes a text of somebody else harmless: one line, nothing invisible, not endless.
func plain(text string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "..."
	}
	return string(runes)
}
