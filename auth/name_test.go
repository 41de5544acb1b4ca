package auth

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

func TestCanon(t *testing.T) {
	tests := []struct {
		name, in string
		want     Folded
		wantErr  bool
	}{
		{name: "lower case", in: "Alex.Test@Example.ORG", want: "alex.test@example.org"},
		{name: "space around", in: "  alex \t", want: "alex"},
		{name: "sharp s folds", in: "straße", want: "strasse"},
		{name: "capital sharp s folds", in: "STRAẞE", want: "strasse"},
		{name: "Turkish dotless i stays", in: "ılgaz", want: "ılgaz"},
		{name: "capital I is i, in every locale", in: "ILGAZ", want: "ilgaz"},
		{name: "full width", in: "ａｌｅｘ", want: "alex"},
		{name: "decomposed", in: "Ame\u0301lie", want: "amélie"},
		{name: "ligature", in: "ﬁona", want: "fiona"},
		{name: "empty", in: "  ", wantErr: true},
		{name: "NUL", in: "alex\x00", wantErr: true},
		{name: "zero width joiner", in: "al\u200dex", wantErr: true},
		{name: "right to left override", in: "\u202ealex", wantErr: true},
		{name: "soft hyphen", in: "al\u00adex", wantErr: true},
		{name: "not UTF-8", in: "alex\xff", wantErr: true},
		{name: "too long", in: strings.Repeat("a", MaxNameLength+1), wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canon(tt.in)
			if got != tt.want || errors.Is(err, ErrInvalidName) != tt.wantErr {
				t.Errorf("Canon(%q) = %q, %v; want %q, error %v", tt.in, got, err, tt.want, tt.wantErr)
			}
		})
	}
}

func TestLookalike(t *testing.T) {
	tests := []struct {
		name string
		want bool
	}{
		{"alex.test@example.org", false},
		{"amélie", false},
		{"жанна", false}, // Cyrillic, and not drawn like Latin
		{"田中ゆき", false},
		{"김철수", false},
		{"аlex", true}, // Cyrillic а before Latin
		{"сора", true}, // all Cyrillic, reads "copa"
		{"ανна", true}, // Greek and Cyrillic
		{"12345", false},
	}
	for _, tt := range tests {
		folded, err := Canon(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := Lookalike(folded); got != tt.want {
			t.Errorf("Lookalike(%q) = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func FuzzCanon(f *testing.F) {
	for _, s := range []string{"Alex.Test@example.org", "straße", "ﬁ", "İ", "ᾳ", "\u0345", "ſ", "K", "ﷺ", "a\u200db"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		folded, err := Canon(in)
		if err != nil {
			if folded != "" {
				t.Errorf("Canon(%q) = %q with error %v", in, folded, err)
			}
			return
		}
		if !utf8.ValidString(string(folded)) {
			t.Errorf("Canon(%q) = %q is not UTF-8", in, folded)
		}
		again, err := Canon(string(folded))
		if err != nil || again != folded {
			t.Errorf("Canon is not idempotent: %q -> %q -> %q, %v", in, folded, again, err)
		}
		if !Same(in, strings.ToUpper(in)) && Same(in, strings.ToLower(in)) {
			// Upper case may fold elsewhere (ı), lower case may not: nothing to hold here but that Same does not panic.
			return
		}
	})
}

// What is folded the short way is folded as the long way does it.
func TestCanonASCIIIsTheFoldingOfUnicode(t *testing.T) {
	for c := range 128 {
		for _, name := range []string{string(rune(c)), "a" + string(rune(c)) + "Z", "Ab" + string(rune(c))} {
			got, err := Canon(name)
			long := strings.TrimSpace(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(name)))))
			switch refused := long == "" || c < ' ' && strings.ContainsRune(long, rune(c)) || c == 127; {
			case refused != (err != nil):
				t.Errorf("Canon(%q) = %q, %v", name, got, err)
			case !refused && string(got) != long:
				t.Errorf("Canon(%q) = %q, want %q", name, got, long)
			}
		}
	}
}
