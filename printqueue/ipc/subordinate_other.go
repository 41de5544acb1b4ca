//go:build !linux

package ipc

// limitKey names the user for the limits.
func limitKey(p Peer) string { return p.key() }
