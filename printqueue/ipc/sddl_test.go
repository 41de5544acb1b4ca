package ipc

import "testing"

func TestR_IPC_1_UsersCannotServeThePipe(t *testing.T) {
	const want = "O:S-1-5-18D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;IU)"
	if got := descriptor("S-1-5-18"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// [MS-DTYP] 2.4.3: FILE_READ_DATA, FILE_WRITE_DATA and the right to wait (0x100000) are needed; FILE_CREATE_PIPE_INSTANCE, WRITE_DAC and
	// WRITE_OWNER must not be there.
	if clientAccess&0x100003 != 0x100003 || clientAccess&(0x4|0x40000|0x80000|0x10000) != 0 {
		t.Errorf("users may %#x", clientAccess)
	}
}
