package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
)

// E9: a computer that knows only a name learns where the server is, from an answer that may be kept and is the same for everybody.
func TestE9_WellKnownTellsWhereTheServerIs(t *testing.T) {
	s := newSite(t, nil)
	first := s.ask(t, "GET", api.PathWellKnown, "", "")
	if first.Code != http.StatusOK || first.Header().Get("Content-Type") != "application/json" || first.Header().Get("Cache-Control") != "max-age=300" {
		t.Errorf("status %d, Content-Type %q, Cache-Control %q", first.Code, first.Header().Get("Content-Type"), first.Header().Get("Cache-Control"))
	}
	if first.Header().Get("X-Content-Type-Options") != "nosniff" || first.Header().Get("Set-Cookie") != "" {
		t.Errorf("headers: %v", first.Header())
	}
	var got api.WellKnown
	if err := json.Unmarshal(first.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := api.WellKnown{Product: "platen", V: 1, ServerURL: "https://print.example.org:8443", DeviceAddress: "print.example.org:8445", Version: "1.2.3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := s.ask(t, "GET", api.PathWellKnown, "token-a", ""); again.Body.String() != first.Body.String() {
		t.Errorf("somebody signed in is told something else: %s", again.Body)
	}
	if first.Body.Len() > api.MaxWellKnown {
		t.Errorf("the answer has %d bytes", first.Body.Len())
	}
}

func TestWellKnownIsOnlyRead(t *testing.T) {
	s := newSite(t, nil)
	if w := s.ask(t, "HEAD", api.PathWellKnown, "", ""); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		w := s.ask(t, method, api.PathWellKnown, "", "")
		if w.Code != http.StatusMethodNotAllowed || !strings.HasPrefix(w.Header().Get("Allow"), "GET") {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/.well-known", "/.well-known/other", "/.well-known/platen/x"} {
		if w := s.ask(t, "GET", path, "", ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
