package opener

import "testing"

func TestPagesAreOpenedOverHTTPSOnly(t *testing.T) {
	for _, address := range []string{"", "http://x.example/", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://user:pw@x.example/", "--help"} {
		if err := Open(t.Context(), address, 0); err == nil {
			t.Errorf("opened %q", address)
		}
	}
}
