package machine

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// ThisComputer reads what tells this computer from others: MachineGuid, which Windows makes when it is installed (sysprep
// makes a new one), and the firmware's UUID (SMBIOS). ErrNoIdentity if there is neither.
func ThisComputer(context.Context) (Identity, error) {
	i := newIdentity(machineGUID(), smbiosUUID(firmwareTable()))
	if i.empty() {
		return Identity{}, ErrNoIdentity
	}
	return i, nil
}

func machineGUID() string {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer func() { _ = key.Close() }()
	guid, _, err := key.GetStringValue("MachineGuid")
	if err != nil {
		return ""
	}
	return guid
}

// firmwareTable is GetSystemFirmwareTable for the raw SMBIOS data; nil if there is none. The first eight bytes are Windows' own.
func firmwareTable() []byte {
	const rsmb = 'R'<<24 | 'S'<<16 | 'M'<<8 | 'B'
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemFirmwareTable")
	if call.Find() != nil {
		return nil
	}
	size, _, _ := call.Call(rsmb, 0, 0, 0)
	if size <= 8 || size > 1<<20 {
		return nil
	}
	buf := make([]byte, size)
	if got, _, _ := call.Call(rsmb, 0, uintptr(unsafe.Pointer(&buf[0])), size); got != size {
		return nil
	}
	return buf[8:]
}
