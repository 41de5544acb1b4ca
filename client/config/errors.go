package config

import "fmt"

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
