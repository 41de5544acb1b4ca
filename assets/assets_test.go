package assets_test

import (
	"bytes"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/auth/aadsts"
)

var states = []string{"ok", "signed-out", "offline", "low", "empty", "problem"}

func TestEverySystemHasATrayIconForEveryState(t *testing.T) {
	for _, state := range states {
		for goos, size := range map[string]int{"linux": 48, "darwin": 44} {
			data, err := assets.TrayIcon(state, goos)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.DecodeConfig(bytes.NewReader(data))
			if err != nil || img.Width != size || img.Height != size {
				t.Errorf("%s on %s: %dx%d, %v; want %d pixels", state, goos, img.Width, img.Height, err, size)
			}
		}
		data, err := assets.TrayIcon(state, "windows")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte{0, 0, 1, 0}) {
			t.Errorf("%s on windows is no ICO file", state)
		}
	}
	if _, err := assets.TrayIcon("purple", "linux"); err == nil {
		t.Error("an unknown state has an icon")
	}
	for _, size := range []int{64, 256} {
		if _, err := assets.AppIcon(size); err != nil {
			t.Error(err)
		}
	}
}

func TestLanguageOfALocaleName(t *testing.T) {
	for name, want := range map[string]string{
		"de_DE.UTF-8": "de", "de-AT": "de", "DE": "de", "fr_CA": "fr", "es.UTF-8": "es", "en_GB": "en",
		"C": "en", "POSIX": "en", "": "en", "pt_BR.UTF-8": "en", "deu": "en",
	} {
		if got := assets.Language(name); got != want {
			t.Errorf("Language(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestAllLanguagesHaveTheSameTexts(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[a-z]+\}`)
	english := load(t, "en")
	for _, language := range assets.Languages {
		texts := load(t, language)
		if diff := cmp.Diff(english.Keys(), texts.Keys()); diff != "" {
			t.Errorf("keys of %s differ from English (-en +%s):\n%s", language, language, diff)
		}
		for _, key := range english.Keys() {
			want, got := placeholder.FindAllString(english.Text(key), -1), placeholder.FindAllString(texts.Text(key), -1)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: placeholders of %q differ: %s", language, key, diff)
			}
		}
	}
}

// A test of auth/aadsts has every sentence that can come; here each has its words.
func TestEverySentenceAboutMicrosoftIsInEveryLanguage(t *testing.T) {
	for _, language := range assets.Languages {
		texts := load(t, language)
		for key := range aadsts.Sentences() {
			if texts.Text(key) == key {
				t.Errorf("%s has no %q", language, key)
			}
		}
	}
}

func TestTextsAreWrittenAsEachLanguageWritesThem(t *testing.T) {
	for _, language := range assets.Languages {
		texts := load(t, language)
		for _, key := range texts.Keys() {
			text := texts.Text(key)
			switch {
			case strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text:
				t.Errorf("%s: %q is empty or has a space at an end", language, key)
			case strings.ContainsAny(text, `'"`):
				t.Errorf("%s: %q has a typewriter quote: %s", language, key, text)
			case strings.Contains(text, "..."):
				t.Errorf("%s: %q has three dots for an ellipsis: %s", language, key, text)
			case strings.Contains(text, "  "):
				t.Errorf("%s: %q has a double space: %s", language, key, text)
			}
			if language == "fr" && regexp.MustCompile(`[^\x{a0}][:;!?](\s|$)`).MatchString(text) && !strings.HasPrefix(text, "{") {
				t.Errorf("fr: %q wants a no-break space before the sign: %s", key, text)
			}
			if months := "date.months"; key == months && len(strings.Fields(text)) != 12 {
				t.Errorf("%s: %q has %d names", language, key, len(strings.Fields(text)))
			}
		}
	}
}

func TestTextFillsPlaceholdersAndShowsUnknownKeys(t *testing.T) {
	texts := load(t, "en")
	if got, want := texts.Text("problem.limited", "time", "10:42"), "Too many tries. Try again at 10:42."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// What is put in is not searched for placeholders again.
	if got, want := texts.Text("toast.card", "name", "{amount}", "amount", "€1"), "{amount} · €1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := texts.Text("no.such.key"); got != "no.such.key" {
		t.Errorf("got %q for an unknown key", got)
	}
}

func load(t *testing.T, language string) assets.Texts {
	t.Helper()
	texts, err := assets.LoadTexts(language)
	if err != nil {
		t.Fatal(err)
	}
	if texts.Language() != language {
		t.Fatalf("texts of %s are in %s", language, texts.Language())
	}
	return texts
}
