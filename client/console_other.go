//go:build !windows

package main

// leaveOwnConsole does nothing: only Windows opens a window for a program that has none.
func leaveOwnConsole() {}
