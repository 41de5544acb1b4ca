// Package fakedesktop stands in for parts of a desktop: a screen without a monitor, with a window manager, and a tray that
// reads and clicks the icons in it as a panel would. It serves tests (through internal/testenv), the demo and the
// benchmark (through internal/stage), and is never part of a shipped program.
package fakedesktop
