package sessionbus

import (
	"fmt"
	"os"
)

// Settle names the session bus in this process's environment, or an address where there is none, so that libraries that
// would launch a bus of their own do not.
func Settle() error {
	address, err := Address()
	if err != nil {
		address = "unix:path=/nonexistent"
	}
	if err := os.Setenv(addressVar, address); err != nil {
		return fmt.Errorf("name the session bus: %w", err)
	}
	return nil
}
