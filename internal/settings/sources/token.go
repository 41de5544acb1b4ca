package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
)

// Token reads the enrolment token that an administrator gives computers by policy; empty if there is none. It is no setting: only
// the privileged service reads it, and it is never shown. The origin says where it is or should be.
//
// On Linux it is a file that root alone may read; one that others can read is refused. Where the management system decides who
// reads its policies (Windows, macOS), warning says that others can read it, too: "" where they cannot.
func Token(c Computer) (token secret.String, at Origin, warning string, err error) {
	at.Kind = KindPolicy
	var text string
	switch c.GOOS {
	case "windows":
		at.Where = settings.RegistryDeploy + `\` + settings.RegistryToken
		if c.Registry == nil {
			return token, at, "", nil
		}
		var values map[string]string
		values, err = c.Registry.Values(settings.RegistryDeploy)
		if text = values[settings.RegistryToken]; text != "" && c.CloseKey != nil {
			warning = c.CloseKey(settings.RegistryDeploy)
		}
	case "darwin":
		at.Where = "/Library/Managed Preferences/" + settings.ManagedDeployPreferences + ".plist"
		if c.Plist == nil {
			return token, at, "", nil
		}
		var keys []Managed
		keys, err = c.Plist(at.Where)
		if i := slices.IndexFunc(keys, func(k Managed) bool { return k.Name == settings.RegistryToken }); i >= 0 {
			text, warning = keys[i].Text, "macOS lets every user of this computer read profiles; use tokens that are good for few computers and days, or approval"
		}
	default:
		at.Where = settings.TokenFile
		if c.ReadSecret == nil {
			return token, at, "", nil
		}
		var raw []byte
		raw, err = c.ReadSecret(at.Where)
		text = string(raw)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return token, at, "", nil
	}
	if err != nil {
		return token, at, "", fmt.Errorf("read the enrolment token: %w", err)
	}
	return secret.New(strings.TrimSpace(text)), at, warning, nil
}
