package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings"
)

// fakeRegistry is a registry with these keys; a nil one cannot be read.
type fakeRegistry map[string]map[string]string

func (r fakeRegistry) Values(key string) (map[string]string, error) {
	if values, ok := r[key]; ok && values == nil {
		return nil, fs.ErrPermission
	}
	return r[key], nil
}

func reader(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		text, ok := files[path]
		switch {
		case !ok:
			return nil, fs.ErrNotExist
		case text == "DENIED":
			return nil, fs.ErrPermission
		}
		return []byte(text), nil
	}
}

// told is every value that is not the default, "VALUE | ORIGIN", with what it overrides in the following lines.
func told(t *testing.T, list []Source) map[string]string {
	t.Helper()
	values, warnings := Find(t.Context(), Set{Ordered: list})
	if len(warnings) > 0 {
		t.Errorf("warnings %v", warnings)
	}
	got := map[string]string{}
	for _, v := range values {
		if v.Origin.Kind == KindDefault {
			continue
		}
		text := v.Text + " | " + v.Origin.String()
		for _, o := range v.Overrides {
			text += "\n" + o.Text + " | " + o.Origin.String()
		}
		got[v.Name] = text
	}
	return got
}

func TestE9_LinuxOrderOfStrength(t *testing.T) {
	c := Computer{
		GOOS: "linux", Config: "/home/alex/.config", Flags: map[string]string{"language": "es"}, Env: map[string]string{"PLATEN_LANGUAGE": "fr", "PLATEN_ENROL": "no"},
		ReadFile: reader(map[string]string{"/home/alex/.config/platen/platen.conf": "UPNSuffix=user.example.org\nServerURL=https://user.example.org"}),
		ReadShared: reader(map[string]string{
			"/etc/platen/policy.conf":      "ServerURL=https://policy.example.org\n",
			"/etc/platen/recommended.conf": "UPNSuffix=recommended.example.org\nLowBalance=3.00\n",
			"/etc/platen/platen.conf":      "LowBalance=2.00\nAutoStart=no\nServerURL=https://policy.example.org\n",
			"/etc/platen/site.conf":        "AutoStart=yes\nDeviceRole=shared\nServerURL=https://site.example.org\n",
			"/etc/platen/installer-file":   "platen--name.example.org.deb",
		}),
	}
	want := map[string]string{
		"ServerURL": "https://policy.example.org | policy /etc/platen/policy.conf:1" +
			"\nhttps://user.example.org | user file /home/alex/.config/platen/platen.conf:2\nhttps://site.example.org | site file /etc/platen/site.conf:3",
		"Language":   "es | flag --language\nfr | environment PLATEN_LANGUAGE",
		"Enrol":      "no | environment PLATEN_ENROL",
		"UPNSuffix":  "user.example.org | user file /home/alex/.config/platen/platen.conf:1\nrecommended.example.org | recommended /etc/platen/recommended.conf:1",
		"LowBalance": "3.00 | recommended /etc/platen/recommended.conf:2\n2.00 | machine file /etc/platen/platen.conf:1",
		"AutoStart":  "no | machine file /etc/platen/platen.conf:2\nyes | site file /etc/platen/site.conf:1",
		"DeviceRole": "shared | site file /etc/platen/site.conf:2",
	}
	if diff := cmp.Diff(want, told(t, Person(c))); diff != "" {
		t.Errorf("a person's (-want +got):\n%s", diff)
	}
	// The service hears nothing of the person.
	want = map[string]string{
		"ServerURL":  "https://policy.example.org | policy /etc/platen/policy.conf:1\nhttps://site.example.org | site file /etc/platen/site.conf:3",
		"UPNSuffix":  "recommended.example.org | recommended /etc/platen/recommended.conf:1",
		"LowBalance": want["LowBalance"], "AutoStart": want["AutoStart"], "DeviceRole": want["DeviceRole"],
	}
	if diff := cmp.Diff(want, told(t, Machine(c))); diff != "" {
		t.Errorf("the service's (-want +got):\n%s", diff)
	}
}

