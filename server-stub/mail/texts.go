package mail

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

//go:embed texts/*.json
var embedded embed.FS

// languages are those that mail is written in; the first is the last resort.
var languages = []string{"en", "de", "fr", "es"}

// texts are what mail says, by language and key.
type texts map[string]map[string]string

var holes = regexp.MustCompile(`\{[a-z]+\}`)

// loadTexts reads the texts, and over them those of a site, which may have some of them.
func loadTexts(site fs.FS) (texts, error) {
	all := texts{}
	for _, lang := range languages {
		raw, err := embedded.ReadFile("texts/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("read the texts of mail: %w", err)
		}
		own := map[string]string{}
		if err := json.Unmarshal(raw, &own); err != nil {
			return nil, fmt.Errorf("read the texts of mail in %q: %w", lang, err)
		}
		all[lang] = own
		if site == nil {
			continue
		}
		if err := all.overlay(site, lang); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// overlay puts a site's own texts over ours.
func (t texts) overlay(site fs.FS, lang string) error {
	raw, err := fs.ReadFile(site, lang+".json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the site's texts of mail: %w", err)
	}
	own := map[string]string{}
	if err := json.Unmarshal(raw, &own); err != nil {
		return fmt.Errorf("the site's texts of mail in %s.json are not as they must be, such as {\"welcome\": \"...\"}: %w", lang, err)
	}
	for key, text := range own {
		ours, known := t[lang][key]
		if !known {
			return fmt.Errorf("the site's texts of mail in %s.json: there is no text %q", lang, key)
		}
		for _, hole := range holes.FindAllString(text, -1) {
			if !strings.Contains(ours, hole) {
				return fmt.Errorf("the site's texts of mail in %s.json: the text %q has no %s to fill in", lang, key, hole)
			}
		}
		t[lang][key] = text
	}
	return nil
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.German, language.French, language.Spanish})

// pick chooses the language of a mail: the person's, else the site's.
func pick(wanted, site string) string {
	if tag, err := language.Parse(strings.ReplaceAll(wanted, "_", "-")); err == nil && wanted != "" {
		if _, i, confidence := matcher.Match(tag); confidence >= language.High {
			return languages[i]
		}
	}
	if slices.Contains(languages, site) {
		return site
	}
	return languages[0]
}

// say fills a text in.
func (t texts) say(lang, key string, values map[string]string) string {
	return holes.ReplaceAllStringFunc(t[lang][key], func(hole string) string { return values[strings.Trim(hole, "{}")] })
}
