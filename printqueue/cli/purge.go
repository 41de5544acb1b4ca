package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/service"
)

func newPurge(p *program) *cobra.Command {
	return p.privileged(&cobra.Command{
		Use: "purge", Short: "Remove everything the service keeps on this computer: enrolment, key, logs; the service must be stopped",
		Long: `Purge removes the folders of the service with the enrolment, its key, and the logs. What is kept of people is removed by
"clients purge". On the server the device stays listed until platen-server device forget.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := p.purge(c.Context()); err != nil {
				return fail(fmt.Errorf("remove what the service keeps: %w", err))
			}
			p.done("removed; on the server: platen-server device forget")
			return nil
		},
	})
}

var errRuns = errors.New("the service works with it; stop it first (platen-deploy stop)")

func (p *program) purge(ctx context.Context) error {
	if m, err := p.Services(); err == nil {
		if state, err := m.State(ctx); err == nil && state == service.Running {
			return errRuns
		}
	}
	places, err := p.Places()
	if err != nil {
		return err
	}
	free, err := takeForGood(places.State)
	if err != nil {
		return err
	}
	err = remove(places.Log)       // may be inside of the state
	if runtime.GOOS == "windows" { // which removes no open file
		free()
	} else {
		defer free()
	}
	if err = errors.Join(err, remove(places.State)); err == nil {
		leaveNothing(places.State)
	}
	return err
}

// takeForGood makes sure that no service works with a folder.
func takeForGood(path string) (free func(), err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	dir, err := private.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	free, err = dir.Lock()
	if errors.Is(err, private.ErrBusy) {
		err = errRuns
	}
	return free, err
}

// remove removes a folder of the service with all that is in it. A folder that is not the service's alone, or a link, is refused:
// it is not ours, and neither is what it leads to.
func remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dir, err := private.Open(path)
	if err != nil {
		return err
	}
	if err := dir.Close(); err != nil {
		return err
	}
	parent, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }()
	return parent.RemoveAll(filepath.Base(path)) // follows no link
}

// leaveNothing removes the folder above, where it is ours alone (Windows, macOS) and empty by now.
func leaveNothing(state string) {
	above := filepath.Dir(state)
	if runtime.GOOS == "linux" || filepath.Base(above) != "Platen" {
		return
	}
	_ = os.Remove(filepath.Join(above, "public")) // only if it is empty, as is the next
	_ = os.Remove(above)
}
