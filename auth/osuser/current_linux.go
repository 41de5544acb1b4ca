package osuser

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// getentTimeout is how long one service of nsswitch.conf may take: a directory that does not answer must not keep the
// client from starting.
const getentTimeout = 3 * time.Second

// Current asks the system who runs this process. It fails only if there is no name at all.
func Current(ctx context.Context) (Account, error) {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // a nicety
	}
	return nss{files: os.DirFS("/"), uid: os.Getuid(), hostname: hostname, getenv: os.Getenv, getent: getent}.current(ctx)
}

// getent asks glibc, which pure Go cannot: the modules of nsswitch.conf are C libraries.
func getent(ctx context.Context, service string, uid int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, getentTimeout)
	defer cancel()
	path, err := sysexec.Find("getent")
	if err != nil {
		return "", err
	}
	cmd, err := sysexec.Command(ctx, path, "-s", service, "passwd", strconv.Itoa(uid))
	if err != nil {
		return "", err
	}
	cmd.WaitDelay = getentTimeout
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for user id %d: %w", service, uid, err)
	}
	return string(out), nil
}
