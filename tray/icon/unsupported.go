//go:build !linux && !windows && !(darwin && cgo)

package icon

import "context"

// Supported tells whether this build has a tray icon.
const Supported = false

// Run returns ErrUnsupported.
func (i *Icon) Run(context.Context) error { return ErrUnsupported }
