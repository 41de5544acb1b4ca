package presence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/platenprint/platen/internal/clock"
)

// session asks Windows about the session of this process. Compiled and vetted, not yet run on Windows.
type session struct {
	lastInput, tickCount, query *windows.LazyProc
}

// New returns the presence in the session of this process.
func New(func(string) string, clock.Clock) Source {
	user, kernel, wts := windows.NewLazySystemDLL("user32.dll"), windows.NewLazySystemDLL("kernel32.dll"), windows.NewLazySystemDLL("wtsapi32.dll")
	return session{
		lastInput: user.NewProc("GetLastInputInfo"), tickCount: kernel.NewProc("GetTickCount"),
		query: wts.NewProc("WTSQuerySessionInformationW"),
	}
}

// Read implements Source. It asks rather than listens: WTSRegisterSessionNotification would need a window.
func (s session) Read(context.Context) (Reading, error) {
	var r Reading
	idle, idleErr := s.idle()
	locked, lockedErr := s.locked()
	if idleErr != nil && lockedErr != nil {
		return r, errors.Join(ErrUnsupported, idleErr, lockedErr)
	}
	r.Idle, r.IdleKnown = idle, idleErr == nil
	r.Locked, r.LockedKnown = locked, lockedErr == nil
	return r, nil
}

// lastInputInfo is LASTINPUTINFO. Its time is that of GetTickCount, milliseconds in 32 bits.
type lastInputInfo struct{ size, time uint32 }

// idle is the time since the last input of this session
// (https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getlastinputinfo).
func (s session) idle() (time.Duration, error) {
	info := lastInputInfo{}
	info.size = uint32(unsafe.Sizeof(info))
	if ok, _, err := s.lastInput.Call(uintptr(unsafe.Pointer(&info))); ok == 0 {
		return 0, fmt.Errorf("ask for the last input: %w", err)
	}
	now, _, _ := s.tickCount.Call()
	since := uint32(now) - info.time // right also when the count has begun anew, every 49.7 days
	if since > math.MaxInt32 {       // input between the two calls
		since = 0
	}
	return time.Duration(since) * time.Millisecond, nil
}

// From the Windows SDK (wtsapi32.h).
const (
	currentServer  = 0
	currentSession = math.MaxUint32
	sessionInfoEx  = 25 // WTSSessionInfoEx
	stateLock      = 0  // WTS_SESSIONSTATE_LOCK
	stateUnlock    = 1  // WTS_SESSIONSTATE_UNLOCK
)

// infoEx is the head of WTSINFOEXW: the level, and of its first level what comes before the texts. The union with the
// level begins at 8, for it has 64-bit members.
type infoEx struct {
	level, _            uint32
	session, connection uint32
	flags               int32
}

var errUnknownState = errors.New("windows does not know whether the session is locked")

// locked tells whether the session is locked
// (https://learn.microsoft.com/windows/win32/api/wtsapi32/ns-wtsapi32-wtsinfoex_level1_w). The page warns that Windows 7
// and Server 2008 R2 say the opposite; programs of this Go version do not start there.
func (s session) locked() (bool, error) {
	var info *infoEx
	var size uint32
	ok, _, err := s.query.Call(currentServer, uintptr(currentSession), sessionInfoEx, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)))
	if ok == 0 || info == nil {
		return false, fmt.Errorf("ask for the state of the session: %w", err)
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(info)))
	if uintptr(size) < unsafe.Sizeof(*info) || info.level != 1 {
		return false, errUnknownState
	}
	switch info.flags {
	case stateLock:
		return true, nil
	case stateUnlock:
		return false, nil
	}
	return false, errUnknownState
}
