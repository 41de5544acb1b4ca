package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"

	"github.com/platenprint/platen/server-stub/datadir"
)

// pipeSDDL lets in the system, the administrators and the server's own account.
const pipeSDDL = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)"

// pipeName hashes the folder, whose path may be longer than a pipe's name.
func pipeName(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(abs)))
	return `\\.\pipe\platen-server-` + hex.EncodeToString(sum[:16]), nil
}

// Listen opens the pipe of d. go-winio makes it the first of its name and refuses callers from other machines.
func Listen(d *datadir.Dir) (net.Listener, error) {
	name, err := pipeName(d.Path())
	if err != nil {
		return nil, err
	}
	l, err := winio.ListenPipe(name, &winio.PipeConfig{SecurityDescriptor: pipeSDDL})
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	return l, nil
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	name, err := pipeName(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := winio.DialPipeContext(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: nothing answers for %s; start it with: platen-server serve --data %s", ErrNotRunning, dir, dir)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	return conn, nil
}
