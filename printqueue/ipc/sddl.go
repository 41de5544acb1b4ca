package ipc

import "fmt"

// clientAccess is what a user may do with the pipe of Windows: FILE_GENERIC_READ and FILE_GENERIC_WRITE without
// FILE_CREATE_PIPE_INSTANCE (4), which GENERIC_WRITE has. With that right any user could serve the pipe beside the service.
const clientAccess = 0x12019b

// descriptor is the pipe's SDDL: the owner is the service, SYSTEM and administrators may do everything, interactive users may
// ask.
func descriptor(owner string) string {
	return fmt.Sprintf("O:%sD:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;%#x;;;IU)", owner, clientAccess)
}
