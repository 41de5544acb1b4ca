package osuser

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// Of asks the system about the account with a user id (decimal), as Current does about this process's. It is for a service
// that was told by the kernel who asks it. It fails if no directory and no file of this computer knows the id.
func Of(ctx context.Context, id string) (Account, error) {
	uid, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return Account{}, fmt.Errorf("find an account: %.20q is no user id", id)
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // a nicety
	}
	return nss{files: os.DirFS("/"), uid: int(uid), hostname: hostname, getent: getent}.of(ctx)
}
