package machine

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/platenprint/platen/internal/api"
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

// isCode tells whether a problem's code is one that a server of ours could have said.
func isCode(code api.Code) bool {
	return code != "" && len(code) <= 64 && !strings.ContainsFunc(string(code), func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// maxState is how long what a server wants of a device may be, in bytes of JSON: every user is told all of it in one frame, which
// has room for twice as much.
const maxState = 32 << 10

// harmless tells whether what a server wants of a device can be kept and shown, on administrators' terminals as well.
func harmless(s api.DeviceState) bool {
	text, err := json.Marshal(s)
	odd := func(t string) bool { return plain(t) != t }
	return err == nil && len(text) <= maxState &&
		!odd(s.DeviceID) && !odd(s.Group) && !odd(s.Role) && !slices.ContainsFunc(s.AuthModes, odd) && !slices.ContainsFunc(s.SharedOSUsers, odd)
}