func TestE9_WindowsOrderOfStrength(t *testing.T) {
	c := Computer{
		GOOS: "windows", Config: `C:\Users\alex\AppData\Roaming`, Shared: `C:\ProgramData`,
		ReadFile:   reader(map[string]string{`C:\Users\alex\AppData\Roaming\Platen\platen.conf`: "Language=de"}),
		ReadShared: reader(map[string]string{`C:\ProgramData\Platen\platen.conf`: "AuthMode=prompt"}),
		Registry: fakeRegistry{
			settings.RegistryPolicyMachine:                  {"HideBalance": "1"},
			settings.RegistryPolicyUser:                     {"HideBalance": "0", "ServerURL": "https://hkcu.example.org"},
			settings.RegistryPolicyMachine + `\Recommended`: {"Language": "fr", "UPNSuffix": "hklm.example.org"},
			settings.RegistryPolicyUser + `\Recommended`:    {"UPNSuffix": "hkcu.example.org"},
			settings.RegistryInstaller: {
				"ServerURL": "https://property.example.org", "AuthMode": "browser", "Version": "1.2.3", "Enrol": "0",
				"InstallerFile": `C:\Windows\ccmcache\4\platen--name.example.org.msi`,
			},
		},
	}
	const policies = `HKLM\Software\Policies\Platen`
	want := map[string]string{
		"ServerURL": `https://hkcu.example.org | policy HKCU\Software\Policies\Platen` + "\n" + `https://property.example.org | installer HKLM\Software\Platen` +
			"\n" + `https://name.example.org | package name HKLM\Software\Platen\InstallerFile`,
		"HideBalance": "1 | policy " + policies + "\n" + `0 | policy HKCU\Software\Policies\Platen`,
		"Language":    `de | user file C:\Users\alex\AppData\Roaming\Platen\platen.conf:1` + "\nfr | recommended " + policies + `\Recommended`,
		"UPNSuffix":   `hklm.example.org | recommended ` + policies + `\Recommended` + "\n" + `hkcu.example.org | recommended HKCU\Software\Policies\Platen\Recommended`,
		"AuthMode":    `prompt | machine file C:\ProgramData\Platen\platen.conf:1` + "\n" + `browser | installer HKLM\Software\Platen`,
		"Enrol":       `0 | installer HKLM\Software\Platen`,
	}
	if diff := cmp.Diff(want, told(t, Person(c))); diff != "" {
		t.Errorf("a person's (-want +got):\n%s", diff)
	}
	want = map[string]string{
		"ServerURL":   `https://property.example.org | installer HKLM\Software\Platen`,
		"HideBalance": "1 | policy " + policies,
		"Language":    "fr | recommended " + policies + `\Recommended`,
		"UPNSuffix":   `hklm.example.org | recommended ` + policies + `\Recommended`,
		"AuthMode":    want["AuthMode"], "Enrol": want["Enrol"],
	}
	if diff := cmp.Diff(want, told(t, Machine(c))); diff != "" {
		t.Errorf("the service's (-want +got):\n%s", diff)
	}
}

func TestE9_MacOrderOfStrength(t *testing.T) {
	c := Computer{
		GOOS: "darwin", Config: "/Users/alex/Library/Application Support", Shared: "/Library/Application Support", UserName: "alex",
		ReadFile: reader(nil),
		ReadShared: reader(map[string]string{
			"/Library/Application Support/Platen/platen.conf":    "Language=de\nServerURL=https://file.example.org",
			"/Library/Application Support/Platen/installer-file": "/Users/alex/Downloads/platen-1.2.3--name.example.org--8443.pkg\n",
		}),
		Plist: func(path string) ([]Managed, error) {
			switch path {
			case "/Library/Managed Preferences/alex/org.platenprint.platen.plist":
				return []Managed{{Name: "HideBalance", Text: "true"}}, nil
			case "/Library/Managed Preferences/org.platenprint.platen.plist":
				return []Managed{{Name: "PayloadUUID", Text: "x"}, {Name: "DeviceRole", Text: "shared"}, {Name: "Defaults", Dict: []Managed{{Name: "Language", Text: "fr"}}}}, nil
			}
			return nil, fs.ErrNotExist
		},
	}
	const file, managed = "/Library/Application Support/Platen/platen.conf", "/Library/Managed Preferences/org.platenprint.platen.plist"
	want := map[string]string{
		"ServerURL":   "https://file.example.org | machine file " + file + ":2\nhttps://name.example.org:8443 | package name /Library/Application Support/Platen/installer-file",
		"HideBalance": "true | policy /Library/Managed Preferences/alex/org.platenprint.platen.plist",
		"DeviceRole":  "shared | policy " + managed,
		"Language":    "fr | recommended " + managed + "\nde | machine file " + file + ":1",
	}
	if diff := cmp.Diff(want, told(t, Person(c))); diff != "" {
		t.Errorf("a person's (-want +got):\n%s", diff)
	}
	delete(want, "HideBalance")
	want["ServerURL"] = "https://file.example.org | machine file " + file + ":2"
	if diff := cmp.Diff(want, told(t, Machine(c))); diff != "" {
		t.Errorf("the service's (-want +got):\n%s", diff)
	}
}

