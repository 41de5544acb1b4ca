package policy_test

import (
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the program says (-file +program); if it is meant, run with -update and review it:\n%s", file, diff)
	}
}

func adml(t *testing.T, language string) []byte {
	t.Helper()
	text, err := policy.ADML(language)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestE9_TemplatesAreAsReviewed(t *testing.T) {
	golden(t, "PolicyDefinitions/platen.admx", policy.ADMX())
	for _, language := range policy.Languages() {
		golden(t, "PolicyDefinitions/"+language+"/platen.adml", adml(t, language))
	}
}

// element is any element of XML.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) child(name string) element {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			return c
		}
	}
	return element{}
}

// all returns the elements of that name at any depth.
func (e element) all(name string) []element {
	var list []element
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			list = append(list, c)
		}
		list = append(list, c.all(name)...)
	}
	return list
}

func parse(t *testing.T, text []byte) element {
	t.Helper()
	var root element
	if err := xml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// grammar is what Group Policy's schema (MS-GPREG section 7, "ADMX Policy Definition Schema") lets stand below an element, in this order. A name with * may stand more than once.
var grammar = map[string][]string{
	"policyDefinitions": {"policyNamespaces", "supersededAdm*", "resources", "supportedOn", "categories", "policies"},
	"policyNamespaces":  {"target", "using*"},
	"supportedOn":       {"products", "definitions"},
	"definitions":       {"definition*"},
	"categories":        {"category*"},
	"category":          {"parentCategory", "seeAlso*"},
	"policies":          {"policy*"},
	"policy":            {"parentCategory", "seeAlso*", "keywords", "supportedOn", "enabledValue", "disabledValue", "enabledList", "disabledList", "elements"},
	"enabledValue":      {"decimal"}, "disabledValue": {"decimal"},
	"elements": {"boolean*", "decimal*", "text*", "enum*", "list*", "multiText*"},
	"enum":     {"item*"},
	"item":     {"value", "valueList"},
	"value":    {"decimal", "string"},

	"policyDefinitionResources": {"displayName", "description", "resources"},
	"resources":                 {"stringTable", "presentationTable"},
	"stringTable":               {"string*"},
	"presentationTable":         {"presentation*"},
	"presentation":              {"textBox*", "dropdownList*", "multiTextBox*"},
	"textBox":                   {"label", "defaultValue"},
}

// attributes are those an element may have; those with ! it must have.
var attributes = map[string][]string{
	"policyDefinitions": {"xmlns!", "revision!", "schemaVersion!"}, "target": {"prefix!", "namespace!"},
	"definition": {"name!", "displayName!"},
	"category":   {"name!", "displayName!", "explainText"}, "parentCategory": {"ref!"},
	"policy": {"name!", "class!", "displayName!", "explainText", "presentation", "key!", "valueName"},
	"text":   {"id!", "valueName!", "required", "maxLength"}, "multiText": {"id!", "valueName!", "required"}, "enum": {"id!", "valueName!", "required"},
	"item": {"displayName!"}, "decimal": {"value!"},
	"policyDefinitionResources": {"xmlns!", "revision!", "schemaVersion!"}, "presentation": {"id!"},
	"textBox": {"refId!"}, "multiTextBox": {"refId!"}, "dropdownList": {"refId!", "noSort", "defaultItem"},
}

// conform checks what stands below an element and in its attributes.
func conform(t *testing.T, e element) {
	t.Helper()
	name := e.XMLName.Local
	if e.XMLName.Space != "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" {
		t.Errorf("<%s> is in the namespace %q", name, e.XMLName.Space)
	}
	at := 0
	for _, c := range e.Children {
		rest := grammar[name][min(at, len(grammar[name])):]
		i := slices.IndexFunc(rest, func(n string) bool { return strings.TrimSuffix(n, "*") == c.XMLName.Local })
		if i < 0 {
			t.Errorf("<%s> may not stand there in <%s %s>", c.XMLName.Local, name, e.attr("name"))
			continue
		}
		at += i
		if !strings.HasSuffix(rest[i], "*") {
			at++
		}
		conform(t, c)
	}
	allowed, known := attributes[name]
	for _, a := range e.Attrs {
		if known && !slices.Contains(allowed, a.Name.Local) && !slices.Contains(allowed, a.Name.Local+"!") {
			t.Errorf("<%s> has the attribute %s", name, a.Name.Local)
		}
	}
	for _, a := range allowed {
		if must, ok := strings.CutSuffix(a, "!"); ok && e.attr(must) == "" {
			t.Errorf("<%s %v> lacks %s", name, e.Attrs, must)
		}
	}
}

func TestTemplatesFollowTheSchema(t *testing.T) {
	admx := parse(t, policy.ADMX())
	if admx.XMLName.Local != "policyDefinitions" {
		t.Errorf("the root is <%s>", admx.XMLName.Local)
	}
	conform(t, admx)
	for _, language := range policy.Languages() {
		conform(t, parse(t, adml(t, language)))
	}
}

var (
	reference = regexp.MustCompile(`\$\((string|presentation)\.([^)]*)\)`)
	idPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
)

// E9: whatever the template refers to is there in every language, and nothing is there that it does not refer to.
func TestE9_EveryReferenceResolvesInEveryLanguage(t *testing.T) {
	text := string(policy.ADMX())
	admx := parse(t, []byte(text))
	wanted := map[string]bool{}
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if !idPattern.MatchString(m[2]) {
			t.Errorf("%s is no name that Group Policy takes", m[0])
		}
		wanted[m[1]+"."+m[2]] = true
	}
	controls := map[string]string{"text": "textBox", "multiText": "multiTextBox", "enum": "dropdownList"}
	for _, language := range policy.Languages() {
		root := parse(t, adml(t, language))
		there := map[string]bool{}
		for _, s := range root.all("string") {
			id := "string." + s.attr("id")
			if there[id] || strings.TrimSpace(s.Text) == "" {
				t.Errorf("%s: %s is there twice or empty", language, id)
			}
			there[id] = true
		}
		fields := map[string]element{}
		for _, p := range root.all("presentation") {
			there["presentation."+p.attr("id")] = true
			fields[p.attr("id")] = p
		}
		for id := range wanted {
			if !there[id] {
				t.Errorf("%s lacks %s", language, id)
			}
		}
		for id := range there {
			if !wanted[id] {
				t.Errorf("%s has %s, to which nothing refers", language, id)
			}
		}
		for _, p := range admx.all("policy") {
			elements, presentation := p.child("elements").Children, reference.FindStringSubmatch(p.attr("presentation"))
			if (len(elements) > 0) != (presentation != nil) {
				t.Errorf("%s has elements without a presentation, or one without elements", p.attr("name"))
			}
			for _, e := range elements {
				fs := fields[presentation[2]].Children
				if len(fs) != 1 || fs[0].XMLName.Local != controls[e.XMLName.Local] || fs[0].attr("refId") != e.attr("id") {
					t.Errorf("%s: %s has no field of its kind: %v", language, p.attr("name"), fs)
				}
			}
		}
	}
}

