package agent

import "golang.org/x/sys/windows"

// trim asks Windows to take back the pages that were needed only to start; those that are used come back by themselves
// (SetProcessWorkingSetSizeEx with -1, -1: "removes as many pages as possible from the working set").
func trim() error {
	const asFewAsPossible = ^uintptr(0)
	return windows.SetProcessWorkingSetSizeEx(windows.CurrentProcess(), asFewAsPossible, asFewAsPossible, 0)
}
