package sources

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
	KindRecommended Kind = "recommended"
	KindMachineFile Kind = "machine file"
	KindSiteFile    Kind = "site file"
	KindInstaller   Kind = "installer"
	KindPackageName Kind = "package name"
	KindDiscovery   Kind = "discovery"
	KindDefault     Kind = "default"
)

// Origin says where a value comes from.
type Origin struct {
	Kind  Kind
	Where string // file path, registry key, flag, variable, DNS name or address; empty for defaults
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

// Unconfirmed tells whether nobody who may decide named the value, only the network or the name of a downloaded file. A
// person must agree to such a server before the client sends it anything about them.
func (o Origin) Unconfirmed() bool { return o.Kind == KindDiscovery || o.Kind == KindPackageName }

// Warning is something an administrator should put right and the program can live with.
type Warning struct {
	Origin Origin
	Text   string // one plain sentence, without the origin
}

// String writes the warning with its origin in front.
func (w Warning) String() string { return w.Origin.String() + ": " + w.Text }
