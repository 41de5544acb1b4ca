package scim

import (
	"encoding/json"
	"strings"
	"testing"
)

// A filter is refused as one, or reads, matches and narrows without harm: what narrows to one id or value must still be checked.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "bjensen"`, `emails[type eq "work"].value eq "a@b.c" and active eq True`, `not (title pr) or meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`externalId eq jyoung`, urnEnterprise + `:manager.value eq "x\u00e9\\"`, `((a`, `emails[`, `x eq "`, `members[value eq "1"]`,
	} {
		f.Add(seed)
	}
	users, groups := userType(), groupType()
	in, err := decode([]byte(bjensen))
	if err != nil {
		f.Fatal(err)
	}
	d := newDocument(users)
	if err := d.fill(in, true); err != nil {
		f.Fatal(err)
	}
	indexedBy := map[string]bool{}
	for _, v := range d.values() {
		indexedBy[v.Path+"="+v.Value] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []*resourceType{users, groups} {
			one, err := kind.parseFilter(text)
			if err != nil {
				if fail, ok := err.(*failure); !ok || fail.kind != invalidFilter { //nolint:errorlint // as it is returned
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			matched := one.match(d.o)
			if q, _ := kind.narrow(one); kind == users && matched && q.Path != "" && !indexedBy[q.Path+"="+q.Value] {
				t.Fatalf("%q matches, and a search by %v does not find it", text, q)
			}
		}
	})
}

// A path is refused, or names an attribute that there is.
func FuzzPatchPath(f *testing.F) {
	for _, seed := range []string{
		`emails[type eq "work"].value`, `name.givenName`, urnCards + ":accessCard", urnEnterprise, `members[value eq "1"]`, `addresses[type eq "other"].formatted`, `emails[`, `urn:x:y`, `.`,
	} {
		f.Add(seed, "Add", `"x"`)
		f.Add(seed, "remove", `[{"value":"x"}]`)
		f.Add(seed, "Replace", `null`)
	}
	users, groups := userType(), groupType()
	f.Fuzz(func(t *testing.T, where, op, value string) {
		v, err := decode([]byte(`{"value":` + value + `}`))
		if err != nil {
			return
		}
		for _, kind := range []*resourceType{users, groups} {
			d := newDocument(kind)
			if err := d.fill(object{"userName": "a", "displayName": "b", "emails": []any{object{"type": "work", "value": "w"}}}, true); err != nil {
				t.Fatal(err)
			}
			list, err := readOperations(object{"Operations": []any{object{"op": op, "path": where, "value": v["value"]}}})
			if err != nil {
				continue
			}
			if d.apply(list) != nil {
				continue
			}
			checkStored(t, d)
		}
	})
}

// checkStored says what must hold for every document that was taken: it is stored and read back the same, keeps what is required, and
// has no secrets.
func checkStored(t *testing.T, d *document) {
	t.Helper()
	d.secrets()
	data, err := json.Marshal(d.o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseDocument(d.kind, string(data))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := json.Marshal(again.o); err != nil || string(second) != string(data) {
		t.Fatalf("%s became %s, %v", data, second, err)
	}
	for key := range d.o {
		if find(d.kind.all, key) == nil && d.kind.extension(key) == nil {
			t.Fatalf("there is a %q", key)
		}
		if a := find(d.kind.all, key); a != nil && (a.skip || a.readOnly) {
			t.Fatalf("%q was taken", key)
		}
	}
	if text := string(data); strings.Contains(text, `"accessCard"`) || strings.Contains(text, `"accessCode"`) {
		t.Fatalf("a secret stayed: %s", text)
	}
	if d.required() == nil {
		record("id", d, nil)
		d.values()
	}
}

// A body is refused, or makes a document that is in order.
func FuzzBody(f *testing.F) {
	f.Add(bjensen)
	f.Add(`{"userName":"a","` + urnCards + `":{"accessCard":["1",2],"accessCode":"3"},"roles":[],"manager":"x"}`)
	f.Add(`{"displayName":"G","members":[{"value":"1","$ref":null}]}`)
	f.Add(`{"Operations":[{"op":"replace","value":{"name.givenName":"x","emails[type eq \"work\"].value":"y"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := decode([]byte(text))
		if err != nil {
			return
		}
		for _, kind := range []*resourceType{userType(), groupType()} {
			d := newDocument(kind)
			if d.fill(in, true) == nil {
				checkStored(t, d)
			}
			if list, err := readOperations(in); err == nil {
				if d := newDocument(kind); d.apply(list) == nil {
					checkStored(t, d)
				}
			}
		}
	})
}
