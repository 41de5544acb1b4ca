package sources

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a settings file.
const (
	maxFile = 64 << 10 // bytes
	maxLine = 4 << 10  // bytes
)

// ParseFile reads a settings file: lines of "Key=value", blank lines, and comments from # at the start of a line on. Space
// around key and value does not count, nor does one pair of double quotes around the value; a byte order mark and CRLF are
// accepted. A key that stands twice counts the last time. Lines that are none of these are warned of and left out.
//
// Unknown keys are not judged here. The text must be UTF-8 and at most 64 KiB; otherwise nothing of it is used (error).
func ParseFile(text []byte, kind Kind, path string) ([]Raw, []Warning, error) {
	if len(text) > maxFile {
		return nil, nil, fmt.Errorf("read %s: it is larger than %d KiB", path, maxFile>>10)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return nil, nil, fmt.Errorf("read %s: it is not UTF-8 text; save it as UTF-8", path)
	}
	var raws []Raw
	var warnings []Warning
	seen := map[string]int{}
	number := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		number++
		at := Origin{Kind: kind, Where: path, Line: number}
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), unquote(strings.TrimSpace(value))
		switch {
		case !ok || key == "":
			warnings = append(warnings, Warning{at, "this line is not Key=value and was left out."})
			continue
		case len(line) > maxLine:
			warnings = append(warnings, Warning{at, fmt.Sprintf("this line is longer than %d bytes and was left out.", maxLine)})
			continue
		}
		folded := strings.ToLower(key)
		if first, twice := seen[folded]; twice {
			warnings = append(warnings, Warning{at, fmt.Sprintf("%s stands in line %d too; this line counts.", key, first)})
			for i := range raws {
				if strings.ToLower(raws[i].Name) == folded {
					raws = append(raws[:i], raws[i+1:]...)
					break
				}
			}
		}
		seen[folded] = number
		raws = append(raws, Raw{Name: key, Text: value, Origin: at})
	}
	return raws, warnings, nil
}

func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