func TestE9_ThePinOfThePackagesNameBelongsToItsServer(t *testing.T) {
	const file = "platen--name.example.org--8443--47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.msi"
	const from = ` | package name HKLM\Software\Platen\InstallerFile`
	for name, tc := range map[string]struct {
		policy, want map[string]string
	}{
		"nothing else": {nil, map[string]string{"ServerURL": "https://name.example.org:8443" + from, "CAPin": onePin + from}},
		"a policy names a server": {
			map[string]string{"ServerURL": "https://policy.example.org"},
			map[string]string{"ServerURL": `https://policy.example.org | policy HKLM\Software\Policies\Platen` + "\nhttps://name.example.org:8443" + from},
		},
		"a policy says whom to trust": {
			map[string]string{"CAFile": `C:\ca.pem`},
			map[string]string{"CAFile": `C:\ca.pem | policy HKLM\Software\Policies\Platen`, "ServerURL": "https://name.example.org:8443" + from},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := Computer{GOOS: "windows", ReadFile: reader(nil), Registry: fakeRegistry{
				settings.RegistryPolicyMachine: tc.policy, settings.RegistryInstaller: {"InstallerFile": file},
			}}
			if tc.policy == nil {
				c.Registry = fakeRegistry{settings.RegistryInstaller: {"InstallerFile": file}}
			}
			if diff := cmp.Diff(tc.want, told(t, Person(c))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			values, _ := Find(t.Context(), Set{Ordered: Person(c)})
			if v := values.Get("ServerURL"); v.Origin.Unconfirmed() != (v.Origin.Kind == KindPackageName) {
				t.Errorf("%v: unconfirmed %v", v.Origin, v.Origin.Unconfirmed())
			}
		})
	}
	t.Run("a name that was mangled tells nothing and is warned of", func(t *testing.T) {
		c := Computer{GOOS: "windows", ReadFile: reader(nil), Registry: fakeRegistry{settings.RegistryInstaller: {"InstallerFile": strings.Replace(file, "hSuFU", "hSuF", 1)}}}
		values, warnings := Find(t.Context(), Set{Ordered: Person(c)})
		if values.Get("ServerURL").Text != "" || len(warnings) != 1 || !strings.Contains(warnings[0].String(), "file name names no usable server") {
			t.Errorf("got %v, warnings %v", values.Get("ServerURL"), warnings)
		}
	})
}

func TestWhatCannotBeReadIsNotPassedOver(t *testing.T) {
	c := Computer{GOOS: "linux", ReadFile: reader(nil), ReadShared: reader(map[string]string{
		"/etc/platen/policy.conf": "CAPin=" + onePin, "/etc/platen/recommended.conf": "DENIED", "/etc/platen/platen.conf": "ServerURL=https://weaker.example.org\nEnrol=no",
	})}
	values, warnings := Find(t.Context(), Set{Ordered: Machine(c)})
	if v := values.Get("ServerURL"); v.Text != "" || v.Problem == "" || v.Origin.Kind != KindRecommended {
		t.Errorf("got %+v", v)
	}
	if v := values.Get("CAPin"); v.Text != onePin || v.Problem != "" {
		t.Errorf("a stronger source does not depend on it: %+v", v)
	}
	if values.Get("Enrol").Text != "no" || len(warnings) != 1 {
		t.Errorf("got %+v, warnings %v", values.Get("Enrol"), warnings)
	}
	for _, name := range []string{"CAFile", "AuthMode"} {
		if v := values.Get(name); v.Problem == "" || v.Origin.Kind != KindRecommended {
			t.Errorf("what was said of %s is not known: %+v", name, v)
		}
	}
	c.ReadShared = reader(map[string]string{"/etc/platen/policy.conf": "ServerURL=https://a.example.org", "/etc/platen/platen.conf": "DENIED", "/etc/platen/site.conf": "CAPin=" + onePin})
	if values, _ := Find(t.Context(), Set{Ordered: Machine(c)}); values.Get("CAPin").Problem == "" || values.Get("CAPin").Text != "" || values.Get("ServerURL").Problem != "" {
		t.Errorf("whom to trust is not known: %+v", values.Get("CAPin"))
	}
	failing := Computer{GOOS: "linux", ReadFile: func(string) ([]byte, error) { return nil, errors.New("disk on fire") }}
	if values, _ := Find(t.Context(), Set{Ordered: Machine(failing)}); values.Get("AuthMode").Problem == "" {
		t.Error("an input error was passed over")
	}
}

func TestAFileThatAUserPutInAnAdministratorsPlaceIsNotThere(t *testing.T) {
	c := Computer{
		GOOS: "windows", Shared: `C:\ProgramData`, ReadFile: reader(nil), Registry: fakeRegistry{settings.RegistryInstaller: {"ServerURL": "https://set.example.org"}},
		ReadShared: func(path string) ([]byte, error) {
			return nil, fmt.Errorf("open %s: %w: it belongs to S-1-5-21-1", path, errStranger)
		},
	}
	for name, list := range map[string][]Source{"person": Person(c), "service": Machine(c)} {
		values, warnings := Find(t.Context(), Set{Ordered: list})
		if v := values.Get("ServerURL"); v.Text != "https://set.example.org" || v.Problem != "" || values.Get("CAPin").Problem != "" {
			t.Errorf("%s: %+v", name, v)
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0].String(), "it belongs to S-1-5-21-1; it does not count") {
			t.Errorf("%s: warnings %v", name, warnings)
		}
	}
}
