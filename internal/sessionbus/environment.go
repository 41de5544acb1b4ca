package sessionbus

import (
	"errors"
	"fmt"
	"os"
)

// Name names the session bus in this process's environment, for libraries that connect by themselves and would look in
// other places, or launch a bus of their own. Without a bus it returns ErrNone, and they must not be called.
func Name() error {
	address, err := Address(os.Getenv)
	if err != nil {
		return err
	}
	return setAddress(address)
}

// Settle is Name for libraries that are called in any case: where there is no bus it names an address where none is.
func Settle() error {
	err := Name()
	if errors.Is(err, ErrNone) {
		return setAddress("unix:path=/nonexistent")
	}
	return err
}

func setAddress(address string) error {
	if os.Getenv(addressVar) == address {
		return nil
	}
	if err := os.Setenv(addressVar, address); err != nil {
		return fmt.Errorf("name the session bus: %w", err)
	}
	return nil
}
