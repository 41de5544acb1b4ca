package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// block is a key of the file with a structure of its own. It has no flag and no place in the environment.
type block struct {
	key  string
	list bool
	doc  string
}

var blocks = []block{
	{"directories", true, "where people come from: see the documentation of directories"},
	{"microsoft", false, "the Microsoft Entra ID tenant that people sign in with"},
	{"providers", true, "other identity providers that people sign in with"},
	{"device_groups", true, "groups of enrolled computers, and what they may vouch for"},
	{"access_codes", false, "access codes: whether everybody gets one, how they look, what becomes of weak ones"},
	{"cards", false, "cards: whether their numbers can be shown again"},
	{"mail", false, "the mail server, and which mail is sent"},
	{"print_providers", true, "print servers, and the UPN suffixes of the jobs that come through them"},
}

// block keeps a block as it stands in the file.
func (f *file) block(key string, value *yaml.Node) {
	i := slices.IndexFunc(blocks, func(b block) bool { return b.key == key })
	switch list := blocks[i].list; {
	case list && value.Kind != yaml.SequenceNode:
		f.wrong(value, "%s: write a list", key)
	case !list && value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		// A key without a value is as good as none.
	default:
		if f.blocks == nil {
			f.blocks = map[string]*yaml.Node{}
		}
		f.blocks[key] = value
	}
}

// takeBlocks puts the blocks into the configuration.
func (c *Config) takeBlocks(f *file) {
	c.Directories, c.DeviceGroups, c.blocks = f.blocks["directories"], f.blocks["device_groups"], f.blocks
	if node := f.blocks["microsoft"]; node != nil {
		c.Microsoft = f.microsoft(node)
	}
	if node := f.blocks["providers"]; node != nil {
		c.Providers = f.providers(node)
	}
	if node := f.blocks["access_codes"]; node != nil {
		c.AccessCodes = f.accessCodes(node)
	}
	if node := f.blocks["cards"]; node != nil {
		c.Cards = f.cards(node)
	}
	if node := f.blocks["mail"]; node != nil {
		c.Mail = f.mail(node)
	}
	if node := f.blocks["print_providers"]; node != nil {
		c.PrintProviders = f.printProviders(node)
	}
}

// blockSettings says of each block whether it is there, for `config show`.
func (c *Config) blockSettings() []Setting {
	var list []Setting
	for _, b := range blocks {
		s := Setting{Key: b.key, Value: "none", Origin: "default", Doc: b.doc}
		if node := c.blocks[b.key]; node != nil {
			s.Origin = fmt.Sprintf("%s:%d", c.File, node.Line)
			s.Value = "configured"
			if b.list {
				s.Value = fmt.Sprintf("%d configured", len(node.Content))
			} else if b.key == "microsoft" && c.Microsoft != nil {
				s.Value = "tenant " + c.Microsoft.Tenant
			}
		}
		list = append(list, s)
	}
	return list
}

// fieldsOf returns the keys of a structure, and of the structures within it by their key.
func fieldsOf(v any) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	addFields(keys, t)
	return keys
}

func addFields(keys map[string]reflect.Type, t reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			addFields(keys, field.Type)
		case name != "" && name != "-" && field.IsExported():
			keys[name] = field.Type
		}
	}
}

// knownKeys notes keys of a mapping that mean nothing there or stand twice.
func (f *file) knownKeys(what string, node *yaml.Node, keys map[string]reflect.Type) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		kind, known := keys[name.Value]
		if line, twice := seen[name.Value]; twice {
			f.wrong(name, "%s.%s stands in line %d already", what, name.Value, line)
		} else if !known {
			f.wrong(name, "%s has no key %q%s", what, name.Value, nearestOf(name.Value, keys))
		} else if kind.Kind() == reflect.Struct && value.Kind == yaml.MappingNode {
			inner := map[string]reflect.Type{}
			addFields(inner, kind)
			f.knownKeys(what+"."+name.Value, value, inner)
		}
		seen[name.Value] = name.Line
	}
}

// nearestOf names the key that was probably meant.
func nearestOf(key string, keys map[string]reflect.Type) string {
	best, bestAt := "", 4
	for k := range keys {
		if d := distance(key, k); d < bestAt || d == bestAt && k < best {
			best, bestAt = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
