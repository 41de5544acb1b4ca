package main

import "golang.org/x/sys/windows"

// root tells whether this process may do what administrators may.
func root() bool { return windows.GetCurrentProcessToken().IsElevated() }
