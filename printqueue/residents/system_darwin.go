package residents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/platenprint/platen/internal/sysexec"
)

// applications is where the package puts the programs of people; the service lives elsewhere.
const applications = "/Applications/Platen.app/Contents/MacOS"

func newSystem(Options) system {
	return system{find: find, homes: findHomes, purge: purgeAs}
}

func programs() (string, error) { return applications, nil }

// running is a process as ps(1) tells it. macOS has no handle for a process of somebody else; the number is used at once.
type running struct {
	number int
	path   string
}

func find(paths ...string) ([]process, error) {
	cmd, err := sysexec.Command(context.Background(), "/bin/ps", "-axwwo", "pid=,comm=")
	if err != nil {
		return nil, err
	}
	cmd.Env = []string{"LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("look for running programs: %w", err)
	}
	var found []process
	for line := range strings.Lines(string(out)) {
		number, path, ok := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if path = strings.TrimSpace(path); !ok || err != nil || pid <= 1 || pid == os.Getpid() || !slices.Contains(paths, path) {
			continue
		}
		found = append(found, &running{number: pid, path: path})
	}
	return found, nil
}

func (p *running) pid() int        { return p.number }
func (p *running) program() string { return p.path }

// current: macOS does not tell whether the file was replaced.
func (p *running) current() bool { return true }

func (p *running) signal(s syscall.Signal) error {
	if err := syscall.Kill(p.number, s); err != nil {
		return fmt.Errorf("signal %d: %w", p.number, err)
	}
	return nil
}

func (p *running) ended() bool { return errors.Is(syscall.Kill(p.number, 0), syscall.ESRCH) }

func (p *running) free() {}
