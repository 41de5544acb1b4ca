package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

const (
	pipeName  = `\\.\pipe\platen-deploy`
	systemSID = "S-1-5-18"
)

// Place is where the service listens, and whose it must be. It prints as what it is.
type Place struct {
	address string // the pipe's name
	owner   string // the SID that the pipe must belong to
}

// System is where the service of this computer listens: a pipe of SYSTEM's.
func System() Place { return Place{address: pipeName, owner: systemSID} }

// At is another place, for tests: a name, and the SID of whoever serves there ("" for this process's user).
func At(name, owner string) Place {
	if owner == "" {
		if user, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil {
			owner = user.User.Sid.String()
		}
	}
	return Place{address: pipeName + "-" + name, owner: owner}
}

// listen takes the place. go-winio refuses clients of other computers and makes the first instance exclusively, so a
// pipe that somebody made before is noticed. SYSTEM and administrators may do everything, interactive users may ask.
func listen(_ context.Context, place Place) (net.Listener, error) {
	l, err := winio.ListenPipe(place.address, &winio.PipeConfig{
		SecurityDescriptor: descriptor(place.owner),
		InputBufferSize:    MaxFrame,
		OutputBufferSize:   MaxFrame,
	})
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, ErrRunning // or somebody else's: what must be found out is the same
	case errors.Is(err, windows.ERROR_INVALID_OWNER):
		return nil, fmt.Errorf("listen on %s: only SYSTEM can: run this as the service: %w", place, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", place, err)
	}
	return l, nil
}

// earlyPeer: a client can be impersonated only after something was read.
const earlyPeer = false

// early names the user for the limits, before anything is read. The process may be gone or another one by now, so it
// decides nothing but how many connections its user has.
func early(conn net.Conn) (string, error) {
	handle, err := handleOf(conn)
	if err != nil {
		return "", err
	}
	var pid uint32
	if err := windows.GetNamedPipeClientProcessId(handle, &pid); err != nil {
		return "", fmt.Errorf("ask who is at the other end: %w", err)
	}
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return "unknown", nil //nolint:nilerr // they share the seats of one user
	}
	defer func() { _ = windows.CloseHandle(process) }()
	var token windows.Token
	if err := windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token); err != nil {
		return "unknown", nil //nolint:nilerr // as above
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return "unknown", nil //nolint:nilerr // as above
	}
	return user.User.Sid.String(), nil
}

func handleOf(conn net.Conn) (windows.Handle, error) {
	file, ok := conn.(interface{ Fd() uintptr })
	if !ok {
		return 0, fmt.Errorf("ask who is at the other end: %T has no handle", conn)
	}
	return windows.Handle(file.Fd()), nil
}

// identify takes the caller's identity on for a moment and reads it from the token, on a thread of its own: a thread
// that cannot be turned back is never used again.
func identify(conn net.Conn) (Peer, error) {
	handle, err := handleOf(conn)
	if err != nil {
		return Peer{}, err
	}
	type answer struct {
		peer Peer
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		runtime.LockOSThread()
		if err := impersonate(handle); err != nil {
			runtime.UnlockOSThread()
			got <- answer{err: fmt.Errorf("ask who is at the other end: %w", err)}
			return
		}
		peer, err := readToken()
		if back := windows.RevertToSelf(); back != nil { // stay locked: the thread ends with the goroutine
			got <- answer{err: fmt.Errorf("come back from the caller's identity: %w", back)}
			return
		}
		runtime.UnlockOSThread()
		got <- answer{peer, err}
	}()
	a := <-got
	return a.peer, a.err
}

// impersonate is ImpersonateNamedPipeClient, which golang.org/x/sys lacks.
func impersonate(pipe windows.Handle) error {
	call := windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")
	if err := call.Find(); err != nil {
		return err
	}
	if ok, _, err := call.Call(uintptr(pipe)); ok == 0 {
		return err
	}
	return nil
}

// readToken reads the identity that this thread has taken on.
func readToken() (Peer, error) {
	var token windows.Token
	if err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token); err != nil {
		return Peer{}, fmt.Errorf("open the caller's token: %w", err)
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return Peer{}, fmt.Errorf("read the caller's token: %w", err)
	}
	sid := user.User.Sid
	if sid.IsWellKnown(windows.WinAnonymousSid) || sid.IsWellKnown(windows.WinNullSid) {
		return Peer{}, errors.New("the caller hides who it is")
	}
	var session, size uint32
	if err := windows.GetTokenInformation(token, windows.TokenSessionId, (*byte)(unsafe.Pointer(&session)), uint32(unsafe.Sizeof(session)), &size); err != nil {
		return Peer{}, fmt.Errorf("read the caller's session: %w", err)
	}
	return Peer{SID: sid.String(), Session: strconv.FormatUint(uint64(session), 10)}, nil
}

// dial connects, lets the service see who this is but not act as it, and makes sure that the pipe is the service's. The
// name alone proves nothing: anybody may make it first.
func dial(ctx context.Context, place Place) (net.Conn, error) {
	conn, err := winio.DialPipeAccessImpLevel(ctx, place.address, clientAccess, winio.PipeImpLevelIdentification)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, notRunning(place)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, wrongOwner(place, "somebody who lets this user not in")
	case err != nil:
		return nil, fmt.Errorf("connect to %s: %w", place, err)
	}
	if err := checkOwner(conn, place); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func checkOwner(conn net.Conn, place Place) error {
	handle, err := handleOf(conn)
	if err != nil {
		return err
	}
	sd, err := windows.GetSecurityInfo(handle, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask whose %s is: %w", place, err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("ask whose %s is: %w", place, err)
	}
	if owner.String() != place.owner {
		return wrongOwner(place, owner.String())
	}
	return nil
}
