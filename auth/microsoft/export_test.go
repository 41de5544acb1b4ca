package microsoft

import (
	"context"
	"net"
)

// SetListen has the client listen in a test's own way.
func (c *Client) SetListen(listen func(ctx context.Context, network, address string) (net.Listener, error)) {
	c.listen = listen
}

// ErrTimedOut is why a context ends when the person does not come back.
var ErrTimedOut = errTimedOut
