//go:build windows || (darwin && cgo)

package icon

import "context"

// desktop is nothing here: these systems always have a tray.
type desktop struct{}

func connect(context.Context) (desktop, error) { return desktop{}, nil }

func (desktop) close() {}

func (desktop) follow(_ context.Context, o Options) {
	if o.OnTray != nil {
		o.OnTray(true)
	}
}
