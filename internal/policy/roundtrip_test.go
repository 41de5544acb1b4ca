package policy_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/internal/settings/sources/plist"
)

func siteProfile() policy.Profile {
	return policy.Profile{
		Host: "print.example.org", Organisation: "Example & <Sons>", Enforced: values(), Recommended: values()[10:12], Token: secret.New("print.example.org:8445~plt_e_x"),
		TeamID: "ABCDE12345", Labels: []string{"org.platenprint.platen", "org.platenprint.deploy"}, Bundle: "org.platenprint.platen",
	}
}

// found is what the client reads from a computer, by setting: only what somebody set.
func found(t *testing.T, list []sources.Source) (map[string]string, map[string]sources.Kind) {
	t.Helper()
	read, warnings := sources.Find(t.Context(), sources.Set{Ordered: list})
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	texts, kinds := map[string]string{}, map[string]sources.Kind{}
	for _, v := range read {
		if v.Origin.Kind != sources.KindDefault {
			texts[v.Name], kinds[v.Name] = v.Text, v.Origin.Kind
		}
	}
	return texts, kinds
}

// same checks that what was read means the same as what was written.
func same(t *testing.T, want []policy.Value, got map[string]string) {
	t.Helper()
	var list []policy.Value
	for _, v := range want {
		if text, ok := got[v.Name]; ok {
			list = append(list, policy.Value{Name: v.Name, Text: text})
		}
	}
	list, err := policy.Check(list)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, list); diff != "" || len(got) != len(want) {
		t.Errorf("written and read (-written +read), %d read:\n%s", len(got), diff)
	}
}

func noFile(string) ([]byte, error) { return nil, fs.ErrNotExist }

func TestE9_SettingsFilesReadBack(t *testing.T) {
	text, err := policy.Conf("For print.example.org\nServerURL=https://evil.example.org", values())
	if err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]sources.Kind{
		settings.PolicyFile: sources.KindPolicy, settings.RecommendedFile: sources.KindRecommended, settings.MachineFile: sources.KindMachineFile, settings.SiteFile: sources.KindSiteFile,
	} {
		computer := sources.Computer{GOOS: "linux", ReadFile: func(name string) ([]byte, error) {
			if name == path {
				return text, nil
			}
			return noFile(name)
		}}
		got, kinds := found(t, sources.Person(computer))
		same(t, values(), got)
		if kinds["ServerURL"] != kind {
			t.Errorf("%s is a %s", path, kinds["ServerURL"])
		}
	}
}

func TestE9_ProfilesReadBack(t *testing.T) {
	text, err := policy.MobileConfig(siteProfile())
	if err != nil {
		t.Fatal(err)
	}
	payloads := installProfile(t, text)
	computer := sources.Computer{GOOS: "darwin", ReadFile: noFile, Plist: func(path string) ([]sources.Managed, error) {
		name, ok := strings.CutPrefix(path, "/Library/Managed Preferences/")
		p, known := payloads[strings.TrimSuffix(name, ".plist")]
		if !ok || !known {
			return nil, fs.ErrNotExist
		}
		return p, nil
	}}
	for _, list := range [][]sources.Source{sources.Person(computer), sources.Machine(computer)} {
		got, kinds := found(t, list)
		same(t, values(), got)
		if kinds["ServerURL"] != sources.KindPolicy {
			t.Errorf("ServerURL is a %s", kinds["ServerURL"])
		}
	}
	delete(payloads, "org.platenprint.platen")
	p := siteProfile()
	p.Enforced = nil
	if text, err = policy.MobileConfig(p); err != nil {
		t.Fatal(err)
	}
	payloads = installProfile(t, text)
	got, kinds := found(t, sources.Person(computer))
	same(t, p.Recommended, got)
	if kinds["LowBalance"] != sources.KindRecommended {
		t.Errorf("LowBalance is a %s", kinds["LowBalance"])
	}
	if token := payloads["org.platenprint.deploy"]; !slices.ContainsFunc(token, func(m sources.Managed) bool {
		return m.Name == settings.RegistryToken && m.Text == "print.example.org:8445~plt_e_x"
	}) {
		t.Errorf("the service's domain has %v", token)
	}
	if strings.Count(string(text), "plt_e_") != 1 {
		t.Error("the token stands in another place, too")
	}
}

