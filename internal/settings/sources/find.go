package sources

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
)

// Raw is a setting as a source has it, not checked yet.
type Raw struct {
	Name   string
	Text   string
	Origin Origin
}

// Source is one place where settings may stand. Read must be quick or end with ctx; it may be called more than once. A
// source that does not exist is empty. An error says that the source exists and cannot be read: then what it says of the
// critical settings is not known.
type Source interface {
	Read(ctx context.Context) ([]Raw, []Warning, error)
	// Origin names the source as a whole, for its errors.
	Origin() Origin
}

// Found is a server that the network names. No ServerURL: none.
type Found struct {
	ServerURL string
	CAPin     string // what the server's certificate must have; empty: the system's store decides
	Where     string // what named it: "_platen._tcp.example.org"
}

// Discovery finds the server in the network; see Network.
type Discovery interface {
	// Discover asks. No server is no error; Found.Where says what was asked then, too.
	Discover(ctx context.Context) (Found, error)
}

// Set is all places where settings may stand. Person and Machine make those of a computer.
type Set struct {
	Ordered   []Source  // the strongest first
	Discovery Discovery // asked only when no other source has ServerURL; nil: never
}

// Value is one setting as it stands, with where it comes from and what is wrong with it.
type Value struct {
	Name      string       `json:"name"`
	Text      string       `json:"value"`
	Origin    Origin       `json:"origin"`
	Problem   string       `json:"problem,omitempty"`   // why Text is not used
	Overrides []Overridden `json:"overrides,omitempty"` // what weaker sources say otherwise, the strongest first
}

// Overridden is what a weaker source says.
type Overridden struct {
	Text   string `json:"value"`
	Origin Origin `json:"origin"`
}

// Values is every setting, in the order of the table.
type Values []Value

// Get finds a setting by its name, exactly.
func (v Values) Get(name string) Value {
	for _, value := range v {
		if value.Name == name {
			return value
		}
	}
	return Value{Name: name, Origin: Origin{Kind: KindDefault}}
}

// discoveryTime is how long a start may wait for the network to name a server.
const discoveryTime = 3 * time.Second

// Find reads the sources. Nothing is checked yet, but what could not be read has a Problem where it matters: a critical
// setting that no stronger source has is not known then, and no weaker one stands in for it.
func Find(ctx context.Context, set Set) (Values, []Warning) {
	f := finder{values: map[string]Value{}}
	for _, source := range set.Ordered {
		f.add(ctx, source)
	}
	if !f.has("ServerURL") && set.Discovery != nil {
		f.discover(ctx, set.Discovery)
	}
	table := settings.Table()
	values := make(Values, len(table))
	for i, s := range table {
		v, set := f.values[s.Name]
		if !set {
			v = Value{Name: s.Name, Text: s.Default, Origin: Origin{Kind: KindDefault}}
		}
		values[i] = v
	}
	return values, f.warnings
}

// finder holds the first value found of each setting.
type finder struct {
	values   map[string]Value // by setting
	warnings []Warning
}

func (f *finder) has(name string) bool { _, set := f.values[name]; return set }

func (f *finder) warn(at Origin, format string, args ...any) {
	f.warnings = append(f.warnings, Warning{at, fmt.Sprintf(format, args...)})
}

func (f *finder) add(ctx context.Context, source Source) {
	raws, warnings, err := source.Read(ctx)
	f.warnings = append(f.warnings, warnings...)
	if err != nil {
		f.unreadable(source.Origin(), err)
		return
	}
	if source.Origin().Kind.hint() {
		f.hint(raws)
		return
	}
	for _, raw := range raws {
		f.put(raw)
	}
}

// hint tells whether what the source says belongs together and counts only where nothing stronger names a server.
func (k Kind) hint() bool { return k == KindPackageName || k == KindDiscovery }

// hint takes a server with its pin, or neither: the pin says nothing about another server. One that is of no use is as if nobody had
// named it: whoever runs the network must not be able to break what a person has confirmed before.
func (f *finder) hint(raws []Raw) {
	for _, raw := range raws {
		if err := usable(raw); err != nil {
			f.warn(raw.Origin, "what it names does not count: %s=%s %v.", raw.Name, settings.Visible(raw.Text), err)
			return
		}
	}
	if f.has("ServerURL") {
		for _, raw := range raws {
			if raw.Name == "ServerURL" {
				f.put(raw)
			}
		}
		return
	}
	for _, raw := range raws {
		if raw.Name == "CAPin" && (f.has("CAPin") || f.has("CAFile")) {
			continue // an administrator has said whom to trust
		}
		f.put(raw)
	}
}

// usable tells what is wrong with a hint.
func usable(raw Raw) error {
	if err := settings.Clean(raw.Text); err != nil || raw.Text == "" {
		return err
	}
	switch raw.Name {
	case "ServerURL":
		_, err := settings.ParseOrigin(raw.Text)
		return err
	case "CAPin":
		for pin := range strings.SplitSeq(raw.Text, ",") {
			if _, err := api.ParsePin(pin); err != nil {
				return errors.New("is not a pin: " + err.Error())
			}
		}
	}
	return nil
}

func (f *finder) put(raw Raw) {
	setting, ok := settings.Lookup(raw.Name)
	if !ok {
		f.unknown(raw)
		return
	}
	if raw.Text == "" { // a key without a value is not set here
		return
	}
	raw.Text = setting.Masked(raw.Text)
	v, set := f.values[setting.Name]
	switch {
	case !set:
		v = Value{Name: setting.Name, Text: raw.Text, Origin: raw.Origin}
	case v.Text != raw.Text:
		v.Overrides = append(v.Overrides, Overridden{settings.Visible(raw.Text), raw.Origin})
	}
	f.values[setting.Name] = v
}

// unreadable breaks each critical setting that no stronger source has: nobody knows what this one says about it.
func (f *finder) unreadable(at Origin, err error) {
	f.warn(at, "it cannot be read: %v.", err)
	if at.Kind.hint() {
		return // it decides nothing
	}
	for _, s := range settings.Table() {
		if !f.has(s.Name) && s.Critical {
			f.values[s.Name] = Value{Name: s.Name, Origin: at, Problem: fmt.Sprintf("not known, because the source cannot be read: %v", err)}
		}
	}
}

func (f *finder) unknown(raw Raw) {
	name := settings.Visible(raw.Name)
	if near := nearest(raw.Name); near != "" {
		f.warn(raw.Origin, "there is no setting %q; did you mean %s?", name, near)
		return
	}
	f.warn(raw.Origin, "there is no setting %q.", name)
}

func (f *finder) discover(ctx context.Context, d Discovery) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTime)
	defer cancel()
	found, err := d.Discover(ctx)
	at := Origin{Kind: KindDiscovery, Where: found.Where}
	if err != nil {
		f.warn(at, "the network could not be asked for a server: %v.", err)
		return
	}
	f.hint([]Raw{{"ServerURL", found.ServerURL, at}, {"CAPin", found.CAPin, at}})
}
