package agent

// trim does nothing: macOS takes clean pages back by itself and does not count them as the program's.
func trim() error { return nil }
