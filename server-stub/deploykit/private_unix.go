//go:build unix

package deploykit

import "os"

// makePrivate makes a folder that only its owner can enter.
func makePrivate(root *os.Root, dir string) error { return root.MkdirAll(dir, 0o700) }
