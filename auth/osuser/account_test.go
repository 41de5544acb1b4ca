package osuser

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
)

func TestParse(t *testing.T) {
	const host = "PC-0815"
	tests := []struct {
		name, goos, raw, host string
		kind                  usermap.Kind
		domain, short         string
	}{
		{"domain account", "windows", `CORP\alex.test`, host, usermap.KindDomain, "CORP", "alex.test"},
		{"local account", "windows", `PC-0815\alex`, host, usermap.KindLocal, "PC-0815", "alex"},
		{"local account, case", "windows", `pc-0815\alex`, host, usermap.KindLocal, "pc-0815", "alex"},
		{"local account, host with domain", "windows", `PC-0815\alex`, "pc-0815.corp.example.org", usermap.KindLocal, "PC-0815", "alex"},
		{"local account, name cut to 15 bytes", "windows", `ENGINEERING-LAP\alex`, "engineering-laptop-17", usermap.KindLocal, "ENGINEERING-LAP", "alex"},
		{"not the cut name", "windows", `ENGINEERING\alex`, "engineering-laptop-17", usermap.KindDomain, "ENGINEERING", "alex"},
		{"this computer as a dot", "windows", `.\alex`, host, usermap.KindLocal, ".", "alex"},
		{"A1_47 Entra account", "windows", `AzureAD\AlexTest`, host, usermap.KindAzureAD, "AzureAD", "AlexTest"},
		{"consumer account", "windows", `MicrosoftAccount\alex@outlook.example`, host, usermap.KindLocal, "MicrosoftAccount", "alex@outlook.example"},
		{"UPN typed", "windows", "alex.test@example.org", host, usermap.KindUnknown, "", "alex.test@example.org"},
		{"A1_31 bare name", "windows", "alex.test", host, usermap.KindUnknown, "", "alex.test"},
		{"plus is no separator on Windows", "windows", "a+b", host, usermap.KindUnknown, "", "a+b"},
		{"second backslash belongs to the name", "windows", `CORP\a\b`, host, usermap.KindDomain, "CORP", `a\b`},
		{"no domain before the backslash", "windows", `\alex`, host, usermap.KindUnknown, "", `\alex`},
		{"no name behind the backslash", "windows", `CORP\`, host, usermap.KindUnknown, "", `CORP\`},

		{"A1_31 plain name", "linux", "alex", "pc7", usermap.KindUnknown, "", "alex"},
		{"winbind", "linux", `CORP\alex`, "pc7", usermap.KindDomain, "CORP", "alex"},
		{"winbind with another separator", "linux", "CORP+alex", "pc7", usermap.KindDomain, "CORP", "alex"},
		{"SSSD full name", "linux", "alex@corp.example.org", "pc7", usermap.KindDomain, "corp.example.org", "alex"},
		{"SSSD, the name is an address", "linux", "alex@example.org@corp.example.org", "pc7", usermap.KindDomain, "corp.example.org", "alex@example.org"},
		{"plus in an address", "linux", "alex+test@corp.example.org", "pc7", usermap.KindDomain, "corp.example.org", "alex+test"},
		{"the host as realm", "linux", "alex@pc7", "pc7", usermap.KindLocal, "pc7", "alex"},
		{"winbind's own accounts", "linux", `PC7\alex`, "pc7", usermap.KindLocal, "PC7", "alex"},
		{"nothing behind the @", "linux", "alex@", "pc7", usermap.KindUnknown, "", "alex@"},
		{"nothing before the plus", "linux", "+alex", "pc7", usermap.KindUnknown, "", "+alex"},
		{"space around", "linux", " alex \n", "pc7", usermap.KindUnknown, "", "alex"},
		{"no name", "linux", "", "pc7", usermap.KindUnknown, "", ""},
		{"no host known", "linux", `CORP\alex`, "", usermap.KindDomain, "CORP", "alex"},

		{"macOS plain", "darwin", "alex", "Alexs-Mac.local", usermap.KindUnknown, "", "alex"},
		{"macOS, domain in the name", "darwin", `CORP\alex`, "mac7", usermap.KindDomain, "CORP", "alex"},
		{"macOS, plus belongs to the name", "darwin", "a+b", "mac7", usermap.KindUnknown, "", "a+b"},
		{"macOS, realm", "darwin", "alex@corp.example.org", "mac7", usermap.KindDomain, "corp.example.org", "alex"},
	}
	for _, tt := range tests {
		t.Run(tt.goos+" "+tt.name, func(t *testing.T) {
			want := Account{Raw: tt.raw, Kind: tt.kind, Domain: tt.domain, Name: tt.short, Hostname: tt.host}
			if diff := cmp.Diff(want, Parse(tt.raw, tt.host, tt.goos)); diff != "" {
				t.Errorf("Parse(%q, %q, %q) (-want +got):\n%s", tt.raw, tt.host, tt.goos, diff)
			}
		})
	}
}

func TestEntraSIDTellsTheObjectIDWhateverTheName(t *testing.T) {
	a := Parse(`CORP\alex`, "PC-0815", "windows").withSID("S-1-12-1-1943430372-1249052806-2496021943-3034400218")
	if a.Kind != usermap.KindAzureAD || a.EntraID != "73d664e4-0886-4a73-b745-c694da45ddb4" {
		t.Errorf("got kind %q, id %q", a.Kind, a.EntraID)
	}
	a = Parse(`CORP\alex`, "PC-0815", "windows").withSID("S-1-5-21-1-2-3-1104")
	if a.Kind != usermap.KindDomain || a.EntraID != "" || a.Key() != "S-1-5-21-1-2-3-1104" {
		t.Errorf("got kind %q, id %q, key %q", a.Kind, a.EntraID, a.Key())
	}
}

func TestFactsCarryEverythingThatNamesThePerson(t *testing.T) {
	a := Account{
		Raw: `CORP\alex`, Kind: usermap.KindDomain, Domain: "CORP", Name: "alex", UPN: "alex.test@example.org", SID: "S-1-5-21-1-2-3-1104",
		Hostname: "PC-7", JoinDomain: "CORP", JoinRealm: "corp.example.org", DisplayName: "Alex Test",
	}
	want := usermap.Facts{
		Kind: usermap.KindDomain, Domain: "CORP", Name: "alex", UPN: "alex.test@example.org", SID: "S-1-5-21-1-2-3-1104",
		Hostname: "PC-7", JoinDomain: "CORP", JoinRealm: "corp.example.org",
	}
	if diff := cmp.Diff(want, a.Facts()); diff != "" {
		t.Errorf("Facts() (-want +got):\n%s", diff)
	}
}

func TestMacOSDirectoryNodes(t *testing.T) {
	tests := []struct {
		name, dscl string
		want       Account
	}{
		{"local", "AppleMetaNodeLocation: /Local/Default\n", Account{Kind: usermap.KindLocal}},
		{
			"network account", "AppleMetaNodeLocation:\n /Active Directory/CORP/corp.example.org\nNo such key: OriginalNodeName\n",
			Account{Kind: usermap.KindDomain, JoinDomain: "CORP", JoinRealm: "corp.example.org"},
		},
		{
			"mobile account", "AppleMetaNodeLocation: /Local/Default\nOriginalNodeName:\n /Active Directory/CORP/All Domains\n",
			Account{Kind: usermap.KindDomain, JoinDomain: "CORP"},
		},
		{"another directory", "AppleMetaNodeLocation: /LDAPv3/ldap.example.org\n", Account{}},
		{"no answer", "", Account{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Account{}.withNodes(tt.dscl)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressesAreOfTheNetworkOnly(t *testing.T) {
	for _, addr := range Addresses() {
		if !addr.IsValid() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
			t.Errorf("Addresses() has %v", addr)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{`CORP\alex`, "alex@corp.example.org", "CORP+alex", `AzureAD\Alex`, `.\a`, `\`, "@", "+"} {
		f.Add(raw, "PC-7", "windows")
		f.Add(raw, "pc7", "linux")
	}
	f.Fuzz(func(t *testing.T, raw, host, goos string) {
		a := Parse(raw, host, goos)
		if a.Raw != raw || a.UPN != "" || a.SID != "" {
			t.Errorf("Parse(%q) made something up: %+v", raw, a)
		}
		if (a.Domain == "") != (a.Kind == usermap.KindUnknown) {
			t.Errorf("Parse(%q): domain %q has the kind %q", raw, a.Domain, a.Kind)
		}
	})
}
