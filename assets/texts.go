package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed locale/*.json
var locale embed.FS

// Languages are the languages there are texts in; the first one is used where none fits.
var Languages = []string{"en", "de", "fr", "es"}

// Texts are the words of one language. The zero value has none.
type Texts struct {
	language string
	texts    map[string]string
}

// LoadTexts returns the texts of the language of a locale name, written as POSIX ("de_DE.UTF-8") or BCP 47 ("de-AT").
// A language we do not speak, "C" and "" give English.
func LoadTexts(name string) (Texts, error) {
	language := Language(name)
	data, err := locale.ReadFile("locale/" + language + ".json")
	if err != nil {
		return Texts{}, fmt.Errorf("read texts: %w", err)
	}
	t := Texts{language: language}
	if err := json.Unmarshal(data, &t.texts); err != nil {
		return Texts{}, fmt.Errorf("read texts %s: %w", language, err)
	}
	return t, nil
}

// Language returns the one of Languages that a locale name stands for.
func Language(name string) string {
	language, _, _ := strings.Cut(strings.ToLower(name), "_")
	language, _, _ = strings.Cut(language, "-")
	language, _, _ = strings.Cut(language, ".")
	if slices.Contains(Languages, language) {
		return language
	}
	return Languages[0]
}

// Language says which language the texts are in.
func (t Texts) Language() string { return t.language }

// Text returns the text with the key. args are pairs: the name of a placeholder ({name}) and what to put there. A key
// that does not exist is returned as it is.
func (t Texts) Text(key string, args ...string) string {
	text, ok := t.texts[key]
	if !ok {
		return key
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, "{"+args[i]+"}", args[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Keys returns the keys of all texts, sorted.
func (t Texts) Keys() []string {
	keys := make([]string, 0, len(t.texts))
	for key := range t.texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
