//go:build linux || (darwin && cgo)

package icon

// loopEnder has nothing to do: there systray ends its loop by itself.
func loopEnder() func() { return func() {} }
