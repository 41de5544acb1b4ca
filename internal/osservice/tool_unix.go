//go:build unix

package osservice

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// ToolTime is how long systemctl or launchctl may take, but where they wait for a service that takes longer to be ready.
const ToolTime = 60 * time.Second

// Tool runs a program of the system and returns what it said.
type Tool func(ctx context.Context, name string, args ...string) (string, error)

// SystemTool is the Tool of this computer: it finds programs in the system's folders only (R-EXEC-1).
func SystemTool(ctx context.Context, name string, args ...string) (string, error) {
	path, err := sysexec.Find(name)
	if err != nil {
		return "", err
	}
	cmd, err := sysexec.Command(ctx, path, args...)
	if err != nil {
		return "", err
	}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %v: %w: %.300s", name, args, err, out)
	}
	return string(out), nil
}

// QuickSystemTool is SystemTool for at most ToolTime.
func QuickSystemTool(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, ToolTime)
	defer cancel()
	return SystemTool(ctx, name, args...)
}

// seeWhy is what the error of a service that did not start ends with.
func seeWhy(where string) string {
	if where == "" {
		return ""
	}
	return "; see why " + where
}
