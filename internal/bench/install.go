package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// installEnv makes this program one that installs packages, with mounts of its own.
const installEnv = "PLATEN_BENCH_INSTALL"

// install measures what IT and people wait for: from dpkg -i to a signed-in balance by trust, with only a server's name, its pin
// and an approval. It runs in another process: the mounts are that one's.
func (*rig) install(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), installEnv+"=1"), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.New("it did not come to an end")
	}
	return nil
}
