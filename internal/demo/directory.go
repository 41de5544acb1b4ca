package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// newcomers is how many people the directory of the demo has.
const newcomers = 40

// directory adds a directory by commands, lets it lose nearly everybody, and brings them back.
func (w *walk) directory(ctx context.Context) error {
	file := w.here.Path("students.csv")
	if err := students(file, newcomers); err != nil {
		return err
	}
	if _, err := w.site.Admin(ctx, "", "sync", "add", "csv", "--id", "students", "--path", file, "--manual"); err != nil {
		return err
	}
	plan, err := w.site.Admin(ctx, "", "sync", "plan", "students")
	if err != nil {
		return err
	}
	summary, _, _ := strings.Cut(plan, "\n")
	w.did("Add a directory and look at its plan", "%s", summary)
	if _, err := w.site.Admin(ctx, "", "sync", "apply", "students"); err != nil {
		return err
	}
	if err := students(file, 2); err != nil {
		return err
	}
	if _, err := w.site.Admin(ctx, "", "sync", "apply", "students"); err == nil {
		return fmt.Errorf("the brake let %d people go", newcomers-2)
	}
	stopped, err := w.newestRun(ctx)
	if err != nil {
		return err
	}
	w.did("Let the file lose nearly everybody, and synchronise", "%s by the brake; all %d are still here", stopped.Outcome, newcomers)
	if _, err := w.site.Admin(ctx, "", "sync", "apply", "--plan", stopped.Plan, "--reason", "to see what happens"); err != nil {
		return err
	}
	gone, err := w.newestRun(ctx)
	if err != nil {
		return err
	}
	if _, err := w.site.Admin(ctx, "", "sync", "undo", fmt.Sprint(gone.ID), "--reason", "it was a mistake", "--yes"); err != nil {
		return err
	}
	list, err := w.site.Admin(ctx, "", "user", "list", "--source", "students", "--json")
	if err != nil {
		return err
	}
	if back := strings.Count(list, `"active"`); back != newcomers {
		return fmt.Errorf("%d of %d people are back", back, newcomers)
	}
	w.did("Approve its plan all the same, and take the run back", "%d people left, and one command brought all of them back", gone.Disabled)
	return nil
}

func students(file string, n int) error {
	var b strings.Builder
	b.WriteString("id,upn,display_name\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,student%d@example.org,Student %d\n", i, i, i)
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// syncRun is a synchronisation as far as it is looked at here.
type syncRun struct {
	ID       int64
	Outcome  string
	Plan     string
	Disabled int
}

func (w *walk) newestRun(ctx context.Context) (syncRun, error) {
	text, err := w.site.Admin(ctx, "", "sync", "runs", "students", "--limit", "1", "--json")
	if err != nil {
		return syncRun{}, err
	}
	var list struct{ Runs []syncRun }
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Runs) != 1 {
		return syncRun{}, fmt.Errorf("the newest run: %s", text)
	}
	return list.Runs[0], nil
}
