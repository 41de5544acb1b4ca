package scim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// patched applies the operations (a JSON list) to a document.
func patched(t *testing.T, kind *resourceType, before, operations string) (*document, error) {
	t.Helper()
	d := documentOf(t, kind, before)
	d.given, d.notes, d.member = map[string]bool{}, &notes{}, members{}
	body, err := decode([]byte(`{"schemas":["` + urnPatch + `"],"Operations":` + operations + `}`))
	if err != nil {
		return nil, err
	}
	list, err := readOperations(body)
	if err != nil {
		return nil, err
	}
	return d, d.apply(list)
}

func wantJSON(t *testing.T, want string, got any) {
	t.Helper()
	var a, b any
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The requests that Microsoft documents for Entra, without and with the flag aadOptscim062020 of the Tenant URL, Okta's, and the
// examples of RFC 7644 section 3.5.2.
func TestA3_45_PatchOfPeople(t *testing.T) {
	users := userType()
	for _, tt := range []struct{ name, before, operations, want string }{
		{
			"A3_45 capitals without the flag", `{"userName":"a","displayName":"A"}`,
			`[{"op":"Replace","path":"displayName","value":"B"},{"op":"Add","path":"title","value":"T"},{"op":"ADD","path":"nickName","value":"N"},{"op":"Remove","path":"title"}]`,
			`{"userName":"a","displayName":"B","nickName":"N"}`,
		},
		{
			"A3_45 disabling by a text without the flag", `{"userName":"a","active":true}`,
			`[{"op":"Replace","path":"active","value":"False"}]`, `{"userName":"a","active":false}`,
		},
		{"A3_45 enabling by a text", `{"userName":"a","active":false}`, `[{"op":"Add","path":"active","value":"True"}]`, `{"userName":"a","active":true}`},
		{
			"A3_45 disabling by a truth value with the flag", `{"userName":"a","active":true}`,
			`[{"op":"replace","value":{"active":false}}]`, `{"userName":"a","active":false}`,
		},
		{
			"A3_45 one operation with dotted names with the flag", `{"userName":"a","name":{"givenName":"X","familyName":"Y"}}`,
			`[{"op":"replace","value":{"displayName":"Bjfe","name.givenName":"Kjetil","name.familyName":"B",
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"4711",
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value":"m1",
				"emails[type eq \"work\"].value":"k@example.org"}}]`,
			`{"userName":"a","displayName":"Bjfe","name":{"givenName":"Kjetil","familyName":"B"},"emails":[{"type":"work","value":"k@example.org"}],
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"4711","manager":{"value":"m1"}}}`,
		},
		{
			"A3_51 an address is made where there is none", `{"userName":"a","emails":[{"type":"home","value":"h"}]}`,
			`[{"op":"Add","path":"emails[type eq \"work\"].value","value":"w@example.org"}]`,
			`{"userName":"a","emails":[{"type":"home","value":"h"},{"type":"work","value":"w@example.org"}]}`,
		},
		{
			"A3_51 so it is by replace", `{"userName":"a"}`,
			`[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"w@example.org"},{"op":"Replace","path":"emails[type eq \"work\"].primary","value":"True"}]`,
			`{"userName":"a","emails":[{"type":"work","value":"w@example.org","primary":true}]}`,
		},
		{
			"A3_51 an address changes", `{"userName":"a","emails":[{"type":"Work","value":"old","primary":true},{"type":"home","value":"h"}]}`,
			`[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"new"}]`,
			`{"userName":"a","emails":[{"type":"Work","value":"new","primary":true},{"type":"home","value":"h"}]}`,
		},
		{
			"A3_51 an address goes", `{"userName":"a","emails":[{"type":"work","value":"old","primary":true}]}`,
			`[{"op":"Remove","path":"emails[type eq \"work\"].value"}]`, `{"userName":"a"}`,
		},
		{
			"A3_51 a null address goes", `{"userName":"a","emails":[{"type":"work","value":"old"},{"type":"home","value":"h"}]}`,
			`[{"op":"Replace","path":"emails[type eq \"work\"].value","value":null}]`, `{"userName":"a","emails":[{"type":"home","value":"h"}]}`,
		},
		{
			"A3_45 several conditions", `{"userName":"a","phoneNumbers":[{"type":"work","value":"1","primary":true},{"type":"work","value":"2"}]}`,
			`[{"op":"replace","path":"phoneNumbers[type eq \"work\" and primary eq true].value","value":"9"}]`,
			`{"userName":"a","phoneNumbers":[{"type":"work","value":"9","primary":true},{"type":"work","value":"2"}]}`,
		},
		{
			"A3_45 addresses by parts", `{"userName":"a"}`,
			`[{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"1 Way"},{"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"98052"}]`,
			`{"userName":"a","addresses":[{"type":"work","streetAddress":"1 Way","postalCode":"98052"}]}`,
		},
		{
			"A3_45 manager as a text", `{"userName":"a"}`, `[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]`,
			`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m1"}}}`,
		},
		{
			"A3_45 manager as a list with a null reference", `{"userName":"a"}`,
			`[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":[{"$ref":null,"value":"m1"}]}]`,
			`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m1"}}}`,
		},
		{
			"A3_45 manager goes", `{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"m1"}}}`,
			`[{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}]`, `{"userName":"a"}`,
		},
		{
			"A3_45 a text as a list of one", `{"userName":"a"}`, `[{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"B"}]}]`,
			`{"userName":"a","displayName":"B"}`,
		},
		{"A3_45 empty roles", `{"userName":"a"}`, `[{"op":"Replace","path":"roles","value":[]}]`, `{"userName":"a"}`},
		{
			"A3_45 what nobody knows is left out", `{"userName":"a"}`,
			`[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:nobody:2.0:User:shoeSize","value":"44"},{"op":"replace","value":{"shoeSize":44,"displayName":"B"}},
				{"op":"replace","path":"roles[primary eq \"True\"].value","value":"admin"},{"op":"replace","path":"password","value":"secret"}]`,
			`{"userName":"a","displayName":"B"}`,
		},
		{
			"A3_45 an extension as a whole", `{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"7"}}`,
			`[{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"}}},
				{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"division":"V"}}]`,
			`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"7","department":"D","division":"V"}}`,
		},
		{
			"RFC 7644 add a value, and once more", `{"userName":"a","emails":[{"value":"b","type":"work","primary":true}]}`,
			`[{"op":"add","path":"emails","value":[{"value":"c","type":"home","primary":true}]},{"op":"add","path":"emails","value":{"value":"c","type":"home","primary":true}}]`,
			`{"userName":"a","emails":[{"value":"b","type":"work","primary":false},{"value":"c","type":"home","primary":true}]}`,
		},
		{
			"RFC 7644 replace all values", `{"userName":"a","emails":[{"value":"b","type":"work"}]}`,
			`[{"op":"replace","path":"emails","value":[{"value":"c"},{"value":"d"}]}]`, `{"userName":"a","emails":[{"value":"c"},{"value":"d"}]}`,
		},
		{
			"RFC 7644 replace one whole value", `{"userName":"a","addresses":[{"type":"work","locality":"L"},{"type":"home","locality":"H"}]}`,
			`[{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work","streetAddress":"911"}}]`,
			`{"userName":"a","addresses":[{"type":"work","locality":"L","streetAddress":"911"},{"type":"home","locality":"H"}]}`,
		},
		{
			"RFC 7644 remove values by a condition", `{"userName":"a","emails":[{"value":"b@example.com","type":"work"},{"value":"c@example.org","type":"work"}]}`,
			`[{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}]`, `{"userName":"a","emails":[{"value":"c@example.org","type":"work"}]}`,
		},
		{
			"RFC 7644 a complex attribute keeps what is not named", `{"userName":"a","name":{"givenName":"X","familyName":"Y"}}`,
			`[{"op":"replace","path":"name","value":{"givenName":"Z"}}]`, `{"userName":"a","name":{"givenName":"Z","familyName":"Y"}}`,
		},
		{"A3_45 paths in any letter case", `{"userName":"a"}`, `[{"op":"Replace","path":"DISPLAYNAME","value":"B"},{"OP":"add","PATH":"Name.GIVENname","VALUE":"G"}]`, `{"userName":"a","displayName":"B","name":{"givenName":"G"}}`},
		{"A3_45 what is not there is removed already", `{"userName":"a"}`, `[{"op":"remove","path":"title"},{"op":"remove","path":"name.givenName"},{"op":"remove","path":"emails[type eq \"work\"]"}]`, `{"userName":"a"}`},
		{"A3_45 operations follow each other", `{"userName":"a"}`, `[{"op":"add","path":"title","value":"1"},{"op":"remove","path":"title"},{"op":"add","path":"title","value":"2"}]`, `{"userName":"a","title":"2"}`},
		{"numbers are taken as they are written", `{"userName":"a"}`, `[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":90071992547409931}]`, `{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"90071992547409931"}}`},
		{"a client sends back what it read", `{"userName":"a"}`, `[{"op":"replace","value":{"id":"x","meta":{"version":"1"},"schemas":["y"],"displayName":"B"}}]`, `{"userName":"a","displayName":"B"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := patched(t, users, tt.before, tt.operations)
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, tt.want, d.o)
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	users, groups := userType(), groupType()
	before := `{"userName":"a","displayName":"A","active":true}`
	for _, tt := range []struct {
		name, operations, kind string
	}{
		{"no list", `{}`, invalidSyntax},
		{"no object", `["x"]`, invalidSyntax},
		{"an operation that does not exist", `[{"op":"move","path":"title","value":"x"}]`, invalidSyntax},
		{"no value", `[{"op":"add","path":"title"}]`, invalidValue},
		{"remove without a path", `[{"op":"remove"}]`, noTarget},
		{"a path that is no text", `[{"op":"remove","path":7}]`, invalidPath},
		{"an attribute that does not exist", `[{"op":"replace","path":"shoeSize","value":"44"}]`, invalidPath},
		{"a part that does not exist", `[{"op":"replace","path":"name.shoeSize","value":"44"}]`, invalidPath},
		{"one of a known extension", `[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:balance","value":"44"}]`, invalidPath},
		{"one of the core schema", `[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:role","value":"owner"}]`, invalidPath},
		{"a condition that does not parse", `[{"op":"replace","path":"emails[type eq work","value":"44"}]`, invalidPath},
		{"a condition on a simple attribute", `[{"op":"replace","path":"title[value eq \"x\"]","value":"44"}]`, invalidPath},
		{"something behind the path", `[{"op":"replace","path":"emails[type eq \"work\"].value.x","value":"44"}]`, invalidPath},
		{"the id", `[{"op":"replace","path":"id","value":"x"}]`, mutability},
		{"meta", `[{"op":"replace","path":"meta.version","value":"x"}]`, mutability},
		{"the username away", `[{"op":"remove","path":"userName"}]`, mutability},
		{"the username empty", `[{"op":"replace","path":"userName","value":""}]`, invalidValue},
		{"the username null", `[{"op":"replace","value":{"userName":null}}]`, invalidValue},
		{"an unclear truth value", `[{"op":"replace","path":"active","value":"no"}]`, invalidValue},
		{"a truth value as number", `[{"op":"replace","path":"active","value":0}]`, invalidValue},
		{"a text that is a truth value", `[{"op":"replace","path":"title","value":true}]`, invalidValue},
		{"two values for one", `[{"op":"replace","path":"title","value":["a","b"]}]`, invalidValue},
		{"a list without a path", `[{"op":"replace","value":["a"]}]`, invalidValue},
		{"an extension that is a text", `[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":"x"}]`, invalidValue},
		{"a condition that makes nothing", `[{"op":"replace","path":"emails[value co \"x\"].value","value":"y"}]`, noTarget},
		{"one attribute twice", `[{"op":"replace","value":{"displayName":"a","DISPLAYNAME":"b"}}]`, invalidSyntax},
		{"too long a value", `[{"op":"replace","path":"title","value":"` + strings.Repeat("x", 5<<10) + `"}]`, invalidValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := patched(t, users, before, tt.operations)
			if f, ok := err.(*failure); !ok || f.kind != tt.kind || f.status != 400 { //nolint:errorlint // as it is returned
				t.Errorf("got %v, want %s", err, tt.kind)
			}
		})
	}
	for _, operations := range []string{
		`[{"op":"add","path":"members","value":[{"display":"x"}]}]`, `[{"op":"add","path":"members","value":[{"value":""}]}]`,
		`[{"op":"remove","path":"members[display eq \"x\"]"}]`, `[{"op":"remove","path":"members[value sw \"x\"]"}]`,
	} {
		if _, err := patched(t, groups, `{"displayName":"G"}`, operations); err == nil {
			t.Errorf("%s was taken", operations)
		}
	}
	if _, err := patched(t, users, before, `[`+strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 1000)+`{"op":"add","path":"title","value":"x"}]`); err == nil ||
		err.(*failure).status != 413 { //nolint:errorlint,forcetypeassert // as it is returned
		t.Errorf("1,001 operations: %v", err)
	}
}

// Members come and go in both forms.
func TestA3_64_PatchOfGroups(t *testing.T) {
	groups := groupType()
	for _, tt := range []struct {
		name, operations string
		whole            bool
		come, gone       []string
	}{
		{"A3_64 added without the flag", `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"$ref":null,"value":"b"}]}]`, false, []string{"a", "b"}, nil},
		{"A3_64 removed without the flag", `[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"}]}]`, false, nil, []string{"a"}},
		{"A3_64 removed with the flag", `[{"op":"remove","path":"members[value eq \"a\"]"}]`, false, nil, []string{"a"}},
		{"A3_64 removed by an unquoted id", `[{"op":"remove","path":"members[value eq a]"}]`, false, nil, []string{"a"}},
		{"A3_64 several at once", `[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}]`, false, nil, []string{"a", "b"}},
		{"A3_64 in one object", `[{"op":"add","value":{"members":[{"value":"a"}]}}]`, false, []string{"a"}, nil},
		{"A3_64 as texts", `[{"op":"add","path":"members","value":["a"]}]`, false, []string{"a"}, nil},
		{"A3_64 one as an object", `[{"op":"add","path":"members","value":{"value":"a"}}]`, false, []string{"a"}, nil},
		{"A3_64 all replaced", `[{"op":"replace","path":"members","value":[{"value":"a"}]}]`, true, []string{"a"}, nil},
		{"A3_64 all gone", `[{"op":"remove","path":"members"}]`, true, nil, nil},
		{"A3_64 emptied", `[{"op":"replace","path":"members","value":[]}]`, true, nil, nil},
		{"A3_64 the last word counts", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"b"}]}]`, false, []string{"b"}, []string{"a"}},
		{"A3_64 Okta names the group as well", `[{"op":"replace","value":{"id":"x","displayName":"N"}}]`, false, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := patched(t, groups, `{"displayName":"G"}`, tt.operations)
			if err != nil {
				t.Fatal(err)
			}
			if d.member.whole != tt.whole || cmp.Diff(tt.come, d.member.ids(true)) != "" || cmp.Diff(tt.gone, d.member.ids(false)) != "" {
				t.Errorf("got %+v", d.member)
			}
			if _, kept := d.o["members"]; kept {
				t.Error("members are in the document")
			}
		})
	}
}

// The two extension attributes, as a path and as an object, and how they are kept out of what is stored.
func TestA3_59_60_CardsAndCodes(t *testing.T) {
	users := userType()
	const urn = `urn:ietf:params:scim:schemas:extension:papercut:2.0:User`
	for _, tt := range []struct {
		name, operations string
		want             map[string][]string
	}{
		{"A3_59 a card by its path", `[{"op":"Add","path":"` + urn + `:accessCard","value":"04A1B2"}]`, map[string][]string{"accessCard": {"04A1B2"}}},
		{"A3_60 a code by its path", `[{"op":"Replace","path":"` + urn + `:accessCode","value":"739164"}]`, map[string][]string{"accessCode": {"739164"}}},
		{"A3_59 several cards", `[{"op":"replace","path":"` + urn + `:accessCard","value":["1","2"]}]`, map[string][]string{"accessCard": {"1", "2"}}},
		{"A3_59 a card that looks like a number", `[{"op":"replace","path":"` + urn + `:accessCard","value":1234567890123456789012}]`, map[string][]string{"accessCard": {"1234567890123456789012"}}},
		{"A3_60 both as one object", `[{"op":"replace","value":{"` + urn + `":{"accessCard":"1","accessCode":"2"}}}]`, map[string][]string{"accessCard": {"1"}, "accessCode": {"2"}}},
		{"A3_60 with the flag", `[{"op":"replace","value":{"` + urn + `:accessCode":"2","displayName":"B"}}]`, map[string][]string{"accessCode": {"2"}}},
		{"A3_59 removed", `[{"op":"Remove","path":"` + urn + `:accessCard"}]`, map[string][]string{"accessCard": {}}},
		{"A3_60 emptied", `[{"op":"Replace","path":"` + urn + `:accessCode","value":""}]`, map[string][]string{"accessCode": {}}},
		{"A3_60 null", `[{"op":"Replace","path":"` + urn + `:accessCode","value":null}]`, map[string][]string{"accessCode": {}}},
		{"A3_60 the extension removed", `[{"op":"remove","path":"` + urn + `"}]`, map[string][]string{"accessCard": {}, "accessCode": {}}},
		{"A3_59 not spoken of", `[{"op":"Replace","path":"displayName","value":"B"}]`, map[string][]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := patched(t, users, `{"userName":"a"}`, tt.operations)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, d.secrets()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if data, _ := json.Marshal(d.o); strings.Contains(string(data), "access") {
				t.Errorf("the document still has them: %s", data)
			}
		})
	}
}

// R-SCIM-2: whatever it is called, SCIM never sets a role, a balance, an administrator or a password.
func TestA3_58_SCIMHasNoSayInRolesMoneyOrPasswords(t *testing.T) {
	d, err := patched(t, userType(), `{"userName":"a"}`, `[{"op":"add","value":{"password":"x","roles":[{"value":"owner"}],"entitlements":["admin"],
		"groups":["g"],"balance":"100","isAdmin":true,"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:balance":"100",
		"urn:ietf:params:scim:schemas:extension:papercut:2.0:User":{"pin":"1","restricted":false}}}]`)
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, `{"userName":"a"}`, d.o)
	for _, name := range []string{"password", "roles", "entitlements", "groups", "balance", "isAdmin", urnCards + ":balance", urnCards + ":pin"} {
		if !strings.Contains(d.notes.String(), name) {
			t.Errorf("nothing is said of %s: %s", name, d.notes)
		}
	}
}
