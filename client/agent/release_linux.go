package agent

import (
	"bufio"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// release gives back what starting took: the heap that is free again, and the pages of the program file that were read
// but are not used any more. The kernel keeps those in its cache and maps back, without reading, the few that are used.
func release() {
	debug.FreeOSMemory()
	self, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	clean := cleanMappings(maps, self)
	_ = maps.Close()
	for _, m := range clean {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

// mapping is a part of the address space.
type mapping struct{ start, end uintptr }

// cleanMappings reads smaps (proc_pid_smaps(5)) and returns the mappings of the file at path that cannot be written and
// of which no page was ever written: only for those is the file all there is to know.
func cleanMappings(smaps io.Reader, path string) []mapping {
	var clean []mapping
	var current mapping
	var candidate bool
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if start, end, ok := span(fields[0]); ok {
			current = mapping{start, end}
			candidate = len(fields) == 6 && fields[5] == path && strings.HasPrefix(fields[1], "r") && !strings.Contains(fields[1], "w")
			continue
		}
		// One line of each mapping says how much of it is not the file's any more; it comes once.
		if fields[0] == "Anonymous:" && candidate && fields[1] == "0" {
			clean = append(clean, current)
		}
	}
	return clean
}

// span reads "00400000-0071f000".
func span(text string) (start, end uintptr, ok bool) {
	from, to, found := strings.Cut(text, "-")
	if !found {
		return 0, 0, false
	}
	a, errA := strconv.ParseUint(from, 16, strconv.IntSize)
	b, errB := strconv.ParseUint(to, 16, strconv.IntSize)
	return uintptr(a), uintptr(b), errA == nil && errB == nil && a < b
}
