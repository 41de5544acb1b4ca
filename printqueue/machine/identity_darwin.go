package machine

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// ioregTimeout is how long the registry may take.
const ioregTimeout = 10 * time.Second

// ThisComputer asks the I/O registry for the platform's UUID; macOS has no id that is made at installation.
func ThisComputer(ctx context.Context) (Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, ioregTimeout)
	defer cancel()
	path, err := sysexec.Find("ioreg")
	if err != nil {
		return Identity{}, fmt.Errorf("ask for the platform's UUID: %w", err)
	}
	cmd, err := sysexec.Command(ctx, path, "-rd1", "-c", "IOPlatformExpertDevice")
	if err != nil {
		return Identity{}, fmt.Errorf("ask for the platform's UUID: %w", err)
	}
	cmd.WaitDelay = ioregTimeout
	out, err := cmd.Output()
	if err != nil {
		return Identity{}, fmt.Errorf("ask for the platform's UUID: %w", err)
	}
	found := regexp.MustCompile(`"IOPlatformUUID" = "([0-9A-Fa-f-]{36})"`).FindSubmatch(out)
	if found == nil {
		return Identity{}, ErrNoIdentity
	}
	i := newIdentity("", string(found[1]))
	if i.empty() {
		return Identity{}, ErrNoIdentity
	}
	return i, nil
}
