package credentials

import (
	"math"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// The reasons for which a code is weak, as they are kept.
const (
	gradeShort    = "short"    // all people's tries together could find one within years
	gradeDigits   = "digits"   // long enough, if it were not digits only
	gradeSequence = "sequence" // 123456, FEDCBA
	gradeRepeated = "repeated" // 111111, ABABAB
	gradeUsed     = "used"     // somebody else's until not long ago
	gradeSame     = "same as " // ... what others know of the person: see facts
)

// reasons says what the grades mean, in words for administrators.
func reasons(grades []string) string {
	words := map[string]string{
		gradeShort: "it is too short", gradeDigits: "digits only need more of them", gradeSequence: "it counts up or down", gradeRepeated: "it repeats itself",
		gradeUsed: "it was somebody else's not long ago",
	}
	var list []string
	for _, g := range grades {
		text := words[g]
		if what, ok := strings.CutPrefix(g, gradeSame); ok {
			text = "it is like the person's " + what
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// fact is something that others know or may guess of a person.
type fact struct {
	what string
	text string
}

// grade tells why a code (canonical) is weak among people whose codes need so many bits; nil for a good one.
func grade(code secret.String, need float64, facts []fact) []string {
	text := code.Reveal()
	var grades []string
	size := float64(len(text))
	digits := strings.Trim(text, "0123456789") == ""
	switch {
	case size < minLength || size*math.Log2(33) < need:
		grades = append(grades, gradeShort)
	case digits && size*math.Log2(10) < need:
		grades = append(grades, gradeDigits)
	}
	if counting(text) {
		grades = append(grades, gradeSequence)
	}
	if repeating(text) {
		grades = append(grades, gradeRepeated)
	}
	for _, f := range facts {
		if like(text, f.text) && !slices.Contains(grades, gradeSame+f.what) {
			grades = append(grades, gradeSame+f.what)
		}
	}
	return grades
}

// counting tells whether most of a code counts up or down.
func counting(text string) bool {
	best := 1
	for _, step := range []int{1, -1} {
		run := 1
		for i := 1; i < len(text); i++ {
			if int(text[i])-int(text[i-1]) == step {
				run++
			} else {
				run = 1
			}
			best = max(best, run)
		}
	}
	return best >= 4 && best*4 >= len(text)*3
}

// repeating tells whether a code has hardly any different characters or is a shorter text again and again.
func repeating(text string) bool {
	seen := map[byte]bool{}
	for i := range len(text) {
		seen[text[i]] = true
	}
	if len(seen) <= 2 {
		return true
	}
	for period := 1; period <= min(4, len(text)/2); period++ {
		if text[period:] == text[:len(text)-period] {
			return true
		}
	}
	return false
}

// like tells whether the code is the fact, a part of it, or the fact with a character or two more.
func like(code, known string) bool {
	c, err := CanonCode(secret.New(known))
	if err != nil {
		return false
	}
	known = c.Reveal()
	return strings.Contains(known, code) || len(known) >= 4 && len(code)-len(known) <= 2 && strings.Contains(code, known)
}
