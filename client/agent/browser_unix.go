//go:build unix

package agent

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/internal/sysexec"
)

// openInBrowser hands an address to the desktop. The program it starts ends by itself.
func openInBrowser(ctx context.Context, address string) error {
	path, err := sysexec.Find(opener)
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
	go func() { _ = cmd.Wait() }() // so that no zombie stays
	return nil
}
