package auth

import "unicode"

// Lookalike tells whether name could be taken for another by the eye: letters of several scripts mixed ("раypal" with
// Cyrillic letters), or a name whose letters are all non-Latin but all drawn like Latin ones (a whole-script confusable
// in the sense of Unicode UTS #39). Such a name never matches silently; a person is asked. Japanese and Korean, which
// mix scripts by nature, are not lookalikes.
func Lookalike(name Folded) bool {
	var latin, cjk, other, lookalikes, letters int
	scripts := map[string]bool{}
	for _, r := range string(name) {
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		switch {
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo):
			cjk++
		default:
			other++
			scripts[scriptOf(r)] = true
			if drawnLikeLatin(r) {
				lookalikes++
			}
		}
	}
	if other == 0 {
		return false
	}
	return latin > 0 || cjk > 0 || len(scripts) > 1 || lookalikes == letters
}

// scriptOf names the script of a letter, "" for one of no script.
func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}

// drawnLikeLatin tells whether a folded Cyrillic, Greek or Armenian letter looks like a Latin one (the single-letter
// rows of Unicode's confusables.txt that matter for names).
func drawnLikeLatin(r rune) bool {
	switch r {
	case 'а', 'е', 'о', 'р', 'с', 'у', 'х', 'і', 'ј', 'ѕ', 'ԁ', 'ԛ', 'ԝ', 'һ', 'ӏ', 'к', 'г', 'п', 'ѵ', // Cyrillic
		'α', 'ο', 'ρ', 'ν', 'υ', 'ι', 'κ', 'γ', 'χ', 'ϲ', 'ϳ', // Greek
		'օ', 'ո', 'ս', 'հ', 'ց', 'զ', 'յ': // Armenian
		return true
	}
	return false
}
