package configured

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// pushed is a source that is never read: its directory sends what changes.
type pushed struct{ id core.SourceID }

var _ directory.Source = pushed{}

func (p pushed) ID() core.SourceID { return p.id }

// Read implements directory.Source: there is nothing to read.
func (p pushed) Read(context.Context, directory.Request, directory.Sink) (directory.Reading, error) {
	return directory.Reading{}, fmt.Errorf("%w: source %q sends its changes by itself; start a synchronisation in that directory", core.ErrInvalid, p.id)
}

// Check implements directory.Source.
func (p pushed) Check(context.Context) (string, error) {
	return "it sends its changes by itself; there is nothing to ask", nil
}
