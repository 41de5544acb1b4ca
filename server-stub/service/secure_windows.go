package service

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var errUnsafe = errors.New("it may have been prepared by others; look what is in it and remove it")

// secure makes a folder with this access list, or gives it to one that is there. Every user may make folders in %ProgramData%, so
// one of another owner than administrators and whoever installs, and a junction, is refused (R-LINK-1, R-WIN-1).
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
	if err := reclaim(path, name, wanted); err != nil {
		return fmt.Errorf("close %s to others: %w", path, err)
	}
	return nil
}

// reclaim looks at a folder and changes its list through one handle, so that nobody can put another in its place in between.
func reclaim(path string, name *uint16, wanted *windows.SECURITY_DESCRIPTOR) error {
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.WRITE_DAC|windows.FILE_READ_ATTRIBUTES, share, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return err
	}
	const kind = windows.FILE_ATTRIBUTE_DIRECTORY | windows.FILE_ATTRIBUTE_REPARSE_POINT
	if info.FileAttributes&kind != windows.FILE_ATTRIBUTE_DIRECTORY { // a link, a junction, a file
		return fmt.Errorf("%s is no plain folder: %w", path, errUnsafe)
	}
	found, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := found.Owner()
	if err != nil {
		return err
	}
	self, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return err
	}
	if !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid) && !owner.Equals(self.User.Sid) {
		return fmt.Errorf("it belongs to %s: %w", owner, errUnsafe)
	}
	return windows.SetKernelObjectSecurity(h, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, wanted)
}
