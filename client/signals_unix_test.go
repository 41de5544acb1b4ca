//go:build unix

package main

import (
	"syscall"
	"testing"

	"github.com/platenprint/platen/client/agent"
)

func TestACommandTakesNoNoticeOfARestartAndEndsOfARemoval(t *testing.T) {
	s, ended := &signals{}, 0
	end := func() { ended++ }
	s.hear(syscall.SIGUSR1, end)
	if ended != 0 {
		t.Error("a command ended of a restart")
	}
	s.hear(syscall.SIGUSR2, end)
	if ended != 1 {
		t.Error("a command went on while what is kept is removed")
	}
	heard := s.forResident()
	for range 3 { // it has room for one, and nobody waits
		s.hear(syscall.SIGUSR2, end)
	}
	if got := <-heard; got != agent.SignalPurge || ended != 1 {
		t.Errorf("heard %v, ended %d times", got, ended)
	}
	s.hear(syscall.SIGUSR1, end)
	if got := <-heard; got != agent.SignalRestart {
		t.Errorf("heard %v", got)
	}
}
