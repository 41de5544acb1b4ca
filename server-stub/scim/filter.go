package scim

import (
	"encoding/json"
	"strings"
)

// filter is a condition on a resource, or on one value of a multi-valued attribute (RFC 7644 section 3.4.2.2).
type filter interface {
	// match tells whether the condition holds for o.
	match(o object) bool
}

// The filters.
type (
	both   struct{ left, right filter } // and
	either struct{ left, right filter } // or
	except struct{ inner filter }       // not
	// compare compares the values of an attribute with one value.
	compare struct {
		ref
		op   string // in lower case; "pr" has no value
		want any    // string, bool, json.Number or nil
	}
	// among is emails[...]: some value of the attribute fulfils inner.
	among struct {
		ref
		inner filter
	}
)

// parseFilter reads a filter over resources of this type. What it names must be there and be searchable: a filter that can never
// match would have the provider make everybody anew.
func (t *resourceType) parseFilter(in string) (filter, error) {
	if len(in) > maxFilter {
		return nil, wrong(invalidFilter, "the filter is longer than %d bytes", maxFilter)
	}
	p := &parser{in: in, lookup: t.lookup, fail: invalidFilter}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos != len(p.in) {
		return nil, p.wrong("something stands behind the filter")
	}
	return f, nil
}

// parser reads filters and paths from left to right.
type parser struct {
	in     string
	pos    int
	depth  int
	lookup func(string) (ref, error)
	fail   string // the scimType of its errors
}

func (p *parser) wrong(format string, args ...any) error {
	return wrong(p.fail, "at character %d: "+format, append([]any{p.pos + 1}, args...)...)
}

func (p *parser) space() {
	for p.pos < len(p.in) && (p.in[p.pos] == ' ' || p.in[p.pos] == '\t') {
		p.pos++
	}
}

// peek returns the next character, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

// word takes what an attribute's name, an operator or an unquoted value may consist of.
func (p *parser) word() string {
	start := p.pos
	for p.pos < len(p.in) && !strings.ContainsRune(" \t()[]\"", rune(p.in[p.pos])) {
		p.pos++
	}
	return p.in[start:p.pos]
}

// keyword takes the word if it is the next one.
func (p *parser) keyword(want string) bool {
	p.space()
	start := p.pos
	if strings.EqualFold(p.word(), want) {
		return true
	}
	p.pos = start
	return false
}

// enter counts levels.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.wrong("it is nested deeper than %d levels", maxDepth)
	}
	return nil
}

func (p *parser) or() (filter, error) {
	left, err := p.and()
	for err == nil && p.keyword("or") {
		var right filter
		right, err = p.and()
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and() (filter, error) {
	left, err := p.term()
	for err == nil && p.keyword("and") {
		var right filter
		right, err = p.term()
		left = both{left, right}
	}
	return left, err
}

func (p *parser) term() (filter, error) {
	start := p.pos
	if p.keyword("not") {
		if p.space(); p.peek() == '(' {
			inner, err := p.group()
			return except{inner}, err
		}
		p.pos = start
	}
	if p.space(); p.peek() == '(' {
		return p.group()
	}
	return p.condition()
}

func (p *parser) group() (filter, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.pos++ // the parenthesis
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.peek() != ')' {
		return nil, p.wrong("a closing parenthesis is missing")
	}
	p.pos++
	p.depth--
	return inner, nil
}

// condition reads one comparison, or the brackets behind a multi-valued attribute.
func (p *parser) condition() (filter, error) {
	name := p.word()
	if name == "" {
		return nil, p.wrong("the name of an attribute is missing")
	}
	r, err := p.lookup(name)
	switch {
	case err != nil:
		return nil, p.wrong("there is no attribute %q", shorten(name))
	case r.attr == nil, r.skip(), r.attr.secret:
		return nil, p.wrong("%s cannot be searched for", r.name())
	}
	if p.peek() != '[' {
		return p.operator(r)
	}
	inner, sub, err := p.brackets(r)
	if err != nil || sub == nil {
		return among{r, inner}, err
	}
	// emails[type eq "work"].value eq "x": one and the same value fulfils both.
	within, err := p.operator(ref{attr: sub})
	return among{r, both{inner, within}}, err
}

// brackets reads "[type eq "work"]" and a sub-attribute behind it, if there is one.
func (p *parser) brackets(r ref) (filter, *attribute, error) {
	if r.attr == nil || r.sub != nil || r.attr.kind != kindComplex {
		return nil, nil, p.wrong("%s has no values to choose from", r.name())
	}
	if err := p.enter(); err != nil {
		return nil, nil, err
	}
	p.pos++ // the bracket
	outer := p.lookup
	p.lookup = func(name string) (ref, error) {
		if a := find(r.attr.sub, name); a != nil {
			return ref{attr: a}, nil
		}
		return ref{}, &unknown{name, false}
	}
	inner, err := p.or()
	p.lookup = outer
	if err != nil {
		return nil, nil, err
	}
	if p.space(); p.peek() != ']' {
		return nil, nil, p.wrong("a closing bracket is missing")
	}
	p.pos++
	p.depth--
	if p.peek() != '.' {
		return inner, nil, nil
	}
	p.pos++
	name := p.word()
	sub := find(r.attr.sub, name)
	if sub == nil {
		return nil, nil, p.wrong("%s has no %q", r.name(), shorten(name))
	}
	return inner, sub, nil
}

// operator reads "eq "x"" behind an attribute.
func (p *parser) operator(r ref) (filter, error) {
	p.space()
	op := strings.ToLower(p.word())
	c := compare{ref: r, op: op}
	switch op {
	case "pr":
		return c, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
	default:
		return nil, p.wrong("%q is no operator; there are eq, ne, co, sw, ew, gt, ge, lt, le and pr", shorten(op))
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	c.want = value
	return c, c.check(p)
}

// check refuses comparisons that make no sense.
func (c *compare) check(p *parser) error {
	if c.compared().kind == kindBoolean {
		truth, ok := truthOf(c.want)
		if c.want != nil && !ok || c.op != "eq" && c.op != "ne" {
			return p.wrong("%s is true or false", c.name())
		}
		if ok {
			c.want = truth
		}
	}
	if _, isText := textOf(c.want); !isText && c.op != "eq" && c.op != "ne" {
		return p.wrong("%s needs a text", c.op)
	}
	return nil
}

// value reads a JSON value. Texts without quotes are taken as well: Microsoft's own documentation shows them.
func (p *parser) value() (any, error) {
	if p.space(); p.peek() != '"' {
		word := p.word()
		switch word {
		case "":
			return nil, p.wrong("a value is missing")
		case "true", "false":
			return word == "true", nil
		case "null":
			return nil, nil //nolint:nilnil // the JSON null
		}
		return word, nil
	}
	end := p.pos + 1
	for end < len(p.in) && p.in[end] != '"' {
		if p.in[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(p.in) {
		return nil, p.wrong("a closing quote is missing")
	}
	var text string
	if err := json.Unmarshal([]byte(p.in[p.pos:end+1]), &text); err != nil {
		return nil, p.wrong("the text is not written as JSON writes it")
	}
	p.pos = end + 1
	return text, nil
}
