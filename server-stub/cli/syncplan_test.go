package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// samplePlan has a change of every kind.
func samplePlan() (list []admin.PlanChange) {
	add := func(c dirsync.Change) { list = append(list, admin.PlanChange{Change: c, Words: c.Words()}) }
	for i := range 25 {
		add(dirsync.Change{Username: fmt.Sprintf("new%d", i), Where: fmt.Sprintf("line %d", i), Actions: []dirsync.Action{dirsync.ActionCreate}})
	}
	add(dirsync.Change{User: 5, Username: "bea", Actions: []dirsync.Action{dirsync.ActionUpdate}, Fields: []dirsync.FieldChange{{Field: "department", New: "=HYPERLINK(\"x\")"}}, Details: []string{"the card ending in 05 ends"}})
	add(dirsync.Change{User: 6, Username: "gone", Actions: []dirsync.Action{dirsync.ActionDelete}})
	add(dirsync.Change{Where: "line 99", Problems: []string{"has no id"}})
	add(dirsync.Change{Where: "line 98", Proposed: 12, Problems: []string{"has the e-mail address of user 12"}})
	add(dirsync.Change{User: 7, Username: "kim", Actions: []dirsync.Action{dirsync.ActionUpdate}, Weak: []string{"the code is 1234\x1b[2J"}})
	return list
}

func showPlan(t *testing.T, all, asCSV, asJSON bool, head admin.PlanHead, list []admin.PlanChange) string {
	t.Helper()
	var out bytes.Buffer
	a := &app{Streams: Streams{Out: &out, Err: &bytes.Buffer{}, Getenv: func(string) string { return "/srv/platen" }}, data: "/srv/platen", json: asJSON}
	v := a.planView(all, asCSV)
	for _, c := range list {
		if err := v.change(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.end(head); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAPlanShowsEveryKindAndTheNextCommand(t *testing.T) {
	head := admin.PlanHead{ID: "p-1", Summary: "30 people listed"}
	out := showPlan(t, false, false, false, head, samplePlan())
	for _, want := range []string{
		"30 people listed\n", "\nNew: 25\n", "and 5 more: platen-server sync plan --plan p-1 --all\n", "\nNo longer listed: cannot sign in, keep everything: 1\n", "gone  id:6\n",
		"bea   department    -    =HYPERLINK", "bea   card or code  -    the card ending in 05 ends", "\nLeft out, wholly or in part: 1\n", "line 99  has no id\n",
		"line 98  id:12  has the e-mail address of user 12\n", "To apply it", "platen-server sync apply --plan p-1\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("a directory moves the cursor")
	}
	if all := showPlan(t, true, false, false, head, samplePlan()); !strings.Contains(all, "new24") || strings.Contains(all, "more:") {
		t.Errorf("--all leaves something out:\n%s", all)
	}
	head.Stopped = "would disable 50 of 60"
	if out := showPlan(t, false, false, false, head, samplePlan()); !strings.Contains(out, `sync apply --plan p-1 --reason "WHY"`) || strings.Contains(out, "To apply it") {
		t.Errorf("stopped:\n%s", out)
	}
	if out := showPlan(t, false, false, false, admin.PlanHead{}, nil); !strings.Contains(out, "There is nothing to apply") {
		t.Errorf("empty:\n%s", out)
	}
}

func TestAPlanAsJSONIsOneValue(t *testing.T) {
	for _, list := range [][]admin.PlanChange{nil, samplePlan()} {
		var got struct {
			Changes []admin.PlanChange
			Plan    admin.PlanHead
		}
		if err := json.Unmarshal([]byte(showPlan(t, false, false, true, admin.PlanHead{ID: "p-1"}, list)), &got); err != nil || len(got.Changes) != len(list) || got.Plan.ID != "p-1" || got.Changes == nil {
			t.Errorf("%d changes of %d, plan %q, %v", len(got.Changes), len(list), got.Plan.ID, err)
		}
	}
}

func TestAPlanAsCSVIsNoFormula(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(showPlan(t, false, true, false, admin.PlanHead{}, samplePlan()))).ReadAll()
	if err != nil || len(rows) != 32 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
}

func TestACommandIsWrittenAsItCanBeTyped(t *testing.T) {
	for data, want := range map[string]string{
		"/srv/platen": "platen-server sync plan corp", "/srv/my data": "platen-server sync plan corp --data '/srv/my data'", "/srv/it's": `platen-server sync plan corp --data '/srv/it'\''s'`,
	} {
		a := &app{Streams: Streams{Getenv: func(string) string { return "/srv/platen" }}, data: data}
		if got := a.hint("sync plan %s", "corp"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestRunsSayWhatTheNewestSaidShortly(t *testing.T) {
	var out bytes.Buffer
	a := &app{Streams: Streams{Out: &out, Err: &bytes.Buffer{}, Getenv: func(string) string { return "" }}}
	runs := admin.SyncRuns{Runs: []admin.SyncRun{
		{ID: 8, Source: "hr", Outcome: "stopped", Message: strings.TrimSuffix(strings.Repeat("line 1 has no id\n", 21), "\n"), PlanID: "p-8"}, {ID: 7, Source: "hr", Outcome: "failed", Message: "long ago"},
	}}
	if err := a.showRuns(runs, false); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "has no id") != 5 || !strings.Contains(got, "and 16 lines more") || strings.Contains(got, "long ago") || !strings.Contains(got, "plan p-8") {
		t.Error(got)
	}
	for outcome, want := range map[string]int{"stopped": ExitRefused, "failed": ExitFailed, "ok": ExitOK} {
		got := ExitOK
		if err := a.showRuns(admin.SyncRuns{Runs: []admin.SyncRun{{ID: 1, Source: "hr", Outcome: outcome}}}, true); err != nil {
			got = exitCode(err)
		}
		if got != want {
			t.Errorf("%s ends with %d, want %d", outcome, got, want)
		}
	}
}
