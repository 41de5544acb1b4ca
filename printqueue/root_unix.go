//go:build !windows

package main

import "os"

// root tells whether this process may do what administrators may.
func root() bool { return os.Geteuid() == 0 }
