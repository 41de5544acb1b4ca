package osuser

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/sysexec"
)

// Of asks the system about the account with a user id (decimal), as Current does about this process's. It is for a service
// that was told by the kernel who asks it. It fails if no directory of this computer knows the id.
func Of(ctx context.Context, id string) (Account, error) {
	if _, err := strconv.ParseUint(id, 10, 32); err != nil {
		return Account{}, fmt.Errorf("find an account: %.20q is no user id", id)
	}
	name, err := nameOf(ctx, id)
	if err != nil {
		return Account{}, fmt.Errorf("find the account of user id %s: %w", id, err)
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // a nicety
	}
	a := Parse(name, hostname, "darwin")
	a.UID = id
	if nodes, err := dscl(ctx, name); err == nil {
		a = a.withNodes(nodes)
	}
	return a, nil
}

// nameOf asks id(1), which knows every directory; pure Go knows /etc/passwd only.
func nameOf(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dsclTimeout)
	defer cancel()
	path, err := sysexec.Find("id")
	if err != nil {
		return "", err
	}
	cmd, err := sysexec.Command(ctx, path, "-un", id)
	if err != nil {
		return "", err
	}
	cmd.WaitDelay = dsclTimeout
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(out))
	if name == "" || name == id { // id(1) gives the number back when it knows no name
		return "", errNoName
	}
	return name, nil
}