func TestPoliciesStandWhereTheClientReads(t *testing.T) {
	admx := parse(t, policy.ADMX())
	categories, names := map[string]bool{}, map[string]bool{}
	for _, c := range admx.child("categories").Children {
		categories[c.attr("name")] = true
	}
	for _, c := range admx.all("parentCategory") {
		if !categories[c.attr("ref")] {
			t.Errorf("there is no category %s", c.attr("ref"))
		}
	}
	at := map[string][]string{} // keys by value name
	for _, p := range admx.all("policy") {
		if names[p.attr("name")] || !idPattern.MatchString(p.attr("name")) {
			t.Errorf("the policy name %q is taken or none", p.attr("name"))
		}
		names[p.attr("name")] = true
		if p.child("supportedOn").attr("ref") != admx.child("supportedOn").all("definition")[0].attr("name") {
			t.Errorf("%s: supportedOn", p.attr("name"))
		}
		value := p.attr("valueName")
		if elements := p.child("elements").Children; len(elements) == 1 {
			value += elements[0].attr("valueName")
		}
		at[value] = append(at[value], p.attr("key"))
		s, ok := settings.Lookup(value)
		switch {
		case !ok && value != settings.RegistryToken:
			t.Errorf("%s writes %q, which is no setting", p.attr("name"), value)
		case s.Machine && p.attr("class") != "Machine":
			t.Errorf("%s is read by the service, but its class is %s", value, p.attr("class"))
		case s.Kind == settings.KindBool && (p.child("enabledValue").child("decimal").attr("value") != "1" || p.child("disabledValue").child("decimal").attr("value") != "0"):
			t.Errorf("%s does not write 1 and 0", value)
		case s.Kind == settings.KindChoice:
			var choices []string
			for _, item := range p.child("elements").child("enum").Children {
				choices = append(choices, item.child("value").child("string").Text)
			}
			if diff := cmp.Diff(s.Choices, choices); diff != "" {
				t.Errorf("%s: %s", value, diff)
			}
		}
	}
	for _, s := range settings.Table() {
		if diff := cmp.Diff([]string{`Software\Policies\Platen`, `Software\Policies\Platen\Recommended`}, at[s.Name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.Name, diff)
		}
	}
	if diff := cmp.Diff([]string{`Software\Policies\Platen\Deploy`}, at[settings.RegistryToken]); diff != "" {
		t.Error(diff)
	}
}

// Each language is a translation, not a copy: only names and words that are the same everywhere may be.
func TestEveryTextIsTranslated(t *testing.T) {
	english := map[string]string{}
	for _, s := range parse(t, adml(t, "en-US")).all("string") {
		english[s.attr("id")] = s.Text
	}
	same := []string{
		"Platen", "Proxy", "Proxy_Recommended", "AuthMode_microsoft", "AuthMode_browser", "ShowBalanceAtStart_notification", "LogLevel_info", "LogLevel_debug",
	}
	for _, language := range policy.Languages()[1:] {
		for _, s := range parse(t, adml(t, language)).all("string") {
			if english[s.attr("id")] == s.Text && !slices.Contains(same, s.attr("id")) {
				t.Errorf("%s: %s is still English: %s", language, s.attr("id"), s.Text)
			}
			if strings.HasSuffix(s.attr("id"), "_Help") && len(s.Text) < 40 {
				t.Errorf("%s: %s explains nothing: %s", language, s.attr("id"), s.Text)
			}
		}
	}
	if _, err := policy.ADML("tlh"); err == nil {
		t.Error("there are texts in Klingon")
	}
}

