package users_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// lines is the result in short form.
func lines(r users.ImportResult) []string {
	var out []string
	for _, l := range r.Lines {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", l.Line, l.Username, l.Action, strings.Join(l.Fields, ","))))
	}
	return out
}

const csvFile = "\ufeffusername;display_name;email;aliases;password;overdraft;balance;disabled\r\n" +
	"alex.test@example.org;Alex Test;alex@mail.example.org;\"alex;lexi\";correct horse;5.00;12.34;\r\n" +
	"\r\n" +
	"visitor;\"Visitor; first floor\";;;;;;yes\r\n"

func TestImportCSV(t *testing.T) {
	f := newFixture(t)
	want := []string{"2 alex.test@example.org create username,aliases,display_name,email,overdraft,password", "4 visitor create username,disabled,display_name"}

	preview, err := f.users.Import(t.Context(), "admin", strings.NewReader(csvFile), users.ImportOptions{Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(preview)); diff != "" {
		t.Errorf("preview: %s", diff)
	}
	if list, err := f.users.List(t.Context(), store.UserFilter{}); len(list) != 0 || err != nil || len(f.changed) != 0 || len(f.audit(t)) != 0 {
		t.Fatalf("a preview left %v, %v, changes %v", list, err, f.changed)
	}

	real, err := f.users.Import(t.Context(), "admin", strings.NewReader(csvFile), users.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(real)); diff != "" {
		t.Errorf("import: %s", diff)
	}
	alex, err := f.users.Find(t.Context(), "lexi")
	if err != nil || alex.DisplayName != "Alex Test" || alex.Overdraft != 50000 {
		t.Errorf("Find = %+v, %v", alex, err)
	}
	if len(real.Balances) != 1 || real.Balances[0].User != alex.ID || real.Balances[0].Amount != 123400 || real.Balances[0].Key == "" {
		t.Errorf("balances %+v", real.Balances)
	}
	if v, err := f.users.Find(t.Context(), "visitor"); err != nil || !v.Disabled || v.DisplayName != "Visitor; first floor" {
		t.Errorf("Find = %+v, %v", v, err)
	}

	again, err := f.users.Import(t.Context(), "admin", strings.NewReader(csvFile), users.ImportOptions{})
	if err != nil || again.Count(users.ImportUnchanged) != 2 {
		t.Errorf("the same file again: %q, %v", lines(again), err)
	}
	if diff := cmp.Diff(real.Balances, again.Balances); diff != "" {
		t.Errorf("the same file has other keys: %s", diff)
	}
}

func TestImportChangesOnlyWhatTheFileHas(t *testing.T) {
	f := newFixture(t)
	f.add(t, users.NewUser{Username: "alex", DisplayName: "Alex", Email: "alex@example.org", Password: secret.New("old password")})
	r, err := f.users.Import(t.Context(), "admin", strings.NewReader("username,email,password\nALEX,,new password\nnobody,,\n"), users.ImportOptions{UpdateOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2 alex update password", "3 nobody skip"}, lines(r)); diff != "" {
		t.Error(diff)
	}
	d, err := f.users.Show(t.Context(), 1)
	if err != nil || d.User.Email != "alex@example.org" || d.User.DisplayName != "Alex" {
		t.Errorf("an empty column changed something: %+v, %v", d.User, err)
	}
}

// The columns are those of the vendor's manual; see Format.
func TestA1_27_ImportPaperCut(t *testing.T) {
	f := newFixture(t)
	cards := f.withCards(t, nil)
	f.addDirectoryUser(t, "sam.hill@example.org", "sam")
	file := "alex.test\t10.50\tN\tAlex Test\talex@example.org\tPhysics\tRoom 1\t1234567\t9931\tsome note\t7654321\tother@example.org\tatest\t\\\\srv\\home\r\n" +
		"sam.hill@example.org\t-1.00\t\tSomebody Else\t\t\t\t\t\t\t\t\tsammy\r\n" +
		"short\r\n"
	r, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), users.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 alex.test create username,aliases,department,display_name,email,office,cards,code,pin", "2 sam.hill@example.org update aliases", "3 short create username,code"}
	if diff := cmp.Diff(want, lines(r)); diff != "" || r.Format != users.FormatPaperCut {
		t.Errorf("%s %s", r.Format, diff)
	}
	if diff := cmp.Diff([]string{"restricted", "notes", "other e-mail addresses", "home folder"}, r.Ignored); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(r.Lines[1].Note, "corp") {
		t.Errorf("nothing says what was left alone: %q", r.Lines[1].Note)
	}
	if len(r.Balances) != 2 || r.Balances[0].Amount != 105000 || r.Balances[1].Amount != -10000 {
		t.Errorf("balances %+v", r.Balances)
	}
	for _, name := range []string{"atest", "sammy"} {
		if _, err := f.users.Find(t.Context(), name); err != nil {
			t.Errorf("alias: %v", err)
		}
	}
	for _, number := range []string{"1234567", "7654321"} {
		if found, err := cards.FindCard(t.Context(), secret.New(number)); err != nil || found.User.Username != "alex.test" {
			t.Errorf("the card %s is that of %+v, %v", number, found.User, err)
		}
	}
	if ok, err := cards.CheckPIN(t.Context(), r.Lines[0].User, secret.New("9931")); err != nil || !ok {
		t.Errorf("CheckPIN = %v, %v", ok, err)
	}
	sam, err := f.users.Find(t.Context(), "sam")
	if err != nil || sam.DisplayName != "" {
		t.Errorf("the directory's field was changed: %+v, %v", sam, err)
	}
	again, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), users.ImportOptions{})
	if err != nil || again.Count(users.ImportUnchanged) != 3 {
		t.Errorf("again: %q, %v", lines(again), err)
	}
}

