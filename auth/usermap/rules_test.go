package usermap_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
)

func TestParseSuffix(t *testing.T) {
	tests := []struct {
		in   string
		want usermap.Suffix
	}{
		{"example.org", "example.org"},
		{"@example.org", "example.org"},
		{" Example.org. ", "example.org"},
		{"@SALES.Example.ORG", "sales.example.org"},
		{"xn--mller-kva.example", "xn--mller-kva.example"},
		{"müller.example", "müller.example"},
		{"ｅｘａｍｐｌｅ.org", "example.org"},
		{"a-b.example", "a-b.example"},
	}
	for _, tt := range tests {
		if got, err := usermap.ParseSuffix(tt.in); got != tt.want || err != nil {
			t.Errorf("ParseSuffix(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestABadSuffixSaysWhatToWrite(t *testing.T) {
	tests := []struct{ in, problem string }{
		{"", "is empty"},
		{"@", "is empty"},
		{" . ", "is empty"},
		{"CORP", "has no dot"},
		{"alex@example.org", "is a whole address"},
		{"@@example.org", "is a whole address"},
		{"https://print.example.org", "is a web address"},
		{`CORP\example.org`, `has a \ or /`},
		{"10.1.0.0/16", `has a \ or /`},
		{"example..org", "two dots"},
		{".example.org", "two dots"},
		{"exam ple.org", "has the character ' '"},
		{"-a.example", "begins or ends with a hyphen"},
		{"ex*mple.org", "has the character '*'"},
		{"exаmple.org", "look alike"}, // Cyrillic а
		{strings.Repeat("a", 64) + ".org", "longer than 63 bytes"},
		{strings.Repeat("a.", 127) + "org", "longer than 253 bytes"},
	}
	for _, tt := range tests {
		got, err := usermap.ParseSuffix(tt.in)
		if got != "" || !errors.Is(err, usermap.ErrBadRule) {
			t.Errorf("ParseSuffix(%q) = %q, %v; want an error", tt.in, got, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "for example example.org") {
			t.Errorf("ParseSuffix(%q): %v; want it to say %q and what to write", tt.in, err, tt.problem)
		}
	}
}

func TestParseRules(t *testing.T) {
	prefix := netip.MustParsePrefix
	tests := []struct {
		name, in string
		want     usermap.Rules
		text     string
	}{
		{name: "none", in: " ; ", want: usermap.Rules{}, text: ""},
		{name: "A1_31 one suffix for everybody", in: "@example.org", want: usermap.Rules{Global: "example.org"}, text: "example.org"},
		{name: "the same twice", in: "example.org; *=example.org", want: usermap.Rules{Global: "example.org"}, text: "example.org"},
		{
			name: "A1_33 domains, networks, everybody",
			in:   "CORP=example.org; SALES=sales.example.org; 10.1.0.0/16=lab.example.org; example.net",
			want: usermap.Rules{
				Domains: map[string]usermap.Suffix{"corp": "example.org", "sales": "sales.example.org"},
				Subnets: []usermap.SubnetRule{{Prefix: prefix("10.1.0.0/16"), Suffix: "lab.example.org"}},
				Global:  "example.net",
			},
			text: "corp=example.org; sales=sales.example.org; 10.1.0.0/16=lab.example.org; example.net",
		},
		{
			name: "other separators and space", in: "corp.local. = @Example.org,\n 10.1.2.3/8=a.example\r\n192.0.2.7=b.example;2001:db8::/32=c.example;",
			want: usermap.Rules{
				Domains: map[string]usermap.Suffix{"corp.local": "example.org"},
				Subnets: []usermap.SubnetRule{
					{Prefix: prefix("192.0.2.7/32"), Suffix: "b.example"},
					{Prefix: prefix("2001:db8::/32"), Suffix: "c.example"},
					{Prefix: prefix("10.0.0.0/8"), Suffix: "a.example"},
				},
			},
			text: "corp.local=example.org; 192.0.2.7/32=b.example; 2001:db8::/32=c.example; 10.0.0.0/8=a.example",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := usermap.ParseRules(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Domains) == 0 {
				got.Domains = nil
			}
			opt := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
			if diff := cmp.Diff(tt.want, got, opt); diff != "" {
				t.Errorf("ParseRules(%q) (-want +got):\n%s", tt.in, diff)
			}
			if got.String() != tt.text || got.Empty() != (tt.text == "") {
				t.Errorf("String() = %q, Empty() = %v; want %q", got.String(), got.Empty(), tt.text)
			}
			again, err := usermap.ParseRules(got.String())
			if err != nil || again.String() != got.String() {
				t.Errorf("read again: %q, %v", again.String(), err)
			}
		})
	}
}

func TestABadRuleIsNamed(t *testing.T) {
	for in, want := range map[string]string{
		"CORP=":                                     "is empty",
		"CORP=example":                              "has no dot",
		"=example.org":                              "neither a domain nor a network",
		`CORP\=example.org`:                         "neither a domain nor a network",
		"CORP X=example.org":                        "neither a domain nor a network",
		"10.1.0.0/33=example.org":                   "neither a domain nor a network",
		"a=b=example.org":                           "has the character '='",
		"example.org; example.net":                  "both \"example.org\" and \"example.net\" are given for everybody",
		"CORP=example.org;corp=b.example":           "the domain corp has two suffixes",
		"10.0.0.0/8=a.example,10.1.1.1/8=b.example": "the network 10.0.0.0/8 has two suffixes",
	} {
		rules, err := usermap.ParseRules(in)
		if !errors.Is(err, usermap.ErrBadRule) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRules(%q) = %v, %v; want an error with %q", in, rules, err, want)
		}
	}
}
