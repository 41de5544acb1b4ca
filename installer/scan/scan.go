// Package scan looks for what must never be in something we give away (R-SECRET-1): private keys, tokens and password hashes
// of our own kinds and of well-known services, strings in texts that look like secrets, and traces of the machine it was built
// on. It takes every format apart that we make, with what is packed inside.
//
// A rule is a literal text and what must follow it, so that programs which only know how a key is written (every program that
// speaks TLS) are not found.
package scan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is something that must not be there.
type Finding struct {
	Artefact string // file name
	File     string // path inside, with "!" between an archive and what is in it
	Rule     string // what it looks like
	Excerpt  string // its beginning only: findings are printed in logs
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %q...", f.Artefact, f.File, f.Rule, f.Excerpt)
}

// rule finds a literal text that is followed by something of the given form.
type rule struct {
	name    string
	literal string
	form    *regexp.Regexp // anchored at the literal's beginning
	// drawn tells whether the form's first group looks drawn at random; nil where the form says enough. In a program one text
	// begins where the one before ends, so after a prefix of ours stands whatever comes next.
	drawn func(string) bool
}

// token is the rule for a secret of ours: 43 characters of base64url, as 256 bits are.
func token(name, prefix string) rule {
	return rule{name, prefix, regexp.MustCompile(`^` + prefix + `(?:[a-z2-7]{26}_)?([A-Za-z0-9_-]{43})`), random}
}

// rules are the secrets that have a form.
var rules = []rule{
	{"private key", "-----BEGIN ", regexp.MustCompile(`^-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY( BLOCK)?-----(\s|\\r|\\n)+([A-Za-z-]+: [^\r\n\\]*(\s|\\n)+)*[A-Za-z0-9+/=]{24}`), nil},
	// In a comment, or in the source of a program. What is in ASN.1 begins with an M.
	{"private key", "-----BEGIN ", regexp.MustCompile(`^-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:\s|\\[rn]|["'+#/*;>|]){1,20}(?:M[A-Z]|b3Blbn)[A-Za-z0-9+/]{22}`), nil},
	{"PuTTY key", "PuTTY-User-Key-File-", regexp.MustCompile(`^PuTTY-User-Key-File-\d: \S+`), nil},
	{"minisign key", "RWRTY0Iy", regexp.MustCompile(`^RWRTY0Iy[A-Za-z0-9+/]{100}`), nil},
	token("access token", "plt_a_"),
	token("refresh token", "plt_r_"),
	token("web session", "plt_w_"),
	token("code", "plt_c_"),
	{"enrolment token", "plt_e_", regexp.MustCompile(`^plt_e_([a-z2-7]{26})`), base32},
	token("SCIM token", "pp_scim_"),
	{"master key", "platen-master-key-1 ", regexp.MustCompile(`^platen-master-key-1 [A-Za-z0-9+/]{43}=`), nil},
	{"password hash", "$argon2id$v=", regexp.MustCompile(`^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{16,}\$[A-Za-z0-9+/]{16}`), nil},
	{"password hash", "$2", regexp.MustCompile(`^\$2[aby]\$\d\d\$[A-Za-z0-9./]{53}`), nil},
	{"AWS key", "AKIA", regexp.MustCompile(`^AKIA[A-Z2-7]{16}\b`), nil},
	{"GitHub token", "gh", regexp.MustCompile(`^gh[pousr]_[A-Za-z0-9]{36}`), nil},
	{"GitHub token", "github_pat_", regexp.MustCompile(`^github_pat_[A-Za-z0-9_]{60}`), nil},
	{"GitLab token", "glpat-", regexp.MustCompile(`^glpat-[A-Za-z0-9_-]{20}`), nil},
	{"Slack token", "xox", regexp.MustCompile(`^xox[abpors]-\d{6,}-[A-Za-z0-9-]{10}`), nil},
	{"Google key", "AIza", regexp.MustCompile(`^AIza[A-Za-z0-9_-]{35}\b`), nil},
	{"Entra secret", "8Q~", regexp.MustCompile(`^8Q~[A-Za-z0-9_.~-]{31,34}\b`), nil},
	{"JSON web token", "eyJ", regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20}`), nil},
}

// window is how much after a literal is looked at.
const window = 4096

// Scanner looks through artefacts. What it has seen once, byte by byte, it does not look at again; so it is for one release,
// and one goroutine.
type Scanner struct {
	traces []string
	seen   map[[32]byte][]Finding
}

// New returns a scanner. traces are texts that tell of the machine it was built on, such as folders.
func New(traces []string) *Scanner {
	s := &Scanner{seen: map[[32]byte][]Finding{}}
	for _, t := range traces {
		if len(t) >= 5 { // "/" or "/tmp" would be found everywhere
			s.traces = append(s.traces, t)
		}
	}
	return s
}

// Scan looks through the artefact at path and everything in it. Findings are no error.
func (s *Scanner) Scan(ctx context.Context, path string) ([]Finding, error) {
	var found []Finding
	err := unpack(ctx, path, func(name string, data []byte) {
		for _, f := range slices.Concat(s.look(name, data), s.match([]byte(name)), packed(name, data)) {
			f.Artefact, f.File = filepath.Base(path), name
			found = append(found, f)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("look for secrets in %s: %w", filepath.Base(path), err)
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Excerpt, b.Excerpt))
	})
	return slices.Compact(found), nil
}

// look looks at one file.
func (s *Scanner) look(name string, data []byte) []Finding {
	sum := sha256.Sum256(data)
	found, known := s.seen[sum]
	if known {
		return slices.Clone(found)
	}
	found = s.match(data)
	// Windows' resources and registry files are in UTF-16: without the zeros a text in Latin letters is what it is.
	if bytes.IndexByte(data, 0) >= 0 {
		found = append(found, s.match(narrow(data))...)
	} else if utf8.Valid(data) && !lists(name) {
		found = append(found, entropy(data, strings.HasSuffix(name, ".idt"))...)
	}
	s.seen[sum] = found
	return slices.Clone(found)
}

func (s *Scanner) match(data []byte) []Finding {
	var found []Finding
	for _, r := range rules {
		each(data, r.literal, func(at int) {
			m := r.form.FindSubmatch(data[at:min(len(data), at+window)])
			if m != nil && (r.drawn == nil || r.drawn(string(m[1]))) {
				found = append(found, Finding{Rule: r.name, Excerpt: excerpt(m[0])})
			}
		})
	}
	found = append(found, keys(data)...)
	each(data, encoded, func(at int) {
		for _, f := range s.match(decode(data[at:min(len(data), at+window)])) {
			f.Excerpt = encoded
			found = append(found, f)
		}
	})
	for _, t := range s.traces {
		each(data, t, func(at int) {
			if !goesOn(data[at+len(t):]) { // "/work" is not in "/workers"
				found = append(found, Finding{Rule: "trace of the machine it was built on", Excerpt: t})
			}
		})
	}
	return found
}

// each calls visit with every place at which data has the literal.
func each(data []byte, literal string, visit func(at int)) {
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte(literal))
		if i < 0 {
			return
		}
		at += i
		visit(at)
	}
}

// goesOn tells whether a file's name goes on: ".backup" does, the end of a sentence does not.
func goesOn(rest []byte) bool {
	if len(rest) > 1 && rest[0] == '.' {
		rest = rest[1:]
	}
	return len(rest) > 0 && letter(rest[0])
}

func letter(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// excerpt shows what was found and not what it says.
func excerpt(secret []byte) string {
	return string(secret[:min(len(secret), 12)])
}

// narrow leaves out the zero bytes between two others: UTF-16 in Latin letters becomes ASCII. Runs of zeros stay, so that what
// lies apart does not become one text.
func narrow(data []byte) []byte {
	out := make([]byte, 0, len(data)/2)
	for i, b := range data {
		if b != 0 || i > 0 && data[i-1] == 0 {
			out = append(out, b)
		}
	}
	return out
}

// lists tells whether a file is a list of checksums, which look like secrets and are none.
func lists(name string) bool {
	base := name[strings.LastIndexAny(name, "/!")+1:]
	return base == "md5sums" || base == "SHA256SUMS" || base == "MsiFileHash.idt" || strings.HasSuffix(base, ".cdx.json")
}

var words = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}={0,2}`)

