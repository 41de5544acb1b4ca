package usermap_test

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
)

// person is somebody in a directory of the corpus.
type person struct {
	id, upn, username, domain, sam, dns, nick, email, alias, sid, oid string
	disabled                                                          bool
}

// directory resolves accounts in the simplest way that the design allows. The server has its own code for it; this is
// what the corpus is judged by.
type directory struct {
	name   string
	people []person
}

// resolve returns the outcome and, if it is "silent", who it was taken for.
func (d directory) resolve(f usermap.Facts, r usermap.Result) (outcome, id string) {
	if r.Verdict == usermap.Refuse {
		return "refuses", ""
	}
	if p, ok := d.byID(f); ok {
		return p.enter()
	}
	if r.Verdict == usermap.Ask {
		return "asks", ""
	}
	for _, c := range r.Candidates {
		holders := d.holders(c)
		switch {
		case !c.Silent, len(holders) == 0:
			continue
		case len(holders) > 1, holders[0].hasAnotherID(f), isGuess(c) && d.speaksAgainst(holders[0], f.Name):
			return "asks", ""
		default:
			return holders[0].enter()
		}
	}
	return "asks", ""
}

func (p person) enter() (outcome, id string) {
	if p.disabled {
		return "refuses", ""
	}
	return "silent", p.id
}

// ids are what a directory's account can be known by without its name: the SID of a domain account, the Entra object id.
func ids(f usermap.Facts) (sid, oid string) {
	if oid, ok := auth.EntraObjectID(f.SID); ok {
		return "", oid
	}
	if f.Kind == usermap.KindDomain && auth.DomainSID(f.SID) {
		return f.SID, ""
	}
	return "", ""
}

func (d directory) byID(f usermap.Facts) (person, bool) {
	sid, oid := ids(f)
	for _, p := range d.people {
		if sid != "" && p.sid == sid || oid != "" && p.oid == oid {
			return p, true
		}
	}
	return person{}, false
}

// hasAnotherID tells that the facts name an id of a kind that the directory knows for p, and it is not p's.
func (p person) hasAnotherID(f usermap.Facts) bool {
	sid, oid := ids(f)
	return sid != "" && p.sid != "" && p.sid != sid || oid != "" && p.oid != "" && p.oid != oid
}

func isGuess(c usermap.Candidate) bool {
	return slices.Contains([]usermap.Reason{
		usermap.ReasonDomainRule, usermap.ReasonJoinRule, usermap.ReasonSubnetRule, usermap.ReasonGlobal, usermap.ReasonRealm,
	}, c.Why)
}

// speaksAgainst tells that name + suffix is p's name by accident only: the directory knows short names, and this one is
// not p's.
func (d directory) speaksAgainst(p person, name string) bool {
	if p.goesBy(name) {
		return false
	}
	return p.hasShortName() || slices.ContainsFunc(d.people, func(other person) bool { return other.goesBy(name) })
}

func (p person) shortNames() []string {
	return slices.DeleteFunc([]string{p.sam, p.nick, p.username, p.alias}, func(s string) bool { return s == "" || strings.Contains(s, "@") })
}

func (p person) hasShortName() bool { return len(p.shortNames()) > 0 }

func (p person) goesBy(name string) bool {
	return slices.ContainsFunc(p.shortNames(), func(s string) bool { return auth.Same(s, name) })
}

// holders are all the people who have the name, disabled ones too.
func (d directory) holders(c usermap.Candidate) []person {
	var found []person
	for _, p := range d.people {
		if p.has(c) {
			found = append(found, p)
		}
	}
	return found
}

