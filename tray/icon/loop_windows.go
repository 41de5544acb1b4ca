package icon

import (
	"time"

	"golang.org/x/sys/windows"
)

// loopTries is how often the end of the loop is asked for, and loopPause how long it is waited between: a thread has no messages
// before it has asked for the first.
const (
	loopTries = 50
	loopPause = 20 * time.Millisecond
)

// loopEnder returns what ends the message loop of this thread. systray closes its window for that, and so runs for ever where it could
// make none: in a session without a shell or without a desktop.
func loopEnder() func() {
	const wmQuit = 0x0012 // https://learn.microsoft.com/windows/win32/winmsg/wm-quit
	thread := windows.GetCurrentThreadId()
	post := windows.NewLazySystemDLL("user32.dll").NewProc("PostThreadMessageW")
	return func() {
		for range loopTries {
			if ok, _, _ := post.Call(uintptr(thread), wmQuit, 0, 0); ok != 0 {
				return
			}
			pause := time.NewTimer(loopPause)
			<-pause.C
		}
	}
}
