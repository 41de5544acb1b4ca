//go:build linux || darwin

package service

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// tool runs a program of the system, found in the system's folders only (R-EXEC-1), and returns what it said.
type tool func(ctx context.Context, name string, args ...string) (string, error)

func systemTool(ctx context.Context, name string, args ...string) (string, error) {
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
