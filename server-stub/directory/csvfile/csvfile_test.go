package csvfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, cfg Config) ([]directory.Record, error) {
	t.Helper()
	var got []directory.Record
	err := directory.People(t.Context(), New(cfg), func(r directory.Record) error {
		got = append(got, r)
		return nil
	})
	return got, err
}

func TestReadGivesEveryColumn(t *testing.T) {
	want := []directory.Record{
		{
			Key: "1001", KeyKind: core.IdentityCSVKey, Username: "alex.test@example.org", UPN: "alex.test@example.org", SAM: "alex", Domain: "CORP",
			Nickname: "alex.test", Email: "alex@example.org", Aliases: []string{"a.test", "alexander"}, DisplayName: "Test, Alex",
			Department: "Library", Office: "B 12", Where: "line 2",
		},
		{Key: "1002", KeyKind: core.IdentityCSVKey, Username: "amélie", SAM: "amélie", Domain: "CORP", DisplayName: `Amélie "Amy"`, Disabled: true, Where: "line 3"},
	}
	const header = "id,upn,sam,domain,nickname,email,aliases,display_name,department,office,disabled\n"
	const rows = "1001,alex.test@example.org,alex,CORP,alex.test,alex@example.org,a.test;alexander,\"Test, Alex\",Library,B 12,no\n" +
		"1002,,amélie,CORP,,,,\"Amélie \"\"Amy\"\"\",,,yes\n"
	tabs := "id\tupn\tsam\tdomain\tnickname\temail\taliases\tdisplay_name\tdepartment\toffice\tdisabled\n" +
		"1001\talex.test@example.org\talex\tCORP\talex.test\talex@example.org\ta.test;alexander\tTest, Alex\tLibrary\tB 12\tno\n" +
		"1002\t\tamélie\tCORP\t\t\t\t\"Amélie \"\"Amy\"\"\"\t\t\tyes\n"
	semicolons := strings.NewReplacer("a.test;alexander", `"a.test;alexander"`, ",", ";", "Test, Alex", "Test, Alex").Replace(header + rows)
	for name, text := range map[string]string{
		"commas":                  header + rows,
		"byte order mark":         "\ufeff" + header + rows,
		"carriage returns":        strings.ReplaceAll(header+rows, "\n", "\r\n"),
		"tabs":                    tabs,
		"semicolons":              semicolons,
		"no line end at the end":  strings.TrimSuffix(header+rows, "\n"),
		"names of columns spaced": strings.Replace(header, "display_name", " Display Name ", 1) + rows,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, Config{ID: "hr", Path: write(t, text)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestUsernameAndKey(t *testing.T) {
	const both = "username,upn,sam,nickname\nalex,Alex.Test@example.org,alext,al\n"
	tests := []struct {
		name, text        string
		rule              directory.UsernameRule
		wantUser, wantKey string
	}{
		{"the column username goes first", both, directory.UsernameAuto, "alex", "alex.test@example.org"},
		{"A1_46 the UPN when the configuration says so", both, directory.UsernameUPN, "Alex.Test@example.org", "alex.test@example.org"},
		{"A1_49 the nickname when the configuration says so", both, directory.UsernameNickname, "al", "alex.test@example.org"},
		{"A1_49 the short name when the configuration says so", both, directory.UsernameSAM, "alext", "alex.test@example.org"},
		{"A1_46 without a column username the UPN", "upn,sam\nalex@example.org,al\n", directory.UsernameAuto, "alex@example.org", "alex@example.org"},
		{"only a username", "username\nAlex\n", directory.UsernameAuto, "Alex", "alex"},
		{"an id", "id,username\nP-17,alex\n", directory.UsernameAuto, "alex", "p-17"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(t, Config{ID: "hr", Path: write(t, tt.text), Username: tt.rule})
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Username != tt.wantUser || got[0].Key != tt.wantKey {
				t.Errorf("username %q, key %q; want %q, %q", got[0].Username, got[0].Key, tt.wantUser, tt.wantKey)
			}
		})
	}
}

func TestDomainOfTheSourceFillsInForShortNames(t *testing.T) {
	got, err := read(t, Config{ID: "hr", Path: write(t, "id,sam,domain\n1,alex,\n2,kim,LAB\n"), Domain: "CORP"})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Domain != "CORP" || got[1].Domain != "LAB" {
		t.Errorf("domains %q and %q, want CORP and LAB", got[0].Domain, got[1].Domain)
	}
}

func TestMistakesAreAllListedAndNothingIsRead(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Mistake // Reason is a part of the text
	}{
		{"empty", "", []Mistake{{1, "the file is empty"}}},
		{"only a byte order mark", "\ufeff\r\n", []Mistake{{1, "the file is empty"}}},
		{"nobody", "id,upn\n", []Mistake{{1, "lists nobody"}}},
		{"UTF-16", "\xff\xfei\x00d\x00", []Mistake{{1, "UTF-16"}}},
		{"a column nobody knows", "id,upn,phone\n1,a@example.org,5\n", []Mistake{{1, `"phone"; the columns may be id, username, upn`}}},
		{"a column twice", "id,upn,UPN\n", []Mistake{{1, "upn is there twice"}}},
		{"no first line", "1001,alex\n", []Mistake{{1, `"1001"`}, {1, `"alex"`}}},
		{"nothing that tells people apart", "sam,email\nalex,a@example.org\n", []Mistake{{1, "no column id"}}},
		{"id twice, and in other case", "id,upn\np1,a@example.org\nP1,b@example.org\n", []Mistake{{3, "already that of line 2"}}},
		{"id missing", "id,upn\n,a@example.org\n", []Mistake{{2, "the id is missing"}}},
		{"no name at all", "id,display_name\n1,Alex\n", []Mistake{{2, "no username"}}},
		{"too few and too many fields", "id,upn\n1\n2,b@example.org,x\n", []Mistake{{2, "has 1 fields but"}, {3, "has 3 fields but"}}},
		{"not UTF-8", "id,upn,office\n1,a@example.org,caf\xe9\n", []Mistake{{2, "office is not UTF-8"}}},
		{"invisible character", "id,upn\n1,al\u200dex@example.org\n", []Mistake{{2, "invisible character U+200D"}}},
		{"look-alike", "id,upn\n1,аlex@example.org\n", []Mistake{{2, "look like Latin"}}},
		{"look-alike alias", "id,upn,aliases\n1,a@example.org,kim;аlex\n", []Mistake{{2, "look like Latin"}}},
		{"not a UPN", "id,upn\n1,alex\n", []Mistake{{2, "write it like alex.test@example.org"}}},
		{"disabled", "id,upn,disabled\n1,a@example.org,perhaps\n", []Mistake{{2, `disabled is "perhaps": write yes or no`}}},
		{"control character", "id,upn,office\n1,a@example.org,\"B\n12\"\n", []Mistake{{2, "office has a line break"}}},
		{"open quote", "id,upn\n1,a@example.org\n2,\"b@example.org\n3,c@example.org\n", []Mistake{{3, "not closed"}}},
		{"quote inside", "id,upn\n1,a\"b@example.org\n2,b\n", []Mistake{{2, "inside a field"}, {3, "write it like"}}},
		{
			"several", "id,upn,disabled\n,a@example.org,no\n2,b@example.org,no\n2,c@example.org,maybe\n",
			[]Mistake{{2, "missing"}, {4, "yes or no"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(t, Config{ID: "hr", Path: write(t, tt.text)})
			if len(got) > 0 {
				t.Errorf("%d people were handed over from a file with a mistake", len(got))
			}
			var wrong *MistakesError
			if !errors.As(err, &wrong) || !errors.Is(err, core.ErrInvalid) {
				t.Fatalf("error %v, want a MistakesError that is core.ErrInvalid", err)
			}
			if len(wrong.Mistakes) != len(tt.want) || wrong.Count != len(tt.want) {
				t.Fatalf("%d mistakes, want %d:\n%v", wrong.Count, len(tt.want), err)
			}
			for i, w := range tt.want {
				if m := wrong.Mistakes[i]; m.Line != w.Line || !strings.Contains(m.Reason, w.Reason) {
					t.Errorf("mistake %d: line %d: %s\nwant line %d with %q", i, m.Line, m.Reason, w.Line, w.Reason)
				}
			}
			if text := err.Error(); !strings.Contains(text, `"hr"`) || !strings.Contains(text, fmt.Sprintf("line %d:", tt.want[0].Line)) {
				t.Errorf("the error names neither source nor line: %s", text)
			}
		})
	}
}

func TestManyMistakesAreCountedNotAllListed(t *testing.T) {
	text := "id,upn\n" + strings.Repeat(",x\n", 1000)
	_, err := read(t, Config{ID: "hr", Path: write(t, text)})
	var wrong *MistakesError
	if !errors.As(err, &wrong) || len(wrong.Mistakes) != maxMistakes || wrong.Count < 1000 {
		t.Fatalf("error %v, want %d listed of at least 1000", err, maxMistakes)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("and %d more", wrong.Count-maxMistakes)) {
		t.Errorf("the rest is not counted: %v", err)
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	if _, err := read(t, Config{ID: "hr", Path: filepath.Join(dir, "gone.csv")}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "put the file back") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := read(t, Config{ID: "hr", Path: dir}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a folder: %v", err)
	}
}

func TestReadStops(t *testing.T) {
	path := write(t, "id,upn\n1,a@example.org\n2,b@example.org\n")
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := directory.People(ctx, New(Config{ID: "hr", Path: path}), func(directory.Record) error { calls++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("after cancel: %d calls, %v", calls, err)
	}
	stop := errors.New("enough")
	if err := directory.People(t.Context(), New(Config{ID: "hr", Path: path}), func(directory.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("yield's error was lost: %v", err)
	}
}

func TestCheckSaysWhatItSaw(t *testing.T) {
	got, err := New(Config{ID: "hr", Path: write(t, "upn;sam\na@example.org;a\nb@example.org;b\n")}).Check(t.Context())
	if err != nil || !strings.Contains(got, "2 people; fields are separated by semicolons") || !strings.Contains(got, "a changed upn makes a new person") {
		t.Errorf("Check() = %q, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"id,upn\n1,a@example.org\n", "\ufeffid;sam;domain\r\n1;a;b\r\n", "upn\tsam\n\"a@b\"\tx\n", "id,upn\n\"1,a\n", "username\n\xff\n", "id,aliases,username\n1,a;b;;,c\n",
		"id,upn,cards,access_code,pin,language,employee_id,groups\n1,a@example.org,04A1;04B2,7K3F,0042,de-CH,17,Staff;staff;Lab\n", "id;upn;cards\n1;a@b;4.1E+14\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, wrong := parse(t.Context(), text, "CORP", directory.UsernameAuto)
		if wrong.count == 0 && len(got.records) == 0 {
			t.Error("neither a person nor a mistake")
		}
		if wrong.count > 0 {
			return
		}
		keys := map[string]bool{}
		for _, r := range got.records {
			if r.Key == "" || r.Username == "" || keys[r.Key] {
				t.Errorf("record without its own key and username: %+v", r)
			}
			keys[r.Key] = true
			for _, card := range r.Cards {
				if strings.TrimSpace(card.Reveal()) == "" {
					t.Errorf("an empty card: %+v", r)
				}
			}
		}
		for _, g := range got.groups {
			if keys[g.Key.ID] || len(g.Members) == 0 {
				t.Errorf("group without its own key and a member: %+v", g)
			}
			keys[g.Key.ID] = true
			members := map[string]bool{}
			for _, m := range g.Members {
				if !keys[m.ID] || members[m.ID] {
					t.Errorf("%v is nobody, or a member twice: %+v", m, g)
				}
				members[m.ID] = true
			}
		}
	})
}
