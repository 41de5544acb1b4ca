package core

import "time"

// ConfiguredSource is a directory that was added from the command line, not in the configuration file.
type ConfiguredSource struct {
	ID      SourceID
	Config  string            // as one entry of `directories:` in the file (YAML), without secrets
	Secrets map[string][]byte // what the source signs in with, by the name of the key, sealed

	CreatedAt time.Time
	ChangedAt time.Time
	ChangedBy string
}
