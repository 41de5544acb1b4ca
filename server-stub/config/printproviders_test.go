package config

import (
	"strings"
	"testing"
)

func TestPrintProviders(t *testing.T) {
	c, err := Load(Sources{File: write(t, `
print_providers:
  - name: print1
    upn_suffix: organization.com
  - {name: print2, upn_suffix: CORP=organization.com; SALES=sales.organization.com, networks: [10.2.3.4/16, "2001:db8::/32"]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.PrintProviders); n != 2 {
		t.Fatalf("%d providers", n)
	}
	two := c.PrintProviders[1]
	if got := c.PrintProviders[0].Suffix.String(); got != "organization.com" {
		t.Errorf("A1_32: the first one has %q", got)
	}
	if got := two.Suffix.String(); got != "corp=organization.com; sales=sales.organization.com" || len(two.Networks) != 2 || two.Networks[0].String() != "10.2.0.0/16" {
		t.Errorf("A1_33: the second one has %q and %v", got, two.Networks)
	}
	if s := origin(t, c, "print_providers"); s.Value != "2 configured" {
		t.Errorf("shown as %+v", s)
	}
}

func TestPrintProvidersThatAreWrong(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"no name", "- {upn_suffix: a.example}", "such as print1"},
		{"twice", "- {name: a}\n  - {name: A}", "two providers"},
		{"suffix", "- {name: a, upn_suffix: CORP}", "no dot"},
		{"network", "- {name: a, networks: [10.2.0.0]}", "10.2.0.0/16"},
		{"network twice", "- {name: a, networks: [10.2.0.0/16]}\n  - {name: b, networks: [10.2.3.0/16]}", "that of a already"},
		{"unknown key", "- {name: a, upnsuffix: x.example}", `did you mean "upn_suffix"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Sources{File: write(t, "print_providers:\n  "+tt.yaml+"\n")})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
