package deploykit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// privateSDDL lets in the system, the administrators and the owner; everything below inherits it.
const privateSDDL = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"

// makePrivate makes a folder with an access list of its own: permission bits mean nothing here. The folder of the kit is new and
// nobody else's, so that its path leads where root does.
func makePrivate(root *os.Root, dir string) error {
	if info, err := root.Lstat(dir); err == nil && info.IsDir() {
		return nil // made for the file before
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make the private folder %s: %w", dir, errors.Join(err, fs.ErrExist))
	}
	list, err := windows.SecurityDescriptorFromString(privateSDDL)
	if err != nil {
		return fmt.Errorf("read own security descriptor: %w", err)
	}
	name, err := windows.UTF16PtrFromString(filepath.Join(root.Name(), dir))
	if err != nil {
		return err
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: list}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	return windows.CreateDirectory(name, attributes)
}
