package cli

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/capabilities"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sampleCapabilities() api.Capabilities {
	return capabilities.Compute(capabilities.Facts{
		Microsoft: &capabilities.Microsoft{MFA: true, Create: true, Match: true}, Modes: []string{api.MethodMicrosoft, api.MethodPrompt}, AdminPages: true,
	})
}

func TestCapabilitiesAsPeopleReadThem(t *testing.T) {
	var b bytes.Buffer
	writeCapabilities(&b, sampleCapabilities(), 100)
	const file = "testdata/capabilities.golden"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the table changed; look at it, then go test -update\n%s", diff)
	}
}

func TestCapabilitiesFitTheTerminal(t *testing.T) {
	for _, width := range []int{narrowest, 100, widest} {
		var b bytes.Buffer
		writeCapabilities(&b, sampleCapabilities(), width)
		if strings.Count(b.String(), "\n") < 22*4 {
			t.Errorf("only %d lines", strings.Count(b.String(), "\n"))
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimRight(line, "\n")
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%d columns at width %d: %q", n, width, line)
			}
		}
	}
}

func TestCapabilitiesOfAnotherVersion(t *testing.T) {
	c := sampleCapabilities()
	c.Columns = c.Columns[:2]
	c.Rows[0].Feature = "evil\x1b[31m\u202e"
	var b bytes.Buffer
	writeCapabilities(&b, c, 80)
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("what the server says moves the cursor")
	}
}
