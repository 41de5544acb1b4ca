package opener

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/windows"
)

// openInBrowser hands an address to the shell.
func openInBrowser(_ context.Context, address string, _ time.Duration) error {
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

// Usable: Windows always has a browser.
func Usable(func(string) string) bool { return true }
