// Package stage sets up what a demonstration or a measurement of the real programs needs: a throwaway folder, a screen
// without a monitor, a sample organisation with its server. It is used by internal/demo and internal/bench, never by a
// shipped program.
package stage
