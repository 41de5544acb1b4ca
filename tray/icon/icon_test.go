package icon

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

func TestLabelsKeepTheSignsThatMenusInterpret(t *testing.T) {
	for _, tc := range []struct{ goos, want string }{
		{"linux", "R&D first__last"}, {"windows", "R&&D first_last"}, {"darwin", "R&D first_last"},
	} {
		if got := label("R&D first_last", tc.goos); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.goos, got, tc.want)
		}
	}
}

func TestTooltipsFitOnWindows(t *testing.T) {
	long := strings.Repeat("a€🙂", 100)
	if got := len(utf16.Encode([]rune(tip(long, "windows")))); got > 127 {
		t.Errorf("%d units, want at most 127", got)
	}
	if got := tip(long, "linux"); got != long {
		t.Errorf("shortened on Linux: %q", got)
	}
	if got := tip("short", "windows"); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestOnlyLinesThatAreThereAndEnabledCanBeChosen(t *testing.T) {
	var chosen []status.ActionKind
	i := New(Options{OnAction: func(a status.Action) { chosen = append(chosen, a.Kind) }})
	i.Show(view.Tray{Menu: [][]view.Item{{{ID: "state", Text: "Signed in"}, {ID: "quit", Action: status.Action{Kind: status.ActionQuit}}}}})
	for _, id := range []string{"state", "sign-out", "quit"} { // a click may arrive when the menu has changed already
		i.choose(id)
	}
	if len(chosen) != 1 || chosen[0] != status.ActionQuit {
		t.Errorf("chosen: %v, want only quit", chosen)
	}
}
