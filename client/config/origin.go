package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Kind is a kind of source, in the words people read.
type Kind string

// The kinds of source, the strongest first.
const (
	KindPolicy      Kind = "policy"
	KindFlag        Kind = "flag"
	KindEnvironment Kind = "environment"
	KindUserFile    Kind = "user file"
	KindMachineFile Kind = "machine file"
	KindInstaller   Kind = "installer"
	KindDiscovery   Kind = "discovery"
	KindDefault     Kind = "default"
)

// Origin says where a value comes from.
type Origin struct {
	Kind  Kind
	Where string // file path, registry key, flag, variable or DNS name; empty for defaults
	Line  int    // line in the file, from 1; 0 where there are no lines
}

// String writes the origin as people read it: "user file /home/alex/.config/platen/platen.conf:3", "default".
func (o Origin) String() string {
	var b strings.Builder
	b.WriteString(string(o.Kind))
	if o.Where != "" {
		b.WriteString(" " + o.Where)
	}
	if o.Line > 0 {
		fmt.Fprintf(&b, ":%d", o.Line)
	}
	return b.String()
}

// MarshalJSON writes the origin as String does.
func (o Origin) MarshalJSON() ([]byte, error) { return json.Marshal(o.String()) }

// Enforced tells whether an administrator's policy fixed the value: a person cannot change it.
func (o Origin) Enforced() bool { return o.Kind == KindPolicy }

// Discovered tells whether the network alone named the value. A person must agree to a discovered server before the
// client sends it anything about them.
func (o Origin) Discovered() bool { return o.Kind == KindDiscovery }
