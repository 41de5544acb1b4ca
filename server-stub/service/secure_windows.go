package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

var errUnsafe = errors.New("it may have been prepared by others; look what is in it and remove it")

// secure makes a folder with this access list, or gives it to one that is there. Every user may make folders in %ProgramData%, so
// one of another owner than administrators, and a junction, is refused (R-LINK-1, R-WIN-1).
func secure(path, sddl string) error {
	wanted, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: wanted}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	err = windows.CreateDirectory(name, attributes)
	if err == nil {
		return nil
	}
	if !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return fmt.Errorf("make %s: %w", path, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeDir { // a link, a junction, a file
		return fmt.Errorf("%s is no plain folder: %w", path, errUnsafe)
	}
	found, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	owner, _, err := found.Owner()
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid) {
		return fmt.Errorf("%s belongs to %s: %w", path, owner, errUnsafe)
	}
	dacl, _, err := wanted.DACL()
	if err == nil {
		err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	}
	if err != nil {
		return fmt.Errorf("close %s to others: %w", path, err)
	}
	return nil
}
