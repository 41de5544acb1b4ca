package service

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLogsArePutAwayAndTheOldestGoes(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 { // opened anew, it goes on
		l, err := openLog(dir, 30)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			fmt.Fprintf(l, "line %d of %d........\n", i, round) // 20 bytes and more: one in a file
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	want := map[string]string{"": "9", ".1": "8", ".2": "7", ".3": "6", ".4": "5"}
	got := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		got[strings.TrimPrefix(name, logFile)] = strings.TrimSuffix(strings.TrimPrefix(string(text), "line "), " of 1........\n")
		return err
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if info, err := os.Stat(filepath.Join(dir, logFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestR_LINK_1_LogIsNoLinkThatLeadsOut(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.Symlink(victim, filepath.Join(dir, logFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(dir); err == nil {
		t.Error("it was opened")
	}
	if _, err := os.Stat(victim); err == nil {
		t.Error("it was written through the link")
	}
}
