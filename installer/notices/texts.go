package notices

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	// called are the names of files with licences, and with what licences want to be handed on (Apache-2.0, section 4d).
	called = regexp.MustCompile(`(?i)^(licen[cs]es?|unlicense|copying|copyright|notices?|patents|ofl)([-_. ].*)?$`)
	// licence are those of them that are a licence.
	licence = regexp.MustCompile(`(?i)^(licen[cs]e|unlicense|copying|copyright)`)
	// source is a file of C, of which some were taken from elsewhere with their licence in a comment.
	source = regexp.MustCompile(`\.[chm]$`)
	// aside are folders of a module of which nothing is in a program.
	aside = regexp.MustCompile(`^(testdata|cmd|examples?|_.*|\..*)$`)

	comment = regexp.MustCompile(`(?s)/\*.*?\*/|(?:[ \t]*//[^\n]*\n)+`)
	mark    = regexp.MustCompile(`^[ \t]*(/\*+|\*+/|\*|//+)?[-=*]*`)
	begins  = regexp.MustCompile(`(?i)copyright +(\(c\)|©|[0-9])|public domain`)
	permits = regexp.MustCompile(`(?i)permission|redistribut|public domain`)
)

// inFolder are the texts of a module: its licence, the licences of what it has taken from elsewhere, and notices.
func inFolder(dir string) ([]string, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: it is not in the module cache", ErrNoText)
	}
	var texts, heads []string
	licensed := false
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir():
			if path != dir && aside.MatchString(name) {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		case source.MatchString(name):
			text, err := os.ReadFile(path)
			heads = append(heads, granted(string(text))...)
			return err
		case filepath.Ext(name) != ".go" && (called.MatchString(name) || strings.EqualFold(filepath.Base(filepath.Dir(path)), "licenses")):
			text, err := os.ReadFile(path)
			licensed = licensed || filepath.Dir(path) == dir && licence.MatchString(name)
			texts = append(texts, tidy(text))
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !licensed {
		return nil, ErrNoText
	}
	slices.Sort(heads)
	return unique(append(texts, heads...)), nil
}

// granted are the licences in the comments of a C source.
func granted(text string) []string {
	var found []string
	for _, c := range comment.FindAllString(strings.ReplaceAll(text, "\r\n", "\n"), -1) {
		if !permits.MatchString(c) {
			continue
		}
		var lines []string
		for line := range strings.Lines(strings.TrimSuffix(c, "*/")) {
			line = strings.TrimSpace(mark.ReplaceAllString(line, ""))
			if lines != nil || begins.MatchString(line) { // before it is what the file is for
				lines = append(lines, line)
			}
		}
		if lines != nil {
			found = append(found, tidy([]byte(strings.Join(lines, "\n"))))
		}
	}
	return found
}

// unique leaves every text once, in the order in which it came.
func unique(texts []string) []string {
	var all []string
	for _, t := range texts {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// tidy makes the same text the same: ends of lines, empty lines around it, and whatever is no UTF-8.
func tidy(text []byte) string {
	lines := strings.Split(strings.ReplaceAll(strings.ToValidUTF8(string(text), "?"), "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t\r\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
