package osuser

import (
	"strings"
	"testing"
)

func TestGetentAsksOneService(t *testing.T) {
	line, err := getent(t.Context(), "files", 0)
	if err != nil {
		t.Fatal(err)
	}
	if entry, ok := parsePasswd(strings.TrimSpace(line)); !ok || entry.uid != 0 || entry.name == "" {
		t.Errorf("getent -s files passwd 0 = %q", line)
	}
	if line, err := getent(t.Context(), "nosuchservice", 0); err == nil {
		t.Errorf("a service that does not exist answered %q", line)
	}
}