// installProfile does what macOS does with a profile: each payload becomes the managed preferences of its type.
func installProfile(t *testing.T, text []byte) map[string][]sources.Managed {
	t.Helper()
	payloads := map[string][]sources.Managed{}
	_, content, ok := strings.Cut(string(text), "<key>PayloadContent</key>\n\t<array>\n")
	content, _, closed := strings.Cut(content, "\n\t</array>\n")
	if !ok || !closed {
		t.Fatalf("no payloads in %s", text)
	}
	for part := range strings.SplitSeq(content, "\n\t\t</dict>") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		entries, err := plist.Parse([]byte(`<plist version="1.0">` + part + "</dict></plist>"))
		if err != nil {
			t.Fatalf("%v in %s", err, part)
		}
		list := managed(entries)
		i := slices.IndexFunc(list, func(m sources.Managed) bool { return m.Name == "PayloadType" })
		if i < 0 {
			t.Fatalf("a payload without a type: %v", list)
		}
		payloads[list[i].Text] = list
	}
	return payloads
}

func managed(entries []plist.Entry) []sources.Managed {
	var list []sources.Managed
	for _, e := range entries {
		list = append(list, sources.Managed{Name: e.Name, Text: e.Text, Dict: managed(e.Dict)})
	}
	return list
}

// registry is the Windows registry as a .reg file leaves it.
type registry map[string]map[string]string

func (r registry) Values(key string) (map[string]string, error) { return r[key], nil }

func TestE9_RegistryFilesReadBack(t *testing.T) {
	enforced, recommended := values()[:12], values()[12:]
	text, err := policy.Registry(enforced, recommended)
	if err != nil {
		t.Fatal(err)
	}
	computer := sources.Computer{GOOS: "windows", Shared: `C:\ProgramData`, ReadFile: noFile, Registry: imported(t, utf8Of(t, text))}
	got, kinds := found(t, sources.Machine(computer))
	same(t, values(), got)
	if kinds["ServerURL"] != sources.KindPolicy || kinds["LogLevel"] != sources.KindRecommended {
		t.Errorf("ServerURL is a %s, LogLevel a %s", kinds["ServerURL"], kinds["LogLevel"])
	}
}

func utf8Of(t *testing.T, text []byte) []byte {
	t.Helper()
	if !bytes.HasPrefix(text, []byte{0xff, 0xfe}) || len(text)%2 != 0 {
		t.Fatal("the file is not UTF-16 with its mark")
	}
	var units []uint16
	for i := 2; i < len(text); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(text[i:]))
	}
	return []byte(strings.ReplaceAll(string(utf16.Decode(units)), "\r\n", "\n"))
}

// imported reads a .reg file as regedit does.
func imported(t *testing.T, text []byte) registry {
	t.Helper()
	r, key := registry{}, ""
	whole := strings.ReplaceAll(string(text), "\\\n  ", "") // long values go on in the next line
	for line := range strings.SplitSeq(whole, "\n") {
		if name, ok := strings.CutPrefix(line, "["); ok {
			key = strings.Replace(strings.TrimSuffix(name, "]"), `HKEY_LOCAL_MACHINE\`, `HKLM\`, 1)
			r[key] = map[string]string{}
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		name, err := strconv.Unquote(name)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch {
		case strings.HasPrefix(value, "dword:"):
			n, err := strconv.ParseUint(value[6:], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			value = strconv.FormatUint(n, 10)
		case strings.HasPrefix(value, "hex(7):"):
			raw, err := hex.DecodeString(strings.ReplaceAll(value[7:], ",", ""))
			if err != nil {
				t.Fatal(err)
			}
			value = string(utf8Of(t, append([]byte{0xff, 0xfe}, raw...)))
			value = strings.Join(strings.Split(strings.TrimRight(value, "\x00"), "\x00"), ",")
		default:
			value = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`))
		}
		r[key][name] = value
	}
	return r
}

