//go:build !linux

package agent

// sessionOf knows nothing here: Windows tells the session with the token, and macOS has none that others could use.
func sessionOf(int) string { return "" }
