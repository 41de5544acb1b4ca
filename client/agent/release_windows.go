package agent

import (
	"runtime/debug"

	"golang.org/x/sys/windows"
)

// release gives back what starting took: the heap that is free again, and the pages that were needed only then; those
// that are used come back by themselves (SetProcessWorkingSetSizeEx with -1, -1: "removes as many pages as possible from
// the working set").
func release() {
	const asFewAsPossible = ^uintptr(0)
	debug.FreeOSMemory()
	_ = windows.SetProcessWorkingSetSizeEx(windows.CurrentProcess(), asFewAsPossible, asFewAsPossible, 0) // nothing is lost without it
}
