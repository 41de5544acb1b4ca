package credentials

import (
	"crypto/rand"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// words are what no made code may read like, as folded writes them: a few rude ones in the languages of the mails. A code that
// has one is thrown away, which costs next to nothing of the choice.
var words = []string{
	"ANAI", "ARSCH", "ASS", "BASTARD", "BITCH", "BITE", "CAZZ", "COCK", "COJON", "CONO", "CUI", "CUNT", "DICK", "DUMM", "FECK", "FICK", "FOTZE", "FUCK", "HITIER",
	"HURE", "IDIOT", "JODER", "KACK", "KIII", "KKK", "MERDE", "MIERDA", "MORT", "NAZI", "NIQUE", "NUTTE", "PENIS", "PISS", "PORN", "PUTA", "PUTE", "RAPE", "SAIOP",
	"SEX", "SHIT", "SIUT", "TEUFEI", "TITS", "TOD", "VERGA", "WANK",
}

// folded writes characters as letters that they look like, so that 5H1T is found.
var folded = strings.NewReplacer("0", "O", "1", "I", "L", "I", "3", "E", "4", "A", "5", "S", "7", "T", "8", "B", "V", "U")

// readsLikeAWord tells whether a code has one of the words in it.
func readsLikeAWord(code string) bool {
	text := folded.Replace(code)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// generate makes a code for one of n people. Whether somebody has it is not known here.
func generate(f Format, n int) secret.String {
	characters := f.Alphabet.characters()
	length := f.For(n)
	code := make([]byte, 0, length)
	for {
		code = code[:0]
		for len(code) < length {
			code = appendRandom(code, characters, length-len(code))
		}
		text := string(code)
		if !readsLikeAWord(text) && !counting(text) && !repeating(text) {
			return secret.New(text)
		}
	}
}

// appendRandom appends at most n characters, each as likely as the others.
func appendRandom(code []byte, characters string, n int) []byte {
	var random [2 * maxLength]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	limit := 256 / len(characters) * len(characters)
	for _, b := range random {
		if int(b) >= limit || n == 0 {
			continue
		}
		code = append(code, characters[int(b)%len(characters)])
		n--
	}
	return code
}
