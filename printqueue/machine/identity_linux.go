package machine

import (
	"context"
	"os"
)

// ThisComputer reads what tells this computer from others: /etc/machine-id (machine-id(5)) and the firmware's UUID (DMI, which
// only root may read). ErrNoIdentity if there is neither.
func ThisComputer(context.Context) (Identity, error) {
	i := newIdentity(read("/etc/machine-id"), read("/sys/class/dmi/id/product_uuid"))
	if i.empty() {
		return Identity{}, ErrNoIdentity
	}
	return i, nil
}

// read returns a file of the system, "" if it is not there. "uninitialized" is what machine-id(5) has before the first start.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil || string(text) == "uninitialized\n" {
		return ""
	}
	return string(text)
}