// made are the names that wixl gives rows of an MSI's tables: the MD5 of what they are.
var made = regexp.MustCompile(`^(reg|fil|dir|cmp)[0-9A-F]{32}$`)

// entropy finds strings in a text that look as if drawn at random. table says that the text is a table of an MSI.
func entropy(data []byte, table bool) []Finding {
	var found []Finding
	for _, w := range words.FindAll(data, -1) {
		if random(string(w)) && (!table || !made.Match(w)) {
			found = append(found, Finding{Rule: "looks like a secret", Excerpt: excerpt(w)})
		}
	}
	return found
}

// random tells whether a word looks as if drawn at random from 64 or 16 characters: of 43 from 64 it misses one in some thousand.
// Identifiers, paths and sentences do not: they are of one case, or change it seldom.
func random(word string) bool {
	word = strings.TrimRight(word, "=")
	kinds := map[byte]int{}
	changes := 0
	var last byte
	for i := range len(word) {
		k := kind(word[i])
		kinds[k]++
		if k != last {
			changes++
		}
		last = k
	}
	n, bits := len(word), shannon(word)
	if kinds['a'] == 0 || kinds['A'] == 0 { // one case: in hex, as keys are written too
		return n >= 32 && kinds['0'] >= n/4 && changes > n/5 && bits > 3.2 && hexadecimal(word)
	}
	return changes*100 > 38*n && (kinds['0'] > 0 || changes > n/2) && bits > 3.9
}

// base32 tells whether 26 characters of lower-case base32 look as if drawn at random: texts have few of the digits and of these
// letters. It misses one in a hundred.
func base32(word string) bool {
	rare := 0
	for i := range len(word) {
		if strings.IndexByte("jkqvwxz234567", word[i]) >= 0 {
			rare++
		}
	}
	return rare >= 5 && shannon(word) > 3
}

func kind(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return '0'
	case b >= 'a' && b <= 'z':
		return 'a'
	case b >= 'A' && b <= 'Z':
		return 'A'
	}
	return '-'
}

func hexadecimal(word string) bool {
	return strings.Trim(word, "0123456789abcdef") == "" || strings.Trim(word, "0123456789ABCDEF") == ""
}

// shannon is the information in a character of word, in bits.
func shannon(word string) float64 {
	count := map[byte]float64{}
	for i := range len(word) {
		count[word[i]]++
	}
	bits, n := 0.0, float64(len(word))
	for _, c := range count {
		bits -= c / n * math.Log2(c/n)
	}
	return bits
}
