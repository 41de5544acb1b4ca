package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ThisSystem lists the programs of this computer.
func ThisSystem() Processes { return procfs{"/proc"} }

// procfs reads a proc(5) file system.
type procfs struct{ root string }

// List returns the processes whose command line can be read. Those that end meanwhile, and kernel threads, are left out.
func (p procfs) List(ctx context.Context) ([]Process, error) {
	entries, err := os.ReadDir(p.root)
	if err != nil {
		return nil, fmt.Errorf("list programs: %w", err)
	}
	var list []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text, err := os.ReadFile(filepath.Join(p.root, entry.Name(), "cmdline"))
		if err != nil || len(text) == 0 {
			continue
		}
		args := strings.Split(string(bytes.TrimRight(text, "\x00")), "\x00")
		list = append(list, Process{PID: pid, Name: filepath.Base(args[0]), Args: args[1:]})
	}
	return list, nil
}
