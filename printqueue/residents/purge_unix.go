//go:build linux || darwin

package residents

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// purgeTime is how long one home may take.
const purgeTime = 10 * time.Second

// purgeAs runs "platen purge --offline" as the owner of a home, with nothing of ours: no terminal, no groups, no environment, no files.
func purgeAs(ctx context.Context, program string, h home) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, purgeTime)
	defer cancel()
	cmd, err := sysexec.Command(ctx, program, "purge", "--offline", "--yes", "--json")
	if err != nil {
		return false, err
	}
	cmd.Env, cmd.Dir = []string{"HOME=" + h.path, "PATH=/usr/bin:/bin", "LANG=C"}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: h.uid, Gid: h.gid}}
	cmd.WaitDelay = time.Second
	closeFiles()
	out := &limited{most: 64 << 10}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return false, fmt.Errorf("remove what is kept: %w", err)
	}
	var told struct {
		Removed int `json:"removed"`
	}
	_ = json.Unmarshal(out.text, &told) // it is the account's own process: what it says is for the count only
	return told.Removed > 0, nil
}
