// Package buildinfo says which build of Platen this is.
package buildinfo

import "runtime/debug"

// Version is the released version, set by the Makefile with -ldflags "-X .../buildinfo.Version=1.2.3".
var Version = "0.1.0-dev"

// Commit returns the source revision the Go tool recorded, at most 12 characters, or "unknown" for builds without it.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && s.Value != "" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "unknown"
}
