package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

const noFollow = 0 // os.Root opens no link that leads out of it; checkFile refuses the others

// What may be done with our folders: everything by SYSTEM and administrators; users may look into the one above.
const (
	closedSDDL = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	openSDDL   = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
)

// Open makes the folder if it is missing, closed to all but SYSTEM and administrators, and the one above it (every user may
// make folders in %ProgramData%, so it is one that could be prepared), and opens it. A folder of another owner, or a
// junction, is refused; an access list that is not ours is replaced.
func Open(path string) (*Dir, error) {
	for _, step := range []struct{ path, sddl string }{{filepath.Dir(path), openSDDL}, {path, closedSDDL}} {
		if err := secure(step.path, step.sddl); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Dir{root: root, path: path}, nil
}

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
		return fmt.Errorf("open %s: %w (no plain folder); remove it", path, ErrUnsafe)
	}
	found, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	owner, _, err := found.Owner()
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if !administrative(owner) {
		return fmt.Errorf("open %s: %w: it belongs to %s; remove it", path, ErrUnsafe, owner)
	}
	dacl, _, err := wanted.DACL()
	if err != nil {
		return fmt.Errorf("close %s to others: %w", path, err)
	}
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("close %s to others: %w", path, err)
	}
	return nil
}

// administrative tells whether an owner is SYSTEM or the administrators.
func administrative(owner *windows.SID) bool {
	return owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid)
}

// checkFile makes sure that an open file is a plain one of an administrator's, with one name.
func checkFile(f *os.File) error {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return err
	}
	switch {
	case info.FileAttributes&(windows.FILE_ATTRIBUTE_REPARSE_POINT|windows.FILE_ATTRIBUTE_DIRECTORY) != 0:
		return fmt.Errorf("%w (no plain file)", ErrUnsafe)
	case info.NumberOfLinks != 1:
		return fmt.Errorf("%w (it has %d names)", ErrUnsafe, info.NumberOfLinks)
	}
	found, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := found.Owner()
	if err != nil {
		return err
	}
	if !administrative(owner) {
		return fmt.Errorf("%w (it belongs to %s)", ErrUnsafe, owner)
	}
	return nil
}

// sync: NTFS writes its names in order.
func (d *Dir) sync() error { return nil }

// Lock takes the folder for this process, until the returned function is called or the process ends. ErrBusy if another
// one has it.
func (d *Dir) Lock() (func(), error) {
	f, err := d.open("lock", os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrExist) { // made by another one between two looks
		f, err = d.open("lock", os.O_RDWR, 0)
	}
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if err != nil {
		_ = f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, fmt.Errorf("take %s: %w", d.path, ErrBusy)
		}
		return nil, fmt.Errorf("lock %s: %w", d.path, err)
	}
	return func() { _ = f.Close() }, nil
}
