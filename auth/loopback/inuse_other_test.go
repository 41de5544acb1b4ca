//go:build !windows

package loopback

import "syscall"

const taken = syscall.EADDRINUSE
