package microsoft_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/platenprint/platen/auth/microsoft"
)

// FuzzKnownAuthority: whatever is accepted leads a request, and so a browser, to one of Microsoft's hosts.
func FuzzKnownAuthority(f *testing.F) {
	for _, seed := range []string{
		"https://login.microsoftonline.com/" + tenant, "https://LOGIN.MICROSOFTONLINE.US/x/", "https://login.microsoftonline.com@attacker.example/x",
		"https://login.microsoftonline.com\\.attacker.example/x", "https://login.microsoftonline.com%2eattacker.example/x", "https:login.microsoftonline.com/x",
	} {
		f.Add(seed)
	}
	clouds := []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}
	f.Fuzz(func(t *testing.T, authority string) {
		if !microsoft.KnownAuthority(authority) {
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, authority, nil)
		if err != nil {
			t.Fatalf("%q was accepted and cannot be asked: %v", authority, err)
		}
		host := []byte(req.URL.Host)
		for i, c := range host {
			if 'A' <= c && c <= 'Z' {
				host[i] = c + 'a' - 'A'
			}
		}
		if req.URL.Scheme != "https" || req.URL.User != nil || !slices.Contains(clouds, string(host)) {
			t.Errorf("%q was accepted and leads to %s", authority, req.URL)
		}
	})
}
