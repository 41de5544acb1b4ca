package configured

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/server-stub/core"
)

// Decode reads one entry strictly: a key that is unknown, or a value that does not fit, is an error.
func Decode(text string) (Config, error) {
	var c Config
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%w: %w", core.ErrInvalid, plain(err))
	}
	return c, nil
}

// Encode writes an entry as it could stand in the file.
func Encode(c Config) (string, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the entry of source %q: %w", c.ID, err)
	}
	return string(text), nil
}

// Set returns c with one key changed: "interval=30m", "scope.groups=[Staff, Students]", "filter=" to take the key away. The id
// and the type of a source never change.
func (c Config) Set(assignment string) (Config, error) {
	key, value, ok := strings.Cut(assignment, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return c, fmt.Errorf("%w: %q: write KEY=VALUE, such as interval=30m", core.ErrInvalid, assignment)
	}
	if key == "id" || key == "type" {
		return c, fmt.Errorf("%w: the %s of a directory cannot change: add another one", core.ErrInvalid, key)
	}
	var doc, wanted yaml.Node
	if err := doc.Encode(c); err != nil {
		return c, fmt.Errorf("write the entry of source %q: %w", c.ID, err)
	}
	if err := yaml.Unmarshal([]byte(value), &wanted); err != nil {
		return c, fmt.Errorf("%w: %s: %q is no value as the configuration file has them", core.ErrInvalid, key, value)
	}
	at := &doc
	parts := strings.Split(key, ".")
	for _, part := range parts[:len(parts)-1] {
		at = child(at, part)
	}
	last := parts[len(parts)-1]
	remove(at, last)
	if len(wanted.Content) == 1 {
		at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: last}, wanted.Content[0])
	}
	text, err := yaml.Marshal(&doc)
	if err != nil {
		return c, fmt.Errorf("write the entry of source %q: %w", c.ID, err)
	}
	changed, err := Decode(string(text))
	if err != nil {
		return c, fmt.Errorf("%s: %w", key, err)
	}
	return changed, nil
}

// child is the mapping under a key, made where there is none.
func child(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key && node.Content[i+1].Kind == yaml.MappingNode {
			return node.Content[i+1]
		}
	}
	remove(node, key)
	made := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, made)
	return made
}

func remove(node *yaml.Node, key string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			node.Content = append(node.Content[:i:i], node.Content[i+2:]...)
			return
		}
	}
}

// plain takes line numbers and Go's types out of what the YAML package says: the entry is nothing that anybody wrote.
func plain(err error) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return err
	}
	var texts []string
	for _, text := range wrong.Errors {
		if _, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(text, "line ") {
			text = rest
		}
		if i := strings.Index(text, " not found in type "); i > 0 {
			text = "there is no key " + strings.TrimPrefix(text[:i], "field ")
		} else if i := strings.Index(text, " into "); i > 0 {
			text = "this value does not fit: " + strings.TrimPrefix(text[:i], "cannot unmarshal ")
		}
		texts = append(texts, text)
	}
	return errors.New(strings.Join(texts, "; "))
}
