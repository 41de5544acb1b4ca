package statedir_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/platenprint/platen/client/statedir"
)

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		goos string
		env  map[string]string
		want string
		err  error
	}{
		"linux":                  {"linux", map[string]string{"HOME": "/home/alex"}, "/home/alex/.local/state/platen", nil},
		"linux, state folder":    {"linux", map[string]string{"HOME": "/home/alex", "XDG_STATE_HOME": "/s"}, "/s/platen", nil},
		"linux, relative folder": {"linux", map[string]string{"HOME": "/home/alex", "XDG_STATE_HOME": "s"}, "/home/alex/.local/state/platen", nil},
		"linux, no home":         {"linux", nil, "", statedir.ErrNoHome},
		"macOS":                  {"darwin", map[string]string{"HOME": "/Users/alex"}, "/Users/alex/Library/Application Support/Platen", nil},
		"windows":                {"windows", map[string]string{"LOCALAPPDATA": `C:\x`}, filepath.Join(`C:\x`, "Platen"), nil},
		"windows, none":          {"windows", map[string]string{"HOME": "/x"}, "", statedir.ErrNoHome},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := statedir.Find(test.goos, func(key string) string { return test.env[key] })
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestTheWindowsOwnFolders(t *testing.T) {
	for name, test := range map[string]struct {
		goos string
		env  map[string]string
		want []string
	}{
		"linux": {"linux", map[string]string{"HOME": "/home/alex"}, []string{
			"/home/alex/.config/fyne/org.platenprint.platen", "/home/alex/.cache/fyne/org.platenprint.platen",
		}},
		"linux, elsewhere": {"linux", map[string]string{"HOME": "/home/alex", "XDG_CONFIG_HOME": "/c", "XDG_CACHE_HOME": "relative"}, []string{
			"/c/fyne/org.platenprint.platen", "/home/alex/.cache/fyne/org.platenprint.platen",
		}},
		"darwin": {"darwin", map[string]string{"HOME": "/Users/alex"}, []string{
			"/Users/alex/Library/Preferences/fyne/org.platenprint.platen", "/Users/alex/Library/Caches/fyne/org.platenprint.platen",
		}},
		"no home":         {"linux", nil, nil},
		"no home, darwin": {"darwin", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := statedir.Window(test.goos, func(name string) string { return test.env[name] })
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
