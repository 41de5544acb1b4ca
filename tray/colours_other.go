//go:build !linux

package main

import "context"

// preferLight does nothing: these systems say whether they are light or dark.
func preferLight(context.Context) {}
