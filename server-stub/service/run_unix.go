//go:build !windows

package service

import (
	"context"
	"fmt"
	"net"
	"os"
)

// Run runs the server until ctx ends, which the signals of systemd and launchd do. It tells systemd (sd_notify(3)) when run calls
// ready, and when ctx ends; whoever else has started the program is not told.
func Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	stop := context.AfterFunc(ctx, func() { _ = notify(socket, "STOPPING=1") })
	defer stop()
	return run(ctx, func() { _ = notify(socket, "READY=1") }) // without it systemd says itself that nothing came
}

// notify sends one datagram to systemd's socket, "" for none.
func notify(socket, state string) error {
	if socket == "" {
		return nil
	}
	// Go writes an abstract address with the @ that it has here.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell systemd %s: %w", state, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("tell systemd %s: %w", state, err)
	}
	return nil
}
