package inbound

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// R-AUTHZ-1: a path has one reading or none.
func TestCleanPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/api/v1/me": true, "/sign-in/callback/google": true, "/static/app-1.2.css": true, "/.well-known/security.txt": true,
		"": false, "//": false, "/a/": false, "/a//b": false, "/./a": false, "/../a": false, "/.git": false, "/a.": false, "/a;x=1": false, "/%61": false,
		"/a%2fb": false, "/a%00": false, "/a%20": false, `/a\b`: false, "/ä": false, "/" + strings.Repeat("a", 512): false,
	} {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := Clean(&http.Request{URL: u}); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	if Clean(&http.Request{URL: &url.URL{Opaque: "x", Path: "/a"}}) {
		t.Error("an opaque address is clean")
	}
}

func FuzzClean(f *testing.F) {
	f.Add("/a/b")
	f.Add("/..%2f")
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.Parse(target)
		if err != nil || !Clean(&http.Request{URL: u}) {
			return
		}
		if u.RawPath != "" || strings.ContainsAny(u.Path, "%;\\\x00 ") || strings.Contains(u.Path, "..") || strings.Contains(u.Path, "//") {
			t.Errorf("%q is clean", target)
		}
	})
}
