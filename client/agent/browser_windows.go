package agent

import (
	"context"
	"fmt"

	"golang.org/x/sys/windows"
)

// openInBrowser hands an address to the shell.
func openInBrowser(_ context.Context, address string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	file, err := windows.UTF16PtrFromString(address)
	if err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	if err := windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL); err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	return nil
}
