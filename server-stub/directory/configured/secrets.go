package configured

import (
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// Secrets gives a source's secret by its key, nil where there is none: those of sources that were added from the command
// line. A key with _file behind it goes before. A nil Secrets has none.
type Secrets func(source core.SourceID, key string) directory.Secret

// secret is what stands in file, or else what secrets has; nil for none.
func (c Config) secret(key, file string, secrets Secrets) directory.Secret {
	switch {
	case file != "":
		return directory.SecretFile(file)
	case secrets != nil:
		return secrets(core.SourceID(c.ID), key)
	}
	return nil
}

// SecretKeys are the keys of secrets that sources of a type sign in with. Each can also be given as a file, by the key with
// _file behind it.
func SecretKeys(kind string) []string {
	switch kind {
	case TypeLDAP:
		return []string{"bind_password"}
	case TypeEntra:
		return []string{"client_secret", "client_certificate"}
	case TypeGoogle:
		return []string{"service_account"}
	}
	return nil
}
