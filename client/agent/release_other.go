//go:build !linux && !windows

package agent

import "runtime/debug"

// release gives back what starting took.
func release() { debug.FreeOSMemory() }
