package inbound

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

// R-RATE-2: what a client writes into forwarding headers counts only behind a proxy we trust.
func TestClientAddress(t *testing.T) {
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.1:99", nil, "192.0.2.1"},
		{"spoofed", "192.0.2.1:99", []string{"198.51.100.9"}, "192.0.2.1"},
		{"behind a proxy", "10.0.0.1:99", []string{"198.51.100.9"}, "198.51.100.9"},
		{"spoofed behind a proxy", "10.0.0.1:99", []string{"1.2.3.4, 198.51.100.9"}, "198.51.100.9"},
		{"spoofed in a header of its own", "10.0.0.1:99", []string{"1.2.3.4", "198.51.100.9"}, "198.51.100.9"},
		{"two proxies", "10.0.0.1:99", []string{"198.51.100.9, 10.0.0.2"}, "198.51.100.9"},
		{"only proxies", "10.0.0.1:99", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nonsense", "10.0.0.1:99", []string{"198.51.100.9, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"nothing", "10.0.0.1:99", nil, "10.0.0.1"},
		{"IPv6", "[fd00::1]:99", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:99", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.forwarded
			if got := proxies.ClientAddr(r).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
