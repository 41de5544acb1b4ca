package main

import (
	"context"
	"fmt"
	"os"

	"github.com/platenprint/platen/internal/sysexec"
)

// mayBecome: only administrators write below Program Files, and whoever starts a program of their own can start another.
func mayBecome(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	return nil
}

// become starts the program at path with the same arguments. Everything of this one is closed, so that the new one finds its place
// free.
func become(path string) error {
	cmd, err := sysexec.Command(context.Background(), path, os.Args[1:]...)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s anew: %w", path, err)
	}
	return cmd.Process.Release()
}
