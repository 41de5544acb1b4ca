package loopback

import "net"

// guarded accepts connections of this user's programs only, where the system tells whose they are: the address that the browser
// was started with has the state in it, and on many systems every user of the computer can read how programs were started.
// Whoever knew it could bring an answer of their own, and somebody would print as them.
type guarded struct {
	net.Listener
	foreign func(net.Conn) bool
}

// Accept implements net.Listener.
func (g guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil || !g.foreign(conn) {
			return conn, err
		}
		_ = conn.Close()
	}
}
