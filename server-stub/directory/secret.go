package directory

import (
	"fmt"
	"os"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// Secret gives what a source signs in with. It is asked anew for each reading, so that a renewed one is used without a restart.
type Secret func() (secret.String, error)

// SecretFile is a secret that stands alone in a file; a line end after it does not belong to it.
func SecretFile(path string) Secret {
	return func() (secret.String, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return secret.String{}, fmt.Errorf("read the secret: %w", err)
		}
		return secret.New(strings.TrimRight(string(text), "\r\n")), nil
	}
}
