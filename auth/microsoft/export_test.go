package microsoft

import (
	"context"
	"net"
)

// SetListen has the client listen in a test's own way.
func (c *Client) SetListen(listen func(ctx context.Context, network, address string) (net.Listener, error)) {
	c.listen = listen
}
