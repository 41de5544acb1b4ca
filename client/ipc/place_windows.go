package ipc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// ErrRunning says that another resident has the place.
var ErrRunning = errors.New("platen is already running for this user")

// Find says where this person's resident listens: a pipe named by the user's SID and session, so that two sessions of one
// user have two. With PLATEN_RUNTIME_DIR its hash is added.
func Find(getenv func(string) string) (Place, error) {
	sid, err := userSID()
	if err != nil {
		return Place{}, err
	}
	var session uint32
	if err := windows.ProcessIdToSessionId(uint32(os.Getpid()), &session); err != nil {
		return Place{}, fmt.Errorf("find the session: %w", err)
	}
	name := fmt.Sprintf(`\\.\pipe\platen-%s-%d`, sid, session)
	if dir := getenv(EnvRuntimeDir); dir != "" {
		sum := sha256.Sum256([]byte(dir))
		name += "-" + hex.EncodeToString(sum[:8])
	}
	return Place{address: name}, nil
}

func userSID() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("find the user: %w", err)
	}
	return user.User.Sid, nil
}

// Listen takes the place, or fails with ErrRunning. The pipe belongs to the user and lets in nobody else; go-winio refuses
// remote clients and creates the first instance exclusively, so a squatter is noticed.
func Listen(_ context.Context, place Place) (*Listener, error) {
	sid, err := userSID()
	if err != nil {
		return nil, err
	}
	l, err := winio.ListenPipe(place.address, &winio.PipeConfig{
		SecurityDescriptor: fmt.Sprintf("O:%sD:P(A;;GA;;;%s)", sid, sid),
		InputBufferSize:    MaxFrame,
		OutputBufferSize:   MaxFrame,
	})
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, ErrRunning
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &Listener{
		net: l, place: place, free: func() {},
		verify: func(net.Conn) error { return nil }, // the access list has done it
	}, nil
}

// dial connects to the resident and checks that the pipe belongs to this user before a word is said.
func dial(ctx context.Context, place Place) (net.Conn, error) {
	conn, err := winio.DialPipeContext(ctx, place.address)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, ErrOtherUser
	case err != nil:
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := samePeer(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// samePeer tells whether the pipe is owned by this user. The name alone proves nothing: anybody may create it first.
func samePeer(conn net.Conn) error {
	file, ok := conn.(interface{ Fd() uintptr })
	if !ok {
		return fmt.Errorf("check the other end: %T has no handle", conn)
	}
	sd, err := windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("check the other end: %w", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("check the other end: %w", err)
	}
	sid, err := userSID()
	if err != nil {
		return err
	}
	if !owner.Equals(sid) {
		return fmt.Errorf("%w (%s)", ErrOtherUser, owner)
	}
	return nil
}

// Remove removes nothing: a pipe leaves nothing.
func (p Place) Remove() error { return nil }