func TestImportPaperCutInternalUsers(t *testing.T) {
	f := newFixture(t)
	r, err := f.users.Import(t.Context(), "admin", strings.NewReader("x123\tcorrect horse\t1.00\tN\tAlex\n"), users.ImportOptions{Format: users.FormatPaperCutInternal})
	if err != nil || r.Count(users.ImportCreate) != 1 {
		t.Fatalf("%v, %v", lines(r), err)
	}
	if d, err := f.users.Show(t.Context(), 1); err != nil || !d.HasPassword || d.User.DisplayName != "Alex" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestImportRefusesTheWholeFileForOneMistake(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		format     users.Format
		line       int
		reason     string
	}{
		{"empty", " \n", "", 1, "empty"},
		{"no header", "alex,Alex\n", "", 1, "first line"},
		{"unknown column", "username,fullname\nalex,Alex\n", "", 1, `"fullname"`},
		{"column twice", "username,email,email\nalex,,\n", "", 1, "twice"},
		{"header only", "username\n", "", 1, "nobody"},
		{"no username", "username,email\nok,\n,x@example.org\n", "", 3, "username is missing"},
		{"too many columns", "username\nok\nalex,1\n", "", 3, "2 columns"},
		{"bad amount", "username,balance\nok,1.00\nalex,\"1,50\"\n", "", 3, "balance"},
		{"bad yes", "username,disabled\nalex,perhaps\n", "", 2, "yes"},
		{"not UTF-8", "username,display_name\nok,\nalex,M\xfcller\n", "", 3, "UTF-8"},
		{"twice in the file", "username\nalex\nsam\nALEX\n", "", 4, "line 2"},
		{"one person by two names", "username\nold\nold-alias\n", "", 3, "line 2"},
		{"alias taken by an earlier line", "username,aliases\nalex,x\nsam,x\n", "", 3, "alias of user"},
		{"name of somebody", "username,aliases\nalex,old\n", "", 2, "username of user"},
		{"short password", "username,password\nok,\nalex,hunter2\n", "", 3, "shorter"},
		{"unclosed quote", "username\nok\n\"alex\n", "", 3, "quote"},
		{"PaperCut: password where the balance stands", "alex\thunter2pass\t1.00\n", users.FormatPaperCut, 1, "balance"},
		{"PaperCut: too many columns", "alex" + strings.Repeat("\t", 20), users.FormatPaperCut, 1, "columns"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.add(t, users.NewUser{Username: "old", Aliases: []string{"old-alias"}})
			before := len(f.audit(t))
			_, err := f.users.Import(t.Context(), "admin", strings.NewReader(tt.file), users.ImportOptions{Format: tt.format})
			var problems *users.ImportError
			if !errors.As(err, &problems) || !errors.Is(err, core.ErrInvalid) {
				t.Fatalf("err = %v", err)
			}
			if p := problems.Problems[0]; p.Line != tt.line || !strings.Contains(p.Reason, tt.reason) {
				t.Errorf("got line %d: %s; want line %d with %q", p.Line, p.Reason, tt.line, tt.reason)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the password: %v", err)
			}
			if list, err := f.users.List(t.Context(), store.UserFilter{}); len(list) != 1 || err != nil || len(f.audit(t)) != before {
				t.Errorf("half imported: %v, %v", list, err)
			}
		})
	}
}

func TestImportListsEveryMistake(t *testing.T) {
	f := newFixture(t)
	file := "username,balance\n" + strings.Repeat("x,no\n", 150)
	_, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), users.ImportOptions{})
	var problems *users.ImportError
	if !errors.As(err, &problems) || len(problems.Problems) != 100 || problems.More != 50 || !strings.Contains(err.Error(), "line 101:") {
		t.Errorf("err = %v", err)
	}
}

func TestImportReadsUTF16(t *testing.T) {
	f := newFixture(t)
	text := "username\tdisplay_name\nalex\tÄlex\n"
	utf16 := []byte{0xff, 0xfe}
	for _, r := range text {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	if _, err := f.users.Import(t.Context(), "admin", strings.NewReader(string(utf16)), users.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if u, err := f.users.Find(t.Context(), "alex"); err != nil || u.DisplayName != "Älex" {
		t.Errorf("%+v, %v", u, err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add(csvFile, "")
	f.Add("a\tb\tc\n", "papercut")
	f.Add("username;cards;access_code;pin\na;1234;;99\n", "csv")
	f.Add("username\n\"", "csv")
	f.Fuzz(func(t *testing.T, file, format string) {
		parsed, err := users.ParseFormat(format)
		if err != nil {
			return
		}
		rows, err := users.ParseForTest(file, parsed)
		if err == nil && rows == 0 {
			t.Error("a file without people was accepted")
		}
	})
}
