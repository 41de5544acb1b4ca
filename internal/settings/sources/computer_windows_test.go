package sources

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// These tests run on Windows, and under Wine by TestUnderWine.

const testKey = `Software\PlatenSourcesTest`

func makeKey(t *testing.T, root registry.Key) registry.Key {
	t.Helper()
	k, _, err := registry.CreateKey(root, testKey, registry.ALL_ACCESS|registry.WOW64_64KEY)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skip("needs an administrator")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(k.Close(), registry.DeleteKey(root, testKey)); err != nil {
			t.Error(err)
		}
	})
	return k
}

func TestRegistryValuesBecomeTexts(t *testing.T) {
	k := makeKey(t, registry.CURRENT_USER)
	if err := errors.Join(
		k.SetStringValue("ServerURL", "https://print.example.org"),
		k.SetExpandStringValue("CAFile", `%ProgramData%\ca.pem`),
		k.SetDWordValue("AutoStart", 0),
		k.SetQWordValue("HideBalance", 1),
		k.SetStringsValue("SharedOSUsers", []string{"lab", "kiosk"}),
		k.SetBinaryValue("LowBalance", []byte{1, 2}),
		k.SetStringValue("", "the key's own"),
	); err != nil {
		t.Fatal(err)
	}
	got, err := winRegistry{}.Values(`HKCU\` + testKey)
	want := map[string]string{
		"ServerURL": "https://print.example.org", "CAFile": `%ProgramData%\ca.pem`, "AutoStart": "0", "HideBalance": "1", "SharedOSUsers": "lab,kiosk",
		"LowBalance": "", "": "the key's own",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := (winRegistry{}).Values(`HKLM\` + testKey + `\none`); err != nil || len(got) != 0 {
		t.Errorf("no key: %v, %v", got, err)
	}
}

func TestTheKeyOfTheTokenIsClosed(t *testing.T) {
	k := makeKey(t, registry.LOCAL_MACHINE)
	if err := k.SetStringValue("EnrolmentToken", "canary"); err != nil {
		t.Fatal(err)
	}
	open, err := windows.SecurityDescriptorFromString("D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := open.DACL()
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.SetNamedSecurityInfo(`MACHINE\`+testKey, windows.SE_REGISTRY_KEY, windows.DACL_SECURITY_INFORMATION, nil, nil, list, nil); err != nil {
		t.Fatal(err)
	}
	if said := closeKey(`HKLM\` + testKey); !strings.Contains(said, "until now") {
		t.Errorf("the first time: %q", said)
	}
	if said := closeKey(`HKLM\` + testKey); said != "" {
		t.Errorf("the second time: %q", said)
	}
	found, err := windows.GetNamedSecurityInfo(`MACHINE\`+testKey, windows.SE_REGISTRY_KEY, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if text := found.String(); strings.Contains(text, ";BU)") || strings.Contains(text, ";WD)") || !strings.Contains(text, ";SY)") {
		t.Errorf("the key may be used by %s", text)
	}
	if got, err := (winRegistry{}).Values(`HKLM\` + testKey); err != nil || got["EnrolmentToken"] != "canary" {
		t.Errorf("the service reads %v, %v", got, err)
	}
}

func TestFilesThatOthersMayChangeDoNotCount(t *testing.T) {
	dir, err := os.MkdirTemp("", "platen-sources-") //nolint:usetesting // Wine 8 cannot remove it in the way that Go does, and the prefix goes as a whole
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "platen.conf")
	if err := os.WriteFile(path, []byte("Enrol=no"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := readOwned(path); err != nil || string(text) != "Enrol=no" {
		t.Errorf("ours: %q, %v", text, err)
	}
	set := func(acl string) {
		t.Helper()
		sd, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1f01ff;;;OW)" + acl)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := sd.DACL()
		if err != nil {
			t.Fatal(err)
		}
		if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION,
			nil, nil, list, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, acl := range map[string]string{"everybody may write": "(A;;FA;;;WD)", "everybody may append": "(A;;0x4;;;WD)", "everybody may take it": "(A;;WO;;;WD)"} {
		set(acl)
		if text, err := readOwned(path); err == nil {
			if _, here := os.LookupEnv("WINEPREFIX"); here {
				t.Logf("%s: Wine keeps no such right", name)
				continue
			}
			t.Errorf("%s: %q", name, text)
		}
	}
	set("(A;;FA;;;WD)")
	if _, err := readOwned(filepath.Join(filepath.Dir(path), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := readOwned(filepath.Dir(path)); err == nil {
		t.Error("a folder was read")
	}
}

func TestThisWindows(t *testing.T) {
	c, err := ForService()
	if err != nil {
		t.Fatal(err)
	}
	if c.GOOS != "windows" || c.Registry == nil || c.CloseKey == nil || !strings.Contains(MachineFile(c), `:\ProgramData\Platen\platen.conf`) {
		t.Errorf("got %+v, file %s", c, MachineFile(c))
	}
	if _, warnings := Find(t.Context(), Set{Ordered: Machine(c)}); len(warnings) > 0 {
		t.Errorf("warnings %v", warnings)
	}
	if _, _, _, err := Token(c); err != nil {
		t.Errorf("token: %v", err)
	}
}
