package residents

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// handle is an open process: while it is open, its number is nobody else's.
type handle struct {
	process windows.Handle
	pid     uint32
	session uint32
	path    string
	killed  bool
}

func (h *handle) isResident() bool {
	return strings.EqualFold(filepath.Base(h.path), residentName+".exe")
}

func (h *handle) ended() bool {
	event, err := windows.WaitForSingleObject(h.process, 0)
	return err == nil && event == windows.WAIT_OBJECT_0
}

func (h *handle) kill() {
	const exitCode = 1
	h.killed = windows.TerminateProcess(h.process, exitCode) == nil
}

func (h *handle) free() { _ = windows.CloseHandle(h.process) }

// find lists the processes of the files at paths, by what Windows says they were started from.
func find(paths ...string) ([]*handle, error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("look for running programs: %w", err)
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	var found []*handle
	entry := windows.ProcessEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if entry.ProcessID == 0 || entry.ProcessID == uint32(os.Getpid()) {
			continue
		}
		name := windows.UTF16ToString(entry.ExeFile[:])
		if !slices.ContainsFunc(paths, func(p string) bool { return strings.EqualFold(filepath.Base(p), name) }) {
			continue // a cheap look; the path decides
		}
		if h := hold(entry.ProcessID, paths); h != nil {
			found = append(found, h)
		}
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return found, fmt.Errorf("look for running programs: %w", err)
	}
	return found, nil
}

// hold opens a process if it is one of the files at paths, nil if not.
func hold(pid uint32, paths []string) *handle {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.PROCESS_TERMINATE|windows.SYNCHRONIZE, false, pid) //nolint:misspell // Windows spells it so
	if err != nil {
		return nil
	}
	path, err := imagePath(process)
	h := &handle{process: process, pid: pid, path: path}
	if err != nil || !slices.ContainsFunc(paths, func(p string) bool { return strings.EqualFold(p, path) }) ||
		windows.ProcessIdToSessionId(pid, &h.session) != nil {
		h.free()
		return nil
	}
	return h
}

// imagePath is the full path of a process' file, without short names.
func imagePath(process windows.Handle) (string, error) {
	buffer := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(buffer))
	if err := windows.QueryFullProcessImageName(process, 0, &buffer[0], &size); err != nil {
		return "", err
	}
	short := buffer[:size+1]
	long := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetLongPathName(&short[0], &long[0], uint32(len(long)))
	if err != nil || n == 0 || int(n) >= len(long) {
		return windows.UTF16ToString(short), nil
	}
	return windows.UTF16ToString(long[:n]), nil
}
