package pki

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Resolver looks names up; net.DefaultResolver is one.
type Resolver interface {
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// Names lists under which names clients may reach a server that listens on listen (host:port), is called hostname and is
// known to the world as publicURL (nil if it has no other name). It asks the resolver for the host's full name and waits
// for it no longer than 300 ms: the certificate can learn a name later.
func Names(ctx context.Context, listen, hostname string, publicURL *url.URL, resolver Resolver) []string {
	var names []string
	if host, _, err := net.SplitHostPort(listen); err == nil {
		if addr, err := netip.ParseAddr(host); err == nil && !addr.IsUnspecified() {
			names = append(names, addr.Unmap().WithZone("").String())
		} else if err != nil {
			names = append(names, host)
		}
	}
	if publicURL != nil {
		names = append(names, publicURL.Hostname())
	}
	if hostname != "" {
		names = append(names, hostname)
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if full, err := resolver.LookupCNAME(ctx, hostname); err == nil && strings.Contains(strings.TrimSuffix(full, "."), ".") {
			names = append(names, full)
		}
	}
	return cleanNames(append(names, "localhost", "127.0.0.1", "::1"))
}