func (p person) has(c usermap.Candidate) bool {
	name := string(c.Name)
	switch c.Why {
	case usermap.ReasonQualified:
		domain, short, _ := strings.Cut(name, `\`)
		return auth.Same(p.domain, domain) && auth.Same(p.sam, short)
	case usermap.ReasonShort:
		return p.goesBy(name)
	default:
		if c.Why == usermap.ReasonRealm && p.dns != "" && auth.Same(p.sam+"@"+p.dns, name) {
			return true
		}
		return slices.ContainsFunc([]string{p.upn, p.username, p.email, p.alias}, func(s string) bool { return auth.Same(s, name) })
	}
}

// corpusCase is one line of the corpus.
type corpusCase struct {
	name, where, account  string
	facts                 usermap.Facts
	rules                 usermap.Rules
	directory             directory
	who, outcome, prefill string
}

func TestCorpus(t *testing.T) {
	paths, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(paths) < 2 {
		t.Fatalf("the corpus is missing: %v, %v", paths, err)
	}
	counts := map[string]int{}
	seen := map[string]bool{}
	for _, path := range paths {
		for _, c := range readCorpus(t, path) {
			key := c.directory.name + "/" + c.name
			if seen[key] {
				t.Errorf("%s: a case of this name is there already", c.where)
			}
			seen[key] = true
			t.Run(key, func(t *testing.T) {
				counts[judge(t, c)]++
			})
		}
	}
	t.Logf("%d cases: %d silent and right, %d ask, %d refuse, %d wrong",
		len(seen), counts["silent"], counts["asks"], counts["refuses"], counts["wrong"])
	if counts["wrong"] != 0 {
		t.Errorf("%d wrong", counts["wrong"])
	}
	if len(seen) < 100 {
		t.Errorf("%d cases, want at least 100", len(seen))
	}
}

// judge checks one case and returns what came of it, "wrong" if somebody was taken for somebody else.
func judge(t *testing.T, c corpusCase) string {
	r := usermap.Map(c.facts, c.rules)
	got, id := c.directory.resolve(c.facts, r)
	if got == "silent" && id != c.who {
		t.Errorf("%s: WRONG: %s is %s and was taken for %s\n%s", c.where, c.account, c.who, id, show(r))
		return "wrong"
	}
	if got != c.outcome || string(r.Prefill) != c.prefill {
		t.Errorf("%s: %s: got %s, prefill %q; want %s, prefill %q\n%s", c.where, c.account, got, r.Prefill, c.outcome, c.prefill, show(r))
	}
	return got
}

func show(r usermap.Result) string {
	var b strings.Builder
	for _, c := range r.Candidates {
		fmt.Fprintf(&b, "\t%-30s %-14s silent=%-5v %s\n", c.Name, c.Why, c.Silent, c.Text)
	}
	fmt.Fprintf(&b, "\t%s: %s", r.Verdict, r.Text)
	return b.String()
}

// readCorpus reads a file of the corpus; testdata/corpus/README.txt says what it looks like.
func readCorpus(t *testing.T, path string) []corpusCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []corpusCase
	var dir directory
	var rules usermap.Rules
	computer := map[string]string{}
	scanner := bufio.NewScanner(f)
	for n := 1; scanner.Scan(); n++ {
		where, line := fmt.Sprintf("%s:%d", path, n), strings.TrimSpace(scanner.Text())
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "", line[0] == '#':
		case strings.Contains(line, " | "):
			c := readCase(t, where, line, computer)
			c.rules, c.directory = rules, directory{name: dir.name, people: slices.Clone(dir.people)}
			cases = append(cases, c)
		case verb == "directory":
			dir, rules, computer = directory{name: strings.TrimSpace(rest)}, usermap.Rules{}, map[string]string{}
		case verb == "rules":
			if rules, err = usermap.ParseRules(rest); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
		case verb == "computer":
			_, computer = fields(t, where, rest)
		case verb == "user":
			dir.people = append(dir.people, readPerson(t, where, rest))
		default:
			t.Fatalf("%s: what is %q?", where, line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func readPerson(t *testing.T, where, text string) person {
	t.Helper()
	words, v := fields(t, where, text)
	domain, sam, _ := strings.Cut(v["sam"], `\`)
	return person{
		id: words[0], upn: v["upn"], username: v["username"], domain: domain, sam: sam, dns: v["dns"], nick: v["nick"], email: v["email"],
		alias: v["alias"], sid: v["sid"], oid: v["oid"], disabled: slices.Contains(words[1:], "disabled"),
	}
}

func readCase(t *testing.T, where, line string, computer map[string]string) corpusCase {
	t.Helper()
	parts := strings.Split(line, " | ")
	if len(parts) != 5 {
		t.Fatalf("%s: %d columns, want 5", where, len(parts))
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	words, v := fields(t, where, parts[1])
	for key, value := range computer {
		if _, ok := v[key]; !ok {
			v[key] = value
		}
	}
	prefill, _ := fields(t, where, parts[4])
	c := corpusCase{name: parts[0], where: where, account: parts[1], who: parts[2], outcome: parts[3], prefill: prefill[0]}
	if c.prefill == "-" {
		c.prefill = ""
	}
	c.facts = account(t, where, words[0], words[1], v).Facts()
	for text := range strings.SplitSeq(v["ip"], ",") {
		if text != "" {
			c.facts.Addresses = append(c.facts.Addresses, netip.MustParseAddr(text))
		}
	}
	return c
}

// account makes of a case what osuser.Current makes of such a computer.
func account(t *testing.T, where, goos, raw string, v map[string]string) osuser.Account {
	t.Helper()
	if goos == "job" {
		a := osuser.Parse(raw, v["host"], "windows")
		a.Kind, a.JoinDomain, a.JoinRealm = usermap.KindJob, v["join"], v["realm"]
		return a
	}
	a := osuser.Parse(raw, v["host"], goos)
	switch v["via"] {
	case "":
	case "files":
		a.Domain, a.Name, a.Kind = "", raw, usermap.KindLocal
	case "sss", "winbind":
		if a.Kind != usermap.KindLocal {
			a.Kind = usermap.KindDomain
		}
	case "himmelblau":
		if a.Kind = usermap.KindAzureAD; strings.Contains(raw, "@") {
			a.UPN, a.Domain = raw, "AzureAD"
		}
	case "ldap", "env":
		a.Kind = usermap.KindUnknown
	default:
		t.Fatalf("%s: via=%s?", where, v["via"])
	}
	if v["upn"] != "" {
		a.UPN = v["upn"]
	}
	if _, ok := auth.EntraObjectID(v["sid"]); ok {
		a.Kind = usermap.KindAzureAD
	}
	a.SID, a.JoinDomain, a.JoinRealm = v["sid"], v["join"], v["realm"]
	return a
}

// fields splits at spaces into words and KEY=VALUE pairs; a word in double quotes may have spaces and be empty.
func fields(t *testing.T, where, text string) (words []string, values map[string]string) {
	t.Helper()
	values = map[string]string{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if text[0] == '"' {
			end := strings.IndexByte(text[1:], '"')
			if end < 0 {
				t.Fatalf("%s: a quote is not closed", where)
			}
			words, text = append(words, text[1:1+end]), text[end+2:]
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		text = rest
		if key, value, ok := strings.Cut(word, "="); ok {
			values[key] = value
		} else {
			words = append(words, word)
		}
	}
	return words, values
}
