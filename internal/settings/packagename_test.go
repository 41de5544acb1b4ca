package settings

import (
	"encoding/base64"
	"strings"
	"testing"
)

const (
	pinInName = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	pin       = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
)

func TestE9_ThePackagesNameTellsTheServer(t *testing.T) {
	for file, want := range map[string]PackageName{
		"platen--print.example.org.msi":                                                  {Host: "print.example.org"},
		"platen--print.example.org--8443.msi":                                            {Host: "print.example.org", Port: 8443},
		"platen--print.example.org--8443--" + pinInName + ".msi":                         {"print.example.org", 8443, pin},
		"platen--print.example.org--" + pinInName + ".pkg":                               {"print.example.org", 0, pin},
		`C:\Users\al ex\Downloads\platen-1.2.3-x64--print.example.org (1).msi`:           {Host: "print.example.org"},
		"/Users/alex/Downloads/platen-1.2.3--Print.Example.org--8443-2.pkg":              {Host: "print.example.org", Port: 8443},
		"platen--print.example.org--8443--" + pinInName + " (12).msi":                    {"print.example.org", 8443, pin},
		"platen--print.example.org--8443--" + pinInName + "-2.pkg":                       {"print.example.org", 8443, pin},
		"platen--PRINT.example.org--8443--" + pinInName + ".msi":                         {"print.example.org", 8443, pin},
		"platen_1.2.3~rc.1_amd64--print.example.org.deb":                                 {Host: "print.example.org"},
		"Platen-1.2.3-rc.1--print.example.org--443.msi.msi":                              {Host: "print.example.org", Port: 443},
		"platen--print.example.org.msi.MSI":                                              {Host: "print.example.org"},
		"platen--print.example.org%20(1).msi":                                            {Host: "print.example.org"},
		"platen--print.example.org(3).msi":                                               {Host: "print.example.org"},
		"platen--print.example.org%5B1%5D.msi":                                           {Host: "print.example.org"},
		"platen--print.example.org_(1).msi":                                              {Host: "print.example.org"},
		"platen--print.example.org+(1).msi":                                              {Host: "print.example.org"},
		"platen--print.example.org - Kopie (2).msi":                                      {Host: "print.example.org"},
		"platen--print.example.org 2.pkg":                                                {Host: "print.example.org"},
		"platen--print.example.org-2.pkg":                                                {Host: "print.example.org"},
		"platen--print.example.org..msi":                                                 {Host: "print.example.org"},
		"platen--print.msi":                                                              {Host: "print"},
		"platen--print-2.msi":                                                            {Host: "print-2"},
		"platen--10.1.2.3--8443.msi":                                                     {Host: "10.1.2.3", Port: 8443},
		"platen--xn--drucker-8db.example.org--8443.msi":                                  {Host: "xn--drucker-8db.example.org", Port: 8443},
		"platen--a-b.example.org.rpm":                                                    {Host: "a-b.example.org"},
		"platen--print.example.org":                                                      {Host: "print.example.org"},
		"C%3A%5CUsers%5Calex%5Cplaten--print.example.org.msi":                            {Host: "print.example.org"},
		"platen--" + strings.Repeat("a", 63) + ".example.org.msi":                        {Host: strings.Repeat("a", 63) + ".example.org"},
		"platen--print.example.org--8443--" + strings.Repeat("-", 42) + "4" + ".msi.pkg": {"print.example.org", 8443, stdPin(t, strings.Repeat("-", 42)+"4")},
	} {
		got, told, err := ParsePackageName(file)
		if err != nil || !told || got != want {
			t.Errorf("%s: got %+v, %v, %v; want %+v", file, got, told, err, want)
		}
	}
}

func stdPin(t *testing.T, name string) string {
	t.Helper()
	sum, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil {
		t.Fatal(err)
	}
	return "sha256/" + base64.StdEncoding.EncodeToString(sum)
}

