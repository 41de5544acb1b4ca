package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// humble gives this process a lower priority than the server: what it plays would be on other computers, and not compete with the server.
func humble() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, id, 5); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("lower the priority: %w", err)
		}
	}
	return nil
}
