//go:build unix

package opener

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// program opens an address in the person's browser (freedesktop.org xdg-utils; macOS).
func program() string {
	if runtime.GOOS == "darwin" {
		return "open"
	}
	return "xdg-open"
}

// openInBrowser hands an address to the desktop. The program it starts ends by itself.
func openInBrowser(ctx context.Context, address string, patience time.Duration) error {
	path, err := sysexec.Find(program())
	if err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	cmd, err := sysexec.Command(context.WithoutCancel(ctx), path, address)
	if err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // also so that no zombie stays
	if patience == 0 {
		return nil
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("open the browser: %s: %w", path, err)
		}
	case <-wait.C: // it stays for as long as the browser does
	case <-ctx.Done():
	}
	return nil
}

// Usable tells whether there is something to open a browser with, and somewhere to show it.
func Usable(getenv func(string) string) bool {
	if runtime.GOOS == "darwin" {
		return true
	}
	_, err := sysexec.Find(program())
	return err == nil && (getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "" || getenv("BROWSER") != "")
}
