//go:build !unix

package tokenstore

// syncDir does nothing: on Windows folders cannot be flushed, NTFS keeps renames in its journal.
func syncDir(string) error { return nil }
