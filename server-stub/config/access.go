package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// AccessCodes is what the site decided about access codes.
type AccessCodes struct {
	Generate   bool   `yaml:"generate"`           // everybody gets a code
	Keep       string `yaml:"keep,omitempty"`     // hash, or reveal to be able to show codes again
	Weak       string `yaml:"weak,omitempty"`     // what becomes of weak codes of others: pin, accept or refuse
	Length     int    `yaml:"length,omitempty"`   // at least so many characters; 0 for what is needed
	AllowShort bool   `yaml:"allow_short"`        // length holds even where more is needed
	Alphabet   string `yaml:"alphabet,omitempty"` // crockford, alnum or digits
	Group      *int   `yaml:"group,omitempty"`    // characters between hyphens, 0 for no hyphens; 4 when not set
}

// Cards is what the site decided about cards.
type Cards struct {
	Keep string `yaml:"keep,omitempty"` // hash, or reveal to be able to show numbers again
}

func defaultAccessCodes() AccessCodes {
	four := 4
	return AccessCodes{Generate: true, Keep: "hash", Weak: "pin", Alphabet: "crockford", Group: &four}
}

// accessCodes reads and checks the block.
func (f *file) accessCodes(node *yaml.Node) AccessCodes {
	a := defaultAccessCodes()
	if !f.decode("access_codes", node, &a) {
		return defaultAccessCodes()
	}
	b := blockCheck{f, node, "access_codes"}
	b.oneOf("keep", a.Keep, "hash", "reveal")
	b.oneOf("weak", a.Weak, "pin", "accept", "refuse")
	b.oneOf("alphabet", a.Alphabet, "crockford", "alnum", "digits")
	switch {
	case a.Length != 0 && (a.Length < 4 || a.Length > 32):
		b.wrong("length", "write a number from 4 to 32, or leave it out for what is needed")
	case a.Length != 0 && a.Length < 8 && !a.AllowShort:
		b.wrong("length", "codes of fewer than 8 characters are too easily guessed; write allow_short: yes too if you take that risk")
	}
	if a.Group != nil && (*a.Group < 0 || *a.Group > 32) {
		b.wrong("group", "write how many characters stand between hyphens, or 0 for no hyphens")
	}
	return a
}

// cards reads and checks the block.
func (f *file) cards(node *yaml.Node) Cards {
	c := Cards{Keep: "hash"}
	if f.decode("cards", node, &c) {
		blockCheck{f, node, "cards"}.oneOf("keep", c.Keep, "hash", "reveal")
	}
	return c
}

// oneOf checks a word.
func (b blockCheck) oneOf(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		b.wrong(key, "write %s", choices(words))
	}
}
