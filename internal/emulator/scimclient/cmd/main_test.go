package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program sends what it should to a server that knows nobody, and names what fails.
func TestTheProgramRunsCycles(t *testing.T) {
	var posts, patches int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer right":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"wrong token"}`)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"totalResults":0,"Resources":[]}`)
		case r.Method == http.MethodPost:
			posts++
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"x`+strings.Repeat("1", posts)+`"}`)
		case strings.Contains(string(body), "False"):
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"detail":"stopped"}`)
		default:
			patches++
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	do := func(secret string, args ...string) (string, error) {
		if err := os.WriteFile(token, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"--url", server.URL + "/scim/v2", "--token-file", token}, args...), &out, io.Discard)
		return out.String(), err
	}
	if _, err := do("wrong"); err == nil || !strings.Contains(err.Error(), "wrong token") {
		t.Errorf("a wrong token: %v", err)
	}
	out, err := do("right", "--people", "people.json")
	if err != nil || !strings.Contains(out, "Cycle 1: 2 created") || posts != 3 || patches != 2 { // a group; its members, and a manager
		t.Errorf("%v, %d posts, %d patches:\n%s", err, posts, patches, out)
	}
	out, err = do("right", "--make", "6", "--people", "people.json")
	if err == nil || !strings.Contains(err.Error(), "stopped\n... and 3 more") || !strings.Contains(out, "6 failed") {
		t.Errorf("%v:\n%s", err, out)
	}
}
