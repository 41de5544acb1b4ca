// Package private keeps files that only the privileged service may read: a folder of root's (0700) or of SYSTEM's and the
// administrators', and plain files in it. Whatever somebody else could have prepared is refused: a folder or file of another
// owner, a link or junction in its place, a file with two names (R-LINK-1). Files are replaced as a whole and are on the disk
// when Write returns.
package private

import "errors"

// ErrUnsafe says that a folder or file is not the service's alone. The text around it names the path and what to do.
var ErrUnsafe = errors.New("it is not the service's alone")

// ErrBusy says that another process has the folder.
var ErrBusy = errors.New("another platen-deploy works with it")

// maxFile is the largest file that is read, in bytes.
const maxFile = 256 << 10
