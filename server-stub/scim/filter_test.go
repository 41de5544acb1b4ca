package scim

import (
	"strings"
	"testing"
)

func documentOf(t *testing.T, kind *resourceType, text string) *document {
	t.Helper()
	in, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d := newDocument(kind)
	if err := d.fill(in, true); err != nil {
		t.Fatal(err)
	}
	return d
}

const bjensen = `{
	"userName": "bjensen@example.com", "externalId": "701984", "displayName": "Babs Jensen", "active": true, "title": "Vice \"P\"",
	"name": {"familyName": "O'Malley", "givenName": "Barbara"}, "userType": "Employee",
	"emails": [{"value": "bjensen@example.com", "type": "work", "primary": true}, {"value": "babs@example.org", "type": "home"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "701984", "department": "Tour", "manager": {"value": "26118915"}}
}`

// The examples of RFC 7644 section 3.4.2.2 and figure 2, with what they must say of bjensen, and the forms that providers write.
func TestA3_53_FiltersOfRFC7644(t *testing.T) {
	users := userType()
	d := documentOf(t, users, bjensen)
	d.o["meta"] = object{"lastModified": "2011-05-13T04:42:34Z", "resourceType": "User"}
	d.o["id"] = "abc"
	d.o["schemas"] = []any{urnUser, urnEnterprise}
	for in, want := range map[string]bool{
		`userName eq "bjensen@example.com"`:                          true,
		`userName Eq "BJensen@example.com"`:                          true,
		`USERNAME eq "bjensen"`:                                      false,
		`name.familyName co "O'Malley"`:                              true,
		`userName sw "J"`:                                            false,
		`userName sw "b"`:                                            true,
		`userName ew ".COM"`:                                         true,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "B"`: true,
		`title pr`:    true,
		`nickName pr`: false,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`:                                                          false,
		`meta.lastModified ge "2011-05-13T04:42:34Z"`:                                                          true,
		`meta.lastModified lt "2011-05-13T06:42:34+01:00"`:                                                     true,
		`meta.lastModified le "2011-05-13T04:42:34Z"`:                                                          true,
		`title pr and userType eq "Employee"`:                                                                  true,
		`title pr or userType eq "Intern"`:                                                                     true,
		`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`:                              true,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`:                true,
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`:            false,
		`userType eq "Employee" and (emails.type eq "work")`:                                                   true,
		`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`:                        true,
		`emails[type eq "work" and value co "@example.com"] or emails[type eq "home" and value co "@nowhere"]`: true,
		`emails[type eq "home" and value co "@example.com"]`:                                                   false,
		`emails[type eq "work"].value eq "bjensen@example.com"`:                                                true,
		`emails[type eq "home"].value eq "bjensen@example.com"`:                                                false,
		`emails[type eq "work"].value eq "BJENSEN@EXAMPLE.COM" and active eq true`:                             true,
		`emails[not (type eq "work")].value sw "babs"`:                                                         true,
		`emails eq "babs@example.org"`:                                                                         true,
		`emails pr`:                                                                                            true,
		`phoneNumbers pr`:                                                                                      false,
		`externalId eq 701984`:                                                                                 true,
		`externalId eq jyoung`:                                                                                 false,
		`userName eq bjensen@example.com`:                                                                      true,
		`(userName eq bjensen@example.com)`:                                                                    true,
		`active eq "True"`:                                                                                     true,
		`active eq False`:                                                                                      false,
		`active ne false`:                                                                                      true,
		`not (active eq true)`:                                                                                 false,
		`title eq "Vice \"P\""`:                                                                                true,
		`title eq "vice \u0022p\u0022"`:                                                                        true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "26118915"`:                     true,
		`id eq "ABC"`: false,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "701984"`:                   true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915" and title ne "x"`: true,
		`nickName eq null`: true,
		`title ne null`:    true,
		`title eq "x" or title eq "y" and title pr or displayName eq "babs jensen"`: true, // and binds first
		`title pr or title pr and title eq "x"`:                                     true,
		`displayName gt "A" and displayName lt "C"`:                                 true,
	} {
		f, err := users.parseFilter(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := f.match(d.o); got != want {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	users := userType()
	for _, in := range []string{
		``, `userName`, `userName eq`, `userName is "x"`, `eq "x"`, `userName eq "x`, `userName eq "\x"`, `userName eq "x" and`, `(userName eq "x"`, `userName eq "x")`,
		`userName eq "x" "y"`, `nosuch eq "x"`, `emails.nosuch eq "x"`, `emails[nosuch eq "x"]`, `emails[type eq "work"`, `emails[type eq "work"].nosuch eq "x"`,
		`emails[type eq "work"].value`, `userName[type eq "x"]`, `active co "t"`, `active eq maybe`, `title co true`, `password eq "x"`, `roles eq "x"`,
		urnCards + `:accessCode eq "1"`, urnCards + `:accessCard pr`, urnCards + ` pr`, `urn:nobody:User:x eq "y"`, `emails[emails[type eq "x"]]`,
		strings.Repeat("(", 17) + `userName eq "x"` + strings.Repeat(")", 17), strings.Repeat(`not (`, 17) + `title pr` + strings.Repeat(")", 17),
		`userName eq "` + strings.Repeat("x", 4<<10) + `"`,
	} {
		f, err := users.parseFilter(in)
		fail, ok := err.(*failure) //nolint:errorlint // as it is returned
		if f != nil && err == nil || !ok || fail.kind != invalidFilter || fail.status != 400 {
			t.Errorf("%s: %v", shorten(in), err)
		}
	}
	if _, err := users.parseFilter(strings.Repeat("(", 16) + `userName eq "x"` + strings.Repeat(")", 16)); err != nil {
		t.Errorf("16 levels: %v", err)
	}
}

// What a search reads of the database must hold everything the filter holds for.
func TestA3_53_SearchesAreNarrowed(t *testing.T) {
	users, groups := userType(), groupType()
	for in, want := range map[string]string{
		`userName eq "Alex"`:                        "username=alex",
		`externalId eq "A"`:                         "externalid=a",
		`emails[type eq "work"].value eq "A@b.c"`:   "emails.value=a@b.c",
		`emails.value eq "a"`:                       "emails.value=a",
		`emails eq "a"`:                             "emails.value=a",
		`active eq true and displayName eq "D"`:     "displayname=d",
		urnEnterprise + `:employeeNumber eq "7"`:    fold(urnEnterprise) + ":employeenumber=7",
		`id eq "x" and userName eq "y"`:             "id x",
		`userName eq "a" or userName eq "b"`:        "=",
		`not (userName eq "a")`:                     "=",
		`userName sw "a"`:                           "=",
		`title eq "a"`:                              "=",
		`emails[type eq "work" or value eq "a"]`:    "=",
		`emails[type eq "work" and value eq "a"]`:   "emails.value=a",
		`emails[not (value eq "x")].value eq "y"`:   "emails.value=y",
		`addresses[type eq "work"].locality eq "b"`: "=",
	} {
		f, err := users.parseFilter(in)
		if err != nil {
			t.Fatal(err)
		}
		q, id := users.narrow(f)
		got := q.Path + "=" + q.Value
		if id != "" {
			got = "id " + id
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	f, err := groups.parseFilter(`displayName eq "Staff"`)
	if err != nil {
		t.Fatal(err)
	}
	if q, _ := groups.narrow(f); q.Path != "displayname" {
		t.Error(q)
	}
}
