package residents

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func newSystem(Options) system {
	return system{find: find, homes: func() ([]home, []string, error) { return findHomes("/etc/passwd", "/home", "/proc/self/mountinfo") }, purge: purgeAs}
}

func programs() (string, error) { return beside() }

// running is a process held by a pidfd (pidfd_open(2)): its number can be another one's tomorrow, this handle cannot.
type running struct {
	number int
	fd     int
	path   string // of the installed program
}

// find looks through /proc. What a person could make look like ours is their own process all the same: it gets a signal.
func find(paths ...string) ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for running programs: %w", err)
	}
	var found []process
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name())
		if err != nil || number == os.Getpid() {
			continue
		}
		if p, ok := hold(number, paths); ok {
			found = append(found, p)
		}
	}
	return found, nil
}

// hold opens a process if it was started from one of the paths, in this system and not in a container of its own.
func hold(number int, paths []string) (*running, bool) {
	if i, _ := startedFrom(number, paths); i < 0 { // a cheap look first
		return nil, false
	}
	fd, err := unix.PidfdOpen(number, 0)
	if err != nil {
		return nil, false
	}
	// Once more, for the number may have become another one's before the handle was there. After this the handle is of a process
	// that was ours at this moment, or of one that is gone.
	i, ok := startedFrom(number, paths)
	if i < 0 || !ok {
		_ = unix.Close(fd)
		return nil, false
	}
	return &running{number: number, fd: fd, path: paths[i]}, true
}

// startedFrom says which of the paths a process was started from, -1 for none, and whether it sees the same system as we.
func startedFrom(number int, paths []string) (which int, here bool) {
	dir := "/proc/" + strconv.Itoa(number)
	exe, err := os.Readlink(dir + "/exe")
	if err != nil {
		return -1, false
	}
	was, replaced := strings.CutSuffix(exe, " (deleted)")
	which = slices.Index(paths, was)
	if which < 0 {
		return -1, false
	}
	if !replaced { // the file itself, and not one that has the same path elsewhere
		return which, same(dir+"/exe", paths[which])
	}
	return which, same(dir+"/root/", "/")
}

// same tells whether two names are of the same file.
func same(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

func (p *running) pid() int { return p.number }

func (p *running) program() string { return p.path }

func (p *running) current() bool {
	return same("/proc/"+strconv.Itoa(p.number)+"/exe", p.path) && !p.ended()
}

func (p *running) signal(s syscall.Signal) error {
	if err := unix.PidfdSendSignal(p.fd, s, nil, 0); err != nil {
		return fmt.Errorf("signal %d: %w", p.number, err)
	}
	return nil
}

// ended: a pidfd becomes readable when its process has ended.
func (p *running) ended() bool {
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n > 0
	}
}

func (p *running) free() { _ = unix.Close(p.fd) }