// What Intune is given names the policies as the template does, and has their values.
func TestE9_IntuneSettingsFitTheTemplate(t *testing.T) {
	text, err := policy.Intune("Platen", values(), values())
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ OmaSettings []policy.OMA }
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if config.OmaSettings[0].Value != string(policy.ADMX()) {
		t.Error("the template is not the first")
	}
	policies := map[string]element{}
	for _, p := range parse(t, policy.ADMX()).all("policy") {
		policies["./Device/Vendor/MSFT/Policy/Config/Platen~Policy~Platen~"+p.child("parentCategory").attr("ref")+"/"+p.attr("name")] = p
	}
	got := map[string]string{}
	for _, o := range config.OmaSettings[1:] {
		p, ok := policies[o.URI]
		if !ok {
			t.Errorf("the template has no %s", o.URI)
			continue
		}
		value := parse(t, []byte("<x>"+o.Value+"</x>"))
		name := p.attr("valueName")
		switch elements := p.child("elements").Children; {
		case len(elements) == 0:
			got[name] = map[string]string{"enabled": "yes", "disabled": "no"}[value.Children[0].XMLName.Local]
		default:
			name = elements[0].attr("valueName")
			if data := value.child("data"); data.attr("id") == elements[0].attr("id") {
				got[name] = strings.ReplaceAll(data.attr("value"), "\uf000", ",")
			}
		}
	}
	same(t, values(), got)
}

func TestRenderersCheckWhatTheyWrite(t *testing.T) {
	bad := []policy.Value{{Name: "ServerURL", Text: "https://a\"b"}}
	for name, write := range map[string]func() ([]byte, error){
		"conf":        func() ([]byte, error) { return policy.Conf("", bad) },
		"registry":    func() ([]byte, error) { return policy.Registry(bad, nil) },
		"recommended": func() ([]byte, error) { return policy.Registry(nil, bad) },
		"intune":      func() ([]byte, error) { return policy.Intune("x", nil, bad) },
		"profile":     func() ([]byte, error) { return policy.MobileConfig(policy.Profile{Host: "a", Enforced: bad}) },
		"defaults":    func() ([]byte, error) { return policy.MobileConfig(policy.Profile{Host: "a", Recommended: bad}) },
		"host":        func() ([]byte, error) { return policy.MobileConfig(policy.Profile{Host: "a<b"}) },
		"team":        func() ([]byte, error) { return policy.MobileConfig(policy.Profile{Host: "a", TeamID: "</string>"}) },
	} {
		if text, err := write(); err == nil {
			t.Errorf("%s was written: %s", name, text)
		}
	}
}

// XML has no way to write some characters, and others change how the rest is shown.
func TestAProfileIsReadableWhateverTheOrganisationIsCalled(t *testing.T) {
	p := policy.Profile{Host: "print.example.org", Organisation: "Ex\x1bam\x00ple\u202e </string><key>x</key> \uffff", Enforced: []policy.Value{{Name: "ServerURL", Text: "https://print.example.org"}}}
	text, err := policy.MobileConfig(p)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "<string>Ex?am?ple? &lt;/string&gt;&lt;key&gt;x&lt;/key&gt; ?</string>") {
		t.Errorf("the profile is\n%s", text)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestProfilesOfTwoServersAreTwo(t *testing.T) {
	one, err := policy.MobileConfig(siteProfile())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := policy.MobileConfig(siteProfile())
	other := siteProfile()
	other.Host = "print2.example.org"
	two, _ := policy.MobileConfig(other)
	changed := siteProfile()
	changed.Enforced[0].Text = "https://print.example.org:9443"
	three, _ := policy.MobileConfig(changed)
	uuids := func(text []byte) string {
		var list []string
		for part := range strings.SplitSeq(string(text), "<key>PayloadUUID</key>") {
			_, id, _ := strings.Cut(part, "<string>")
			id, _, _ = strings.Cut(id, "</string>")
			list = append(list, id)
		}
		return list[len(list)-1]
	}
	if !bytes.Equal(one, again) {
		t.Error("the same profile is not written the same")
	}
	if uuids(one) == uuids(two) || uuids(one) == uuids(three) || len(uuids(one)) != 36 {
		t.Errorf("identifiers %s %s %s", uuids(one), uuids(two), uuids(three))
	}
}
