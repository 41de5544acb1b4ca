package config

import "fmt"

// Warning is something an administrator should put right and the client can live with.
type Warning struct {
	Origin Origin
	Text   string // one plain sentence, without the origin
}

// String writes the warning with its origin in front.
func (w Warning) String() string { return w.Origin.String() + ": " + w.Text }

// BrokenError says that a setting that decides whom the client trusts has a value it cannot use. The setting then has no
// value at all; no weaker source stands in for it.
type BrokenError struct {
	Name   string // the setting
	Value  string // as written; empty where the source could not be read
	Origin Origin
	Reason string // what is wrong and what to write instead, as an end of a sentence
}

func (e *BrokenError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("setting %s (%s): %s", e.Name, e.Origin, e.Reason)
	}
	return fmt.Sprintf("setting %s=%s (%s): %s", e.Name, e.Value, e.Origin, e.Reason)
}
