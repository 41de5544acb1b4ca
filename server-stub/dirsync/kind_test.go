package dirsync

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

func TestAFailedRunIsOfTheKindThatFailed(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	s.mustRun(src, Settings{})
	src.fault = errors.New("the directory does not answer")
	for _, tt := range []struct {
		name     string
		settings Settings
		tooOld   bool
		want     core.RunKind
	}{
		{"what changed", Settings{}, false, core.RunChanges},
		{"everything", Settings{Full: true}, false, core.RunFull},
		{"everything, as what changed is not known any more", Settings{}, true, core.RunFull},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src.oldest = map[bool]int{true: 1 << 30}[tt.tooOld]
			s.now = s.now.Add(time.Minute)
			run, err := s.sync.Run(t.Context(), src, tt.settings)
			if err == nil || run.Outcome != OutcomeFailed || run.Kind != tt.want {
				t.Errorf("kind %q, %+v, %v", run.Kind, run, err)
			}
			s.view(func(ctx context.Context, tx store.Tx) {
				list, err := tx.SyncRuns(ctx, "corp", 1)
				if err != nil || len(list) != 1 || list[0].Kind != tt.want {
					t.Errorf("kept as %+v, %v", list, err)
				}
			})
		})
	}
}
