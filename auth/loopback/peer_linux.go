package loopback

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// States of proc_pid_net(5), as in the kernel's tcp_states.h.
const (
	established = "01"
	listening   = "0A"
)

// foreign tells whether another user's program made a connection over the loopback interface. Root's are nobody's: root needs
// no such way, and what relays connections (of Windows into WSL) is root's.
func foreign(conn net.Conn) bool {
	them, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	us, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return false
	}
	told := false
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		row, ours := find(string(text), them, us)
		if row.state != "" {
			// A connection that is closed already has no owner any more.
			return row.state != established || row.uid != "0" && row.uid != strconv.Itoa(os.Getuid())
		}
		told = told || ours
	}
	return told // the system knows where we listen, so it would know them: they have gone
}

// socket is what a line of /proc/net/tcp tells of one.
type socket struct{ state, uid string }

// find looks for the end of a connection that is not ours. ours tells whether the table has the port where we listen.
func find(table string, them, us netip.AddrPort) (found socket, ours bool) {
	local, remote, port := written(them), written(us), fmt.Sprintf(":%04X", us.Port())
	for scanner := bufio.NewScanner(strings.NewReader(table)); scanner.Scan(); {
		f := strings.Fields(scanner.Text()) // sl local remote state queues timer retransmits uid
		if len(f) < 8 {
			continue
		}
		switch {
		case f[3] == listening && strings.HasSuffix(f[1], port):
			ours = true
		case (f[1] == local[0] && f[2] == remote[0]) || (f[1] == local[1] && f[2] == remote[1]):
			found = socket{f[3], f[7]}
		}
	}
	return found, ours
}

// written is an address as the kernel writes it: words of 32 bits in the order of this processor, of IPv6, and of IPv4.
func written(a netip.AddrPort) [2]string {
	hex := func(b []byte) string {
		var s strings.Builder
		for ; len(b) > 0; b = b[4:] {
			fmt.Fprintf(&s, "%08X", binary.NativeEndian.Uint32(b))
		}
		return fmt.Sprintf("%s:%04X", s.String(), a.Port())
	}
	six := a.Addr().As16()
	out := [2]string{hex(six[:]), ""}
	if addr := a.Addr().Unmap(); addr.Is4() {
		four := addr.As4()
		out[1] = hex(four[:])
	}
	return out
}
