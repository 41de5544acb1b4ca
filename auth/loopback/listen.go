package loopback

import (
	"context"
	"errors"
	"net"
	"strconv"
)

// Host is what the browser calls this computer.
type Host string

// The hosts of a Receiver.
const (
	IPv4      Host = "127.0.0.1" // what RFC 8252 section 8.3 prefers: one address, whatever names mean here
	Localhost Host = "localhost" // for providers that know nothing else: 127.0.0.1 or ::1
)

// ListenFunc is net.ListenConfig.Listen.
type ListenFunc func(ctx context.Context, network, address string) (net.Listener, error)

// attempts is how often another port is tried when somebody has it on one of the two loopback addresses.
const attempts = 10

// open listens on every address that the host may be, with one port: otherwise somebody else on this computer could have
// the other one, and browsers try both.
func (h Host) open(ctx context.Context, listen ListenFunc) ([]net.Listener, int, error) {
	var last error
	for range attempts {
		four, err := listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, 0, err
		}
		_, text, err := net.SplitHostPort(four.Addr().String())
		if err != nil {
			return nil, 0, errors.Join(err, four.Close())
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, 0, errors.Join(err, four.Close())
		}
		if h != Localhost {
			return []net.Listener{four}, port, nil
		}
		six, err := listen(ctx, "tcp6", net.JoinHostPort("::1", text))
		if err == nil {
			return []net.Listener{four, six}, port, nil
		}
		if !inUse(err) { // there is no IPv6 here
			return []net.Listener{four}, port, nil
		}
		last = errors.Join(err, four.Close())
	}
	return nil, 0, last
}
