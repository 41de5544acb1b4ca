//go:build !linux

package main

// humble does nothing here.
func humble() error { return nil }
