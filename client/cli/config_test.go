package cli

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"github.com/platenprint/platen/client/config"
)

func TestE9_ConfigSaysWhatAPolicyStandsAgainst(t *testing.T) {
	files := map[string]string{"/etc/platen/policy.conf": "ServerURL=https://policy.example.org", "/etc/platen/platen.conf": "ServerURL=https://package.example.org"}
	m := config.Machine{GOOS: "linux", ReadFile: func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}}
	c, warnings, err := config.Load(t.Context(), config.Sources{Ordered: config.System(m)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		json bool
		want []string
	}{
		{false, []string{"https://policy.example.org", "policy /etc/platen/policy.conf:1", "instead of https://package.example.org", "machine file /etc/platen/platen.conf:1"}},
		{true, []string{`"overrides": [`, `"value": "https://package.example.org"`, `"origin": "machine file /etc/platen/platen.conf:1"`}},
	} {
		var out bytes.Buffer
		p := &program{Deps: Deps{Stdout: &out, Stderr: &out}, json: tc.json}
		if err := p.sayConfig(c, warnings, nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range tc.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in:\n%s", want, out.String())
			}
		}
	}
}
