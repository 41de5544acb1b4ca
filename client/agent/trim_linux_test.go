package agent

import (
	"os"
	"strings"
	"testing"
)

func TestTrimGivesBackOnlyReadOnlyPartsOfTheProgram(t *testing.T) {
	const program = "/opt/platen/bin/platen"
	tests := []struct {
		name, line    string
		start, length uintptr
		ok            bool
	}{
		{name: "code", line: "00401000-008d4000 r-xp 00001000 fe:00 123   " + program, start: 0x401000, length: 0x4d3000, ok: true},
		{name: "constants", line: "008d4000-00dd9000 r--p 004d4000 fe:00 123   " + program, start: 0x8d4000, length: 0x505000, ok: true},
		{name: "data that can be written", line: "00dd9000-00e5f000 rw-p 009d9000 fe:00 123   " + program},
		{name: "shared", line: "00401000-008d4000 r--s 00001000 fe:00 123   " + program},
		{name: "another file", line: "00401000-008d4000 r-xp 00001000 fe:00 123   /lib/libc.so"},
		{name: "a file whose name ends alike", line: "00401000-008d4000 r-xp 00001000 fe:00 123   /x" + program},
		{name: "no file", line: "7ffc11a00000-7ffc11a21000 rw-p 00000000 00:00 0   [stack]"},
		{name: "not a line of it", line: "hello"},
		{name: "backwards", line: "008d4000-00401000 r-xp 00001000 fe:00 123   " + program},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start, length, ok := readOnlyPart(tt.line, program)
			if start != tt.start && ok || length != tt.length && ok || ok != tt.ok {
				t.Errorf("readOnlyPart(%q) = %#x, %#x, %v; want %#x, %#x, %v", tt.line, start, length, ok, tt.start, tt.length, tt.ok)
			}
		})
	}
}

func TestTrimLeavesTheProgramRunning(t *testing.T) {
	before := residentFileMemory(t)
	if err := trim(); err != nil {
		t.Fatal(err)
	}
	// That this line runs at all is half of the test; what it prints is the other half.
	if after := residentFileMemory(t); after >= before {
		t.Errorf("%q before, %q after", before, after)
	}
}

// residentFileMemory is the part of resident memory that belongs to files, padded so that texts compare like numbers.
func residentFileMemory(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "RssFile:"); ok {
			number := strings.Fields(value)[0]
			return strings.Repeat("0", 12-len(number)) + number
		}
	}
	t.Fatal("there is no RssFile in /proc/self/status")
	return ""
}
