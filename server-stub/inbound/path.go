package inbound

import (
	"net/http"
	"strings"
)

// Clean tells whether the path has one reading only (R-AUTHZ-1). Everything else (dots, empty parts, encoded letters,
// parameters behind a semicolon) is not cleaned but refused: no client of ours writes it. A slash at the end is refused too,
// but for "/" itself.
func Clean(r *http.Request) bool {
	path := r.URL.Path
	if r.URL.RawPath != "" || r.URL.Opaque != "" || r.URL.EscapedPath() != path || len(path) > 512 || !strings.HasPrefix(path, "/") {
		return false
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if part == "" && path != "/" || strings.HasPrefix(part, ".") && part != wellKnown || strings.HasSuffix(part, ".") {
			return false
		}
	}
	return strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == ""
}

// wellKnown is the one part that may begin with a dot (RFC 8615).
const wellKnown = ".well-known"
