//go:build !windows

package service

import "context"

// Run runs the service until ctx ends, which the signals of systemd and launchd do.
func Run(ctx context.Context, run func(context.Context) error) error { return run(ctx) }
