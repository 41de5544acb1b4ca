package csvfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

func TestCardsCodesAndPINs(t *testing.T) {
	same := cmp.Comparer(func(a, b secret.String) bool { return a.Equal(b) })
	got, err := read(t, Config{ID: "hr", Path: write(t, "id,upn,cards,access_code,pin,language,employee_id\n"+
		"1,a@example.org,04A1; 04B2;04A1;,7K3F9X2M,0042,fr-CH,4711\n2,b@example.org,,,,,\n")})
	if err != nil {
		t.Fatal(err)
	}
	all := []core.CredentialKind{core.CredentialCard, core.CredentialCode, core.CredentialPIN}
	want := []directory.Record{
		{
			Key: "1", KeyKind: core.IdentityCSVKey, Username: "a@example.org", UPN: "a@example.org", Language: "fr-CH", EmployeeID: "4711", Credentials: all,
			Cards: []secret.String{secret.New("04A1"), secret.New("04B2")}, AccessCode: secret.New("7K3F9X2M"), PIN: secret.New("0042"), Where: "line 2",
		},
		{Key: "2", KeyKind: core.IdentityCSVKey, Username: "b@example.org", UPN: "b@example.org", Credentials: all, Where: "line 3"},
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for columns, kinds := range map[string][]core.CredentialKind{"": nil, ",cards": all[:1], ",access_code": all[1:2], ",pin,cards": {core.CredentialCard, core.CredentialPIN}} {
		got, err := read(t, Config{ID: "hr", Path: write(t, "id,upn"+columns+"\n1,a@example.org"+strings.Repeat(",", strings.Count(columns, ","))+"\n")})
		if err != nil || !cmp.Equal(got[0].Credentials, kinds) {
			t.Errorf("a file with the columns %q decides about %v, %v", columns, got, err)
		}
	}
}

func TestMistakesTellNoSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"id,upn,cards\n1,a@example.org,5.67891E+14\n":           "line 2: cards is a rounded number",
		"id,upn,access_code\n1,a@example.org,\"5,67891E+14\"\n": "line 2: access_code is a rounded number",
		"id,upn,employee_id\n1,a@example.org,5.67891E+14\n":     "line 2: employee_id is a rounded number",
		"id,upn,pin\n1,a@example.org,5678x\n":                   "line 2: pin has something else than digits",
		"id,upn,cards\n1,a@example.org,\"5678\x01\"\n":          "line 2: cards has a line break",
		"id,upn,language\n1,a@example.org,Klingon!\n":           "line 2: language \"Klingon!\": write a language such as de",
		"id,upn,groups\n1,a@example.org,Staff;al\u200dex\n":     "invisible character U+200D",
		"id,upn\ngroup/Staff,a@example.org\n":                   "line 2: the id \"group/Staff\" begins with group/",
	} {
		got, err := read(t, Config{ID: "hr", Path: write(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) || len(got) > 0 || !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "678") {
			t.Errorf("a secret is told: %v", err)
		}
	}
}

func TestGroups(t *testing.T) {
	s := New(Config{ID: "hr", Path: write(t, "id,upn,groups\n1,a@example.org,Staff; Science teachers;staff\n2,b@example.org,STAFF\n3,c@example.org,\n")})
	seen := directorytest.NewSeen(nil)
	if reading, err := s.Read(t.Context(), directory.Request{Groups: true}, seen); err != nil || !reading.Complete {
		t.Fatal(reading, err)
	}
	key := func(id string) directory.Key { return directory.Key{Kind: core.IdentityCSVKey, ID: id} }
	want := map[directory.Key]directory.Group{
		key("group/staff"):            {Key: key("group/staff"), Name: "Staff", Members: []directory.Key{key("1"), key("2")}, Where: "group Staff"},
		key("group/science teachers"): {Key: key("group/science teachers"), Name: "Science teachers", Members: []directory.Key{key("1")}, Where: "group Science teachers"},
	}
	if diff := cmp.Diff(want, seen.Groups); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if text, err := s.Check(t.Context()); err != nil || !strings.Contains(text, "3 people in 2 groups;") {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := New(Config{ID: "hr", Path: write(t, "id,upn,cards,pin\n1,a@example.org,,\n")}).Check(t.Context()); err != nil || !strings.Contains(text, "decides about their cards and PINs") {
		t.Errorf("%q, %v", text, err)
	}
}

// file is a directory of people that a test changes.
type file struct {
	path   string
	people []string // lines
	n      int
}

func (f *file) save() error {
	next := f.path + ".next"
	if err := os.WriteFile(next, []byte("id,upn,department,cards,groups\n"+strings.Join(f.people, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, f.path)
}

func (f *file) find(k directory.Key) int {
	for i, line := range f.people {
		if strings.HasPrefix(line, k.ID+",") {
			return i
		}
	}
	return -1
}

func TestConformance(t *testing.T) {
	directorytest.Run(t, func(t *testing.T) directorytest.Directory {
		f := &file{path: filepath.Join(t.TempDir(), "people.csv")}
		for i := range 10 {
			f.people = append(f.people, fmt.Sprintf("p%d,p%d@example.org,Science,04A%d,Staff", i, i, i))
		}
		f.people[9] = "p9,p9@example.org,Science,,Guests"
		broken := write(t, "id,upn\n1,a@example.org\n2,b@example.org\n3\n")
		if err := f.save(); err != nil {
			t.Fatal(err)
		}
		return directorytest.Directory{
			Source: New(Config{ID: "hr", Path: f.path}), People: 10, Groups: 2,
			Failing: New(Config{ID: "hr", Path: broken}), Unreachable: New(Config{ID: "hr", Path: broken + ".gone"}),
			Add: func() (directory.Key, error) {
				f.n++
				f.people = append(f.people, fmt.Sprintf("new%d,new%d@example.org,,,", f.n, f.n))
				return directory.Key{Kind: core.IdentityCSVKey, ID: fmt.Sprintf("new%d", f.n)}, f.save()
			},
			Change: func(k directory.Key) error {
				f.n++
				f.people[f.find(k)] = fmt.Sprintf("%s,%s@example.org,Department %d,,Staff", k.ID, k.ID, f.n)
				return f.save()
			},
			Remove: func(k directory.Key) error {
				at := f.find(k)
				f.people = append(f.people[:at], f.people[at+1:]...)
				return f.save()
			},
		}
	})
}

func TestAGroupsErrorEndsAReading(t *testing.T) {
	s := New(Config{ID: "hr", Path: write(t, "id,upn,groups\n1,a@example.org,Staff\n")})
	stop := errors.New("enough")
	if _, err := s.Read(t.Context(), directory.Request{Groups: true}, refusing{directorytest.NewSeen(nil), stop}); !errors.Is(err, stop) || !strings.Contains(err.Error(), `"Staff"`) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Read(ctx, directory.Request{Groups: true}, directorytest.NewSeen(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// refusing takes no groups.
type refusing struct {
	*directorytest.Seen

	err error
}

func (r refusing) Group(directory.Group) error { return r.err }
