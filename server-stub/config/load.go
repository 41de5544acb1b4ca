package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sources is where values come from, the strongest first.
type Sources struct {
	Flags  map[string]string // by key, only those that were given
	Getenv func(string) string
	File   string // path of the YAML file, "" for none
}

// Flag is a setting that has a flag of its own.
type Flag struct{ Name, Key, Default, Doc string }

// Flags lists the settings that serve takes as flags.
func Flags() []Flag {
	var flags []Flag
	for _, s := range table() {
		if s.flag {
			flags = append(flags, Flag{Name: strings.ReplaceAll(s.key, "_", "-"), Key: s.key, Default: s.fallback, Doc: s.doc})
		}
	}
	return flags
}

// EnvName is the environment's name of a key: sign_in.failures is PLATEN_SIGN_IN_FAILURES.
func EnvName(key string) string {
	return "PLATEN_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// raw is a value as written, with its origin.
type raw struct{ value, origin string }

// Load reads and checks the configuration. The error names every mistake, each with its origin.
func Load(src Sources) (*Config, error) {
	c := &Config{File: src.File, AccessCodes: defaultAccessCodes(), Cards: Cards{Keep: "hash"}}
	settings := table()
	fromFile, mistakes := map[string]raw{}, []error{}
	if src.File != "" {
		text, err := readFile(src.File)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		f := file{name: src.File, settings: settings, values: fromFile}
		f.read(text)
		c.takeBlocks(&f)
		mistakes = f.mistakes
	}
	c.secretsFromEnvironment(src.Getenv)
	origins := map[string]string{}
	for _, s := range settings {
		v := s.choose(src, fromFile)
		if s.beside && v.origin == "default" {
			v.value = s.besideListen(c)
		}
		origins[s.key] = v.origin
		if err := s.set(c, v.value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %s: %w", v.origin, s.key, err))
		}
		shown := v.value
		if s.secret && shown != "" {
			shown = "***"
		}
		c.settings = append(c.settings, Setting{Key: s.key, Value: shown, Origin: v.origin, Doc: s.doc})
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		mistakes = append(mistakes, errors.New("tls_cert and tls_key: give both or neither"))
	}
	if err := c.checkModes(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("%s: sign_in.modes: %w", origins["sign_in.modes"], err))
	}
	c.settings = append(c.settings, c.blockSettings()...)
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("the configuration has %s:\n%w", count(len(mistakes)), errors.Join(mistakes...))
	}
	return c, nil
}

func (s setting) choose(src Sources, fromFile map[string]raw) raw {
	if v, ok := src.Flags[s.key]; ok {
		return raw{v, "flag --" + strings.ReplaceAll(s.key, "_", "-")}
	}
	if src.Getenv != nil {
		if v := src.Getenv(EnvName(s.key)); v != "" {
			return raw{v, EnvName(s.key)}
		}
	}
	if v, ok := fromFile[s.key]; ok {
		return v
	}
	return raw{s.fallback, "default"}
}

// file reads one YAML file into values by key.
type file struct {
	name     string
	settings []setting
	values   map[string]raw
	blocks   map[string]*yaml.Node
	mistakes []error
}

func (f *file) read(text []byte) {
	var doc yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return // an empty file
	} else if err != nil {
		f.mistakes = append(f.mistakes, fmt.Errorf("%s: %w", f.name, err))
		return
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		f.mistakes = append(f.mistakes, fmt.Errorf("%s: one document is wanted, there are several", f.name))
	}
	f.group("", doc.Content[0])
}

func (f *file) group(prefix string, node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		f.wrong(node, "write KEY: VALUE lines here")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		if line, ok := seen[key]; ok {
			f.wrong(name, "%s stands in line %d already", key, line)
			continue
		}
		seen[key] = name.Line
		switch {
		case slices.ContainsFunc(blocks, func(b block) bool { return b.key == key }):
			f.block(key, value)
		case slices.ContainsFunc(f.settings, func(s setting) bool { return s.key == key }):
			f.value(key, value)
		case slices.ContainsFunc(f.settings, func(s setting) bool { return strings.HasPrefix(s.key, key+".") }):
			f.group(key+".", value)
		default:
			f.wrong(name, "there is no setting %q%s", key, f.nearest(key))
		}
	}
}

func (f *file) value(key string, node *yaml.Node) {
	list := slices.ContainsFunc(f.settings, func(s setting) bool { return s.key == key && s.list })
	origin := fmt.Sprintf("%s:%d", f.name, node.Line)
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		// A key without a value is as good as none.
	case node.Kind == yaml.ScalarNode:
		f.values[key] = raw{node.Value, origin}
	case node.Kind == yaml.SequenceNode && list:
		var values []string
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				f.wrong(item, "%s: write plain values", key)
				return
			}
			values = append(values, item.Value)
		}
		f.values[key] = raw{strings.Join(values, ", "), origin}
	default:
		f.wrong(node, "%s: write a plain value", key)
	}
}

func (f *file) wrong(at *yaml.Node, format string, args ...any) {
	f.mistakes = append(f.mistakes, fmt.Errorf("%s:%d: %s", f.name, at.Line, fmt.Sprintf(format, args...)))
}

// nearest names the setting that was probably meant.
func (f *file) nearest(key string) string {
	best, bestAt := "", 4
	var keys []string
	for _, s := range f.settings {
		keys = append(keys, s.key)
	}
	for _, b := range blocks {
		keys = append(keys, b.key)
	}
	for _, k := range keys {
		if d := distance(key, k); d < bestAt {
			best, bestAt = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func count(n int) string {
	if n == 1 {
		return "a mistake"
	}
	return fmt.Sprintf("%d mistakes", n)
}

// readFile reads at most 1 MiB.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20+1))
	if err == nil && len(text) > 1<<20 {
		return nil, fmt.Errorf("%s is larger than a configuration can be", name)
	}
	return text, err
}
