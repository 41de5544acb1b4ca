package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cost is what a process uses (proc(5)).
type cost struct {
	pss     int64 // bytes: its share of all memory, smaps_rollup
	cpu     time.Duration
	wakeups int64 // voluntary context switches of all threads
}

// clockTick is the unit of CPU time in /proc (USER_HZ).
const clockTick = 10 * time.Millisecond

func costOf(pid int) (c cost, err error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	pss, err := field(filepath.Join(dir, "smaps_rollup"), "Pss:")
	if err != nil {
		return c, err
	}
	c.pss = pss << 10
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return c, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have spaces
	fields := strings.Fields(rest)
	for _, i := range []int{11, 12} { // utime, stime
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return c, err
		}
		c.cpu += time.Duration(ticks) * clockTick
	}
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "status"))
	if err != nil {
		return c, err
	}
	for _, thread := range threads {
		n, err := field(thread, "voluntary_ctxt_switches:")
		if err != nil {
			continue // the thread has just ended
		}
		c.wakeups += n
	}
	return c, nil
}

// field reads the number after a name in one of /proc's files.
func field(path, name string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("read %s: there is no %s", path, name)
}
