package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// hostile is what a directory, or somebody in it, may have written: colours, a title, an 8-bit escape, right to left, a false message.
const hostile = "no\x1b[2J\x1b]0;owned\x07\u009b31m\u202egnp.exe\u2066\U000e0041\u200b\nplaten-server: all is well"

func acts(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && moves(r) })
}

func TestAnErrorOfADirectoryDoesNothingToATerminal(t *testing.T) {
	var errs bytes.Buffer
	a := &app{Streams: Streams{Out: &bytes.Buffer{}, Err: &errs}}
	a.report(errors.New(hostile))
	if got := errs.String(); acts(got) || strings.Contains(got, "\nplaten-server:") || !strings.Contains(got, "all is well") {
		t.Errorf("%q", got)
	}
}

func TestJSONDoesNothingToATerminalAndSaysTheSame(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{Streams: Streams{Out: &out, Err: &errs}, json: true}
	a.report(errors.New(hostile))
	if err := a.print(map[string]string{"name": hostile, "plain": "Zoë <ü> 漢"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.writeLines([]admin.SyncLogLine{{Name: hostile}}, true); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out.Bytes()))
	var first map[string]string
	var second admin.SyncLogLine
	if err := errors.Join(dec.Decode(&first), dec.Decode(&second)); err != nil || first["name"] != hostile || second.Name != hostile || first["plain"] != "Zoë <ü> 漢" {
		t.Errorf("%q, %q, %v", first, second.Name, err)
	}
	var e struct{ Error struct{ Message string } }
	if err := json.Unmarshal(errs.Bytes(), &e); err != nil || e.Error.Message != hostile {
		t.Errorf("%q, %v", e.Error.Message, err)
	}
	plan := showPlan(t, false, false, true, admin.PlanHead{ID: hostile}, []admin.PlanChange{{Change: dirsync.Change{Username: hostile}}})
	var p struct {
		Changes []admin.PlanChange
		Plan    admin.PlanHead
	}
	if err := json.Unmarshal([]byte(plan), &p); err != nil || p.Plan.ID != hostile || p.Changes[0].Username != hostile {
		t.Errorf("%q, %v", plan, err)
	}
	if text := out.String() + errs.String() + plan; acts(text) || !strings.Contains(text, "Zoë <ü> 漢") {
		t.Errorf("%q", text)
	}
}

func TestNoCellOfAPlanIsAFormula(t *testing.T) {
	for _, name := range []string{"=1+1", "＝1+1", "@SUM(1)", "\n=1"} {
		out := showPlan(t, false, true, false, admin.PlanHead{}, []admin.PlanChange{{Change: dirsync.Change{Username: name}}})
		if !strings.Contains(out, "'"+name) {
			t.Errorf("%q: %q", name, out)
		}
	}
}
