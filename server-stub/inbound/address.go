package inbound

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies whose X-Forwarded-For is believed (R-RATE-2).
type Proxies []netip.Prefix

// ClientAddr is where the request comes from: the peer, or, when the peer is a proxy we trust, the last address in
// X-Forwarded-For that is no such proxy. The zero address for what has none.
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	addr := peerAddr(r)
	if !Contains(p, addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return addr // what lies behind something unreadable is not believed
		}
		addr = next.Unmap().WithZone("")
		if !Contains(p, addr) {
			return addr
		}
	}
	return addr
}

// Disguised tells whether the request says that it was forwarded by a proxy we do not know. Then it is not from the address
// it seems to come from, which matters where an address is a permission.
func (p Proxies) Disguised(r *http.Request) bool {
	return !Contains(p, peerAddr(r)) && (r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "")
}

// Contains tells whether the address is in one of the networks.
func Contains(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func peerAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

type addressKey struct{}

// Address is where a request that came through a Front is from, see Proxies.ClientAddr.
func Address(ctx context.Context) netip.Addr {
	addr, _ := ctx.Value(addressKey{}).(netip.Addr)
	return addr
}
