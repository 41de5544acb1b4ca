package main

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// leaveOwnConsole closes the console window that Windows opened for this process alone: at log-on and from the Start menu.
// Windows 11 24H2 and later opens none (the manifest says so, installer/winres); before, it is seen for a moment. A console that
// is a shell's too stays, so the commands work there like any other.
func leaveOwnConsole() {
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	var processes [2]uint32
	// https://learn.microsoft.com/windows/console/getconsoleprocesslist: how many there are, also if the list is too short
	n, _, _ := kernel.NewProc("GetConsoleProcessList").Call(uintptr(unsafe.Pointer(&processes[0])), uintptr(len(processes)))
	if n == 1 {
		_, _, _ = kernel.NewProc("FreeConsole").Call()
	}
}
