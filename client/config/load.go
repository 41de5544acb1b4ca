package config

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Source is one place where settings may stand. Read must be quick or end with ctx; it may be called more than once. A
// source that does not exist is empty. An error says that the source exists and cannot be read: then what it says of the
// critical settings is not known.
type Source interface {
	Read(ctx context.Context) ([]Raw, []Warning, error)
	// Origin names the source as a whole, for its errors.
	Origin() Origin
}

// Discovery finds the server in the network; see Domains.
type Discovery interface {
	// Discover returns the address of a server and what named it ("_platen._tcp.example.org"). No server is "" and no error.
	Discover(ctx context.Context) (serverURL, where string, err error)
}

// Sources is all places where settings may stand. System makes those of a computer.
type Sources struct {
	Ordered   []Source  // the strongest first
	Discovery Discovery // asked only when no other source has ServerURL; nil: never
}

// discoveryTime is how long a start may wait for the network to name a server.
const discoveryTime = 3 * time.Second

// Load reads the sources and checks what they say. The Config is always usable: the error joins a BrokenError for each
// critical setting that has a bad value, and these settings have no value in it (Config.Broken says the same).
func Load(ctx context.Context, sources Sources) (Config, []Warning, error) {
	l := loader{values: map[string]Value{}}
	for _, source := range sources.Ordered {
		l.add(ctx, source)
	}
	if _, set := l.values["ServerURL"]; !set && sources.Discovery != nil {
		l.discover(ctx, sources.Discovery)
	}
	c := l.config()
	return c, l.warnings, c.Broken()
}

// loader holds the first value found of each setting.
type loader struct {
	values   map[string]Value // by setting
	warnings []Warning
}

func (l *loader) warn(at Origin, format string, args ...any) {
	l.warnings = append(l.warnings, Warning{at, fmt.Sprintf(format, args...)})
}

func (l *loader) add(ctx context.Context, source Source) {
	raws, warnings, err := source.Read(ctx)
	l.warnings = append(l.warnings, warnings...)
	if err != nil {
		l.unreadable(source.Origin(), err)
		return
	}
	for _, raw := range raws {
		setting, ok := Lookup(raw.Name)
		if !ok {
			l.unknown(raw)
			continue
		}
		if raw.Text == "" { // a key without a value is not set here
			continue
		}
		if _, set := l.values[setting.Name]; !set {
			l.values[setting.Name] = Value{Name: setting.Name, Text: raw.Text, Origin: raw.Origin}
		}
	}
}

// unreadable breaks each critical setting that no stronger source has: nobody knows what this one says about it.
func (l *loader) unreadable(at Origin, err error) {
	l.warn(at, "it cannot be read: %v.", err)
	for _, s := range Table() {
		if _, set := l.values[s.Name]; !set && s.Critical {
			l.values[s.Name] = Value{Name: s.Name, Origin: at, Problem: fmt.Sprintf("not known, because the source cannot be read: %v", err)}
		}
	}
}

func (l *loader) unknown(raw Raw) {
	if near := nearest(raw.Name); near != "" {
		l.warn(raw.Origin, "there is no setting %q; did you mean %s?", raw.Name, near)
		return
	}
	l.warn(raw.Origin, "there is no setting %q.", raw.Name)
}

func (l *loader) discover(ctx context.Context, d Discovery) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTime)
	defer cancel()
	serverURL, where, err := d.Discover(ctx)
	at := Origin{Kind: KindDiscovery, Where: where}
	switch {
	case err != nil:
		l.warn(at, "the network could not be asked for a server: %v.", err)
	case serverURL != "":
		l.values["ServerURL"] = Value{Name: "ServerURL", Text: serverURL, Origin: at}
	}
}

// config checks the values found and fills in the defaults.
func (l *loader) config() Config {
	var c Config
	for _, s := range Table() {
		v, set := l.values[s.Name]
		if !set {
			v = Value{Name: s.Name, Text: s.Default, Origin: Origin{Kind: KindDefault}}
		}
		if v.Problem == "" && v.Text != "" {
			v = l.check(&c, s, v)
		}
		c.values = append(c.values, v)
	}
	return c
}

func (l *loader) check(c *Config, s Setting, v Value) Value {
	err := clean(v.Text)
	if err != nil {
		v.Text = strings.ToValidUTF8(strings.Map(visible, v.Text), "?")
	} else {
		err = s.read(c, v.Text)
	}
	if err == nil {
		return v
	}
	v.Problem = err.Error()
	if s.Critical {
		return v
	}
	instead := "as if it were not set"
	if s.Default != "" {
		instead = "with " + s.Default
		if err := s.read(c, s.Default); err != nil {
			panic(fmt.Sprintf("the default of %s is not valid: %v", s.Name, err))
		}
	}
	l.warn(v.Origin, "%s=%s %s; the client works %s.", s.Name, v.Text, v.Problem, instead)
	return v
}

// visible puts a question mark in the place of what clean refuses.
func visible(r rune) rune {
	if clean(string(r)) != nil {
		return '?'
	}
	return r
}
