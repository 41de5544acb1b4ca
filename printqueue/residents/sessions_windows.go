package residents

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// errNobody says that nobody, or somebody else, is logged on to a session.
var errNobody = errors.New("nobody is logged on there any more")

// seats lists the sessions of people who are logged on, connected or not. Only SYSTEM may ask who they are.
func seats() ([]seat, error) {
	var first *windows.WTS_SESSION_INFO
	var count uint32
	const thisServer, reserved, version = 0, 0, 1
	if err := windows.WTSEnumerateSessions(thisServer, reserved, version, &first, &count); err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	if first == nil || count == 0 {
		return nil, nil
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var list []seat
	for _, s := range unsafe.Slice(first, count) {
		token, err := tokenOf(s.SessionID)
		if err != nil {
			continue // services' session, or a log-on screen
		}
		if user, err := token.GetTokenUser(); err == nil {
			list = append(list, seat{Session: s.SessionID, User: user.User.Sid.String()})
		}
		_ = token.Close()
	}
	return list, nil
}

func tokenOf(session uint32) (windows.Token, error) {
	var token windows.Token
	if err := windows.WTSQueryUserToken(session, &token); err != nil {
		return 0, fmt.Errorf("who is in session %d: %w", session, err)
	}
	return token, nil
}

// start starts a program of ours in a session, as who is logged on there and with their environment. It inherits nothing.
func start(at seat, program string, args ...string) (*handle, error) {
	token, err := tokenOf(at.Session)
	if err != nil {
		return nil, errNobody
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil || user.User.Sid.String() != at.User {
		return nil, errNobody
	}
	var environment *uint16
	if err := windows.CreateEnvironmentBlock(&environment, token, false); err != nil {
		return nil, fmt.Errorf("start %s: its environment: %w", program, err)
	}
	defer func() { _ = windows.DestroyEnvironmentBlock(environment) }()
	name, err := windows.UTF16PtrFromString(program)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(append([]string{program}, args...)))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	dir, err := windows.UTF16PtrFromString(system)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	desktop, err := windows.UTF16PtrFromString(`winsta0\default`)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	info := windows.StartupInfo{Desktop: desktop}
	info.Cb = uint32(unsafe.Sizeof(info))
	var started windows.ProcessInformation
	const flags = windows.CREATE_UNICODE_ENVIRONMENT | windows.CREATE_NO_WINDOW
	if err := windows.CreateProcessAsUser(token, name, line, nil, nil, false, flags, environment, dir, &info, &started); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	_ = windows.CloseHandle(started.Thread)
	return &handle{process: started.Process, pid: started.ProcessId, session: at.Session, path: program}, nil
}
