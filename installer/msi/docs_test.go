package msi

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
)

const docsFile = "../../docs/deploy/windows.md"

func TestPropertiesAreDocumented(t *testing.T) {
	content, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- properties: go test ./installer/msi -update -->\n", "<!-- end -->"
	head, rest, ok := strings.Cut(string(content), begin)
	if !ok {
		t.Fatalf("%s has no %q", docsFile, begin)
	}
	table, tail, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no %q", docsFile, end)
	}
	want := "| property | kept as | |\n|---|---|---|\n"
	for _, p := range Properties() {
		value := "not kept"
		if p.Value != "" {
			value = "`" + p.Value + "`"
		}
		want += fmt.Sprintf("| `%s` | %s | %s%s |\n", p.Name, value, p.Doc, sentence(p.Must))
	}
	if *update {
		if err := os.WriteFile(docsFile, []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		table = want
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s does not have the properties (go test -update):\n%s", docsFile, diff)
	}
	if !strings.Contains(string(content), product.UpgradeCode) {
		t.Errorf("%s does not have the upgrade code", docsFile)
	}
}

// sentence makes a sentence of what a value must be.
func sentence(must string) string {
	if must == "" {
		return ""
	}
	return " It " + must + "."
}
