package cli

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/admin"
)

func someReview() nameReview {
	return nameReview{
		To:      "upn",
		Summary: map[string]int{"unchanged": 1, "gains alias": 1, "ambiguous": 1, "no match": 1},
		Lines: []admin.ReviewLine{
			{ID: 1, Username: "mia@example.org", NewUsername: "mia@example.org", State: "unchanged", Jobs: []admin.ReviewJob{{Name: "mia", Now: "mia@example.org", After: "mia@example.org"}}},
			{ID: 2, Username: "alex", NewUsername: "alex.test@example.org", State: "gains alias", Jobs: []admin.ReviewJob{{Name: "alex", Now: "alex", After: "alex"}, {Name: `CORP\alex`, Now: "alex", After: "alex"}}},
			{ID: 3, Username: "sam", NewUsername: "sam@example.org", State: "ambiguous", Problems: []string{"a job of sam could also be that of sam2", "second"}, Jobs: []admin.ReviewJob{{Name: "sam"}}},
			{ID: 4, Username: "=HYPERLINK(\"http://evil.example\")", DisplayName: "@SUM(1)", State: "no match", Problems: []string{"-1+2"}},
		},
	}
}

func TestA1_30_ReviewAsATableShowsWhoNeedsALook(t *testing.T) {
	var out bytes.Buffer
	showReview(&out, someReview(), false)
	for _, want := range []string{"sam@example.org", "ambiguous", "second", "unchanged    1\n", "gains alias  1\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "mia") || strings.Contains(out.String(), "alex.test") {
		t.Errorf("shows who needs no look:\n%s", out.String())
	}
	out.Reset()
	showReview(&out, someReview(), true)
	if !strings.Contains(out.String(), "mia") {
		t.Errorf("--all leaves somebody out:\n%s", out.String())
	}
}

func TestA1_43_ReviewAsCSVHasNoFormula(t *testing.T) {
	var out bytes.Buffer
	if err := reviewCSV(&out, someReview()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	want := []string{"2", "alex", "", "", "alex.test@example.org", "gains alias", "", `CORP\alex`, "alex", "alex"}
	if diff := cmp.Diff(want, rows[3]); diff != "" {
		t.Error(diff)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	if rows[5][1] != `'=HYPERLINK("http://evil.example")` || rows[5][2] != "'@SUM(1)" || rows[5][6] != "'-1+2" {
		t.Errorf("%q", rows[5])
	}
}

func FuzzFormulaSafe(f *testing.F) {
	for _, s := range []string{"", "=1", "+1", "-1", "@x", "\t=1", "＝1", "a=1", "\xff=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := formulaSafe([]string{s})[0]
		if got != s && got != "'"+s || got != "" && strings.ContainsAny(got[:1], "=+-@\t\r\n") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func TestMigrationIsShown(t *testing.T) {
	var out bytes.Buffer
	showMigration(&out, admin.Migration{Preview: true, People: 3, Renamed: 1, Conflicts: 1, Lines: []admin.MigrationLine{
		{ID: 1, Old: "alex", New: "alex.test@example.org", Action: "rename"}, {ID: 2, Old: "sam", New: "sam@example.org", Action: "conflict", Why: "the name is the email of user 7"},
	}})
	first, second := strings.Index(out.String(), "conflict"), strings.Index(out.String(), "rename")
	if first < 0 || second < first || !strings.Contains(out.String(), "Do it with --apply.") {
		t.Errorf("what is to be looked at does not come first:\n%s", out.String())
	}
}

func TestResolvedIsShownWithWhy(t *testing.T) {
	var out bytes.Buffer
	showResolved(&out, `CORP\alex`, admin.Resolved{Outcome: "one", User: &admin.NamedUser{ID: 7, Username: "alex@example.org", Source: "corp"}, Why: []string{"it is so"}})
	if want := "CORP\\alex is alex@example.org (id:7, corp).\nWhy:\n  it is so\n"; out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	showReason(&out, admin.GroupReason{User: admin.NamedUser{Username: "mia"}, Group: admin.Group{Name: "school"}, In: true, Paths: [][]admin.Group{{{Name: "class"}, {Name: "school"}}}})
	if want := "mia is in school:\n  mia > class > school\n"; out.String() != want {
		t.Errorf("A2_22: got\n%s", out.String())
	}
}