func TestNamesThatTellNothing(t *testing.T) {
	for _, file := range []string{"", "platen.msi", "platen-1.2.3-x64.msi", "platen-1.2.3-x64 (1).msi", "other--print.example.org.msi", "platen-server--x.deb", "1--2", "--print.example.org.msi"} {
		if p, told, err := ParsePackageName(file); told || err != nil || p != (PackageName{}) {
			t.Errorf("%q: got %+v, %v, %v", file, p, told, err)
		}
	}
}

func TestHostileAndBrokenNamesAreRefusedWhole(t *testing.T) {
	for _, file := range []string{
		"platen--.msi", "platen--print.example.org--0.msi", "platen--print.example.org--65536.msi", "platen--print.example.org--port.msi",
		"platen--print.example.org--8443--" + pinInName[:42] + ".msi", // a pin that was cut must not become none
		"platen--print.example.org--8443--" + pinInName + "x.msi",
		"platen--print.example.org--8443--" + pinInName[:42] + "V.msi", // bits that no hash has
		"platen--print_1.example.org.msi", "platen--user@evil.example.msi", "platen--print.example.org:8443.msi",
		"platen--print..example.org.msi", "platen--.example.org.msi", "platen--pr\u0131nt.example.org.msi", "platen--print\u200b.example.org.msi",
		"platen--print.example.org\x00.evil.msi", "platen--print.example.org?x.msi", "platen--print.example.org--8443--x--y.msi",
		"platen--" + strings.Repeat("a.", 200) + "org.msi", "platen--" + strings.Repeat("a", 5000),
	} {
		if p, told, err := ParsePackageName(file); err == nil || !told || p != (PackageName{}) {
			t.Errorf("%q: got %+v, %v, %v; want it refused", file, p, told, err)
		}
	}
}

func TestPackagesAreNamedForAServer(t *testing.T) {
	for _, tc := range []struct {
		p          PackageName
		file, want string
	}{
		{PackageName{Host: "print.example.org"}, "platen-1.2.3-x64.msi", "platen-1.2.3-x64--print.example.org.msi"},
		{PackageName{"print.example.org", 8443, pin}, "platen-1.2.3.pkg", "platen-1.2.3--print.example.org--8443--" + pinInName + ".pkg"},
		{PackageName{"print.example.org", 0, pin}, "platen.msi", "platen--print.example.org--443--" + pinInName + ".msi"},
	} {
		if got, err := tc.p.FileName(tc.file); err != nil || got != tc.want {
			t.Errorf("got %q, %v; want %q", got, err, tc.want)
		}
	}
	for _, p := range []PackageName{{Host: "Print.example.org"}, {Host: "::1"}, {Host: "print.example.org", Pin: "sha256/x"}, {Host: "a b"}, {}} {
		if got, err := p.FileName("platen.msi"); err == nil {
			t.Errorf("%+v: got %q", p, got)
		}
	}
}

func FuzzParsePackageName(f *testing.F) {
	for _, file := range []string{"platen--print.example.org--8443--" + pinInName + " (1).msi", "platen-1.2.3--xn--a.b-2%20.pkg", `C:\platen--A--1.msi.msi`, "platen----.msi"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		p, told, err := ParsePackageName(file)
		if err != nil || !told {
			if p != (PackageName{}) {
				t.Fatalf("%q: got %+v beside %v, %v", file, p, told, err)
			}
			return
		}
		u, err := ParseOrigin(p.ServerURL())
		if err != nil || u.Hostname() != p.Host || u.String() != p.ServerURL() {
			t.Fatalf("%q: %q is no server (%v)", file, p.ServerURL(), err)
		}
		name, err := p.FileName("platen.msi")
		if err != nil {
			t.Fatalf("%q: %+v cannot be written: %v", file, p, err)
		}
		if p.Port == 0 && p.Pin != "" {
			p.Port = 443
		}
		if back, _, err := ParsePackageName(name); err != nil || back != p {
			t.Fatalf("%q: %+v becomes %q, which is %+v, %v", file, p, name, back, err)
		}
	})
}
