package osuser

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// dsclTimeout is how long the directory service may take; without its answer the account has no kind.
const dsclTimeout = 3 * time.Second

// Current asks the system who runs this process. It fails only if there is no name at all.
func Current(ctx context.Context) (Account, error) {
	u, err := user.Current()
	if err != nil {
		return Account{}, fmt.Errorf("ask who is logged on: %w", err)
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // a nicety
	}
	a := Parse(u.Username, hostname, "darwin")
	a.UID, a.DisplayName = u.Uid, u.Name
	if nodes, err := dscl(ctx, u.Username); err == nil {
		a = a.withNodes(nodes)
	}
	return a, nil
}

func dscl(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dsclTimeout)
	defer cancel()
	path, err := sysexec.Find("dscl")
	if err != nil {
		return "", err
	}
	cmd, err := sysexec.Command(ctx, path, "/Search", "-read", "/Users/"+name, "AppleMetaNodeLocation", "OriginalNodeName")
	if err != nil {
		return "", err
	}
	cmd.WaitDelay = dsclTimeout
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask the directory service for %s: %w", name, err)
	}
	return string(out), nil
}