func values() []policy.Value {
	return []policy.Value{
		{"ServerURL", "https://print.example.org:8443"},
		{"CAPin", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		{"CAFile", `C:\Program Files\Print "CA"\ca.pem`},
		{"UPNSuffix", "CORP=example.org;R&D=lab.example.org;10.1.0.0/16=lab.example.org"},
		{"AuthMode", "trust"},
		{"MicrosoftAuthority", "https://login.example.org"},
		{"AutoStart", "yes"},
		{"Enrol", "no"},
		{"DeviceRole", "shared"},
		{"SharedOSUsers", "kiosk,O'Neill,<guest>,Zoë"},
		{"HideBalance", "no"},
		{"LowBalance", "2.00"},
		{"ShowBalanceAtStart", "window"},
		{"TopUpURL", "https://pay.example.org/credit?from=platen&lang=de"},
		{"Language", "de"},
		{"Proxy", "http://proxy.example.org:3128"},
		{"LogLevel", "debug"},
	}
}

func TestValuesCoverTheTable(t *testing.T) {
	var names, table []string
	for _, v := range values() {
		names = append(names, v.Name)
	}
	for _, s := range settings.Table() {
		table = append(table, s.Name)
	}
	slices.Sort(names)
	slices.Sort(table)
	if diff := cmp.Diff(table, names); diff != "" {
		t.Errorf("the tests do not know every setting (-table +tests):\n%s", diff)
	}
}

func TestCheckWritesValuesOneWay(t *testing.T) {
	got, err := policy.Check([]policy.Value{{"serverurl", " HTTPS://Print.Example.org "}, {"enrol", "FALSE"}, {"AutoStart", "1"}, {"authmode", "Trust"}, {"sharedosusers", "a, b,,c "}})
	want := []policy.Value{{"ServerURL", "https://print.example.org"}, {"Enrol", "no"}, {"AutoStart", "yes"}, {"AuthMode", "trust"}, {"SharedOSUsers", "a,b,c"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// Hostile values cannot break out of any format: they are refused, or written so that they read back as themselves.
func TestE9_HostileValuesAreRefused(t *testing.T) {
	for name, bad := range map[string][]string{
		"ServerURL": {"http://print.example.org", "https://print.example.org/path", "https://u:p@print.example.org", `https://print"example.org`, "https://a&b", "https://$(id)", "https://a`id`", "https://a\nCAPin=x", "https://a'b", "https://a%0ab", "https://x y", ""},
		"CAPin":     {"sha256/short", "none", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nx", ""},
		"CAFile":    {"ca.pem", "/etc/ca\n.pem", "/etc/\u202eca.pem"},
		"UPNSuffix": {"a b", "x=y=z=", "example.org\nServerURL=https://evil.example.org", strings.Repeat("a", 3000)},
		"AuthMode":  {"password", "trust;x"}, "Enrol": {"perhaps", "dword:1"}, "LowBalance": {"2,00", "$(id)"}, "Proxy": {"https://proxy:1", "http://u:p@proxy:1", "http://a\"b:1"},
		"SharedOSUsers": {"a\x00b", "a\r\nb", "a\u2028b\u200b", "a\uf000b"}, "LogLevel": {"trace"}, "TopUpURL": {"javascript:alert(1)", "https://a\n"},
		"EnrolmentToken": {"plt_e_abc"}, "Nonsense": {"x"},
	} {
		for _, text := range bad {
			if got, err := policy.Check([]policy.Value{{name, text}}); err == nil && got[0].Text == text {
				t.Errorf("%s=%q was taken", name, text)
			}
		}
	}
	if _, err := policy.Check([]policy.Value{{"Enrol", "no"}, {"enrol", "yes"}}); err == nil {
		t.Error("a setting was taken twice")
	}
}

func TestFilesAreAsReviewed(t *testing.T) {
	profile, err := policy.MobileConfig(siteProfile())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "platen.mobileconfig", profile)
	conf, err := policy.Conf("Settings of Platen for print.example.org\n\nsecond paragraph\x1b[0m", values())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "platen.conf", conf)
	reg, err := policy.Registry(values()[:3], values()[9:11])
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "policy.reg", utf8Of(t, reg))
	intune, err := policy.Intune("Platen (print.example.org)", values(), values()[10:11])
	if err != nil {
		t.Fatal(err)
	}
	admx := fmt.Sprintf("%q", string(policy.ADMX()))
	golden(t, "intune.json", []byte(strings.Replace(string(intune), admx, `"(the template)"`, 1)))
}
