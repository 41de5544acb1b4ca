package main

import (
	"fmt"
	"io"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// steps says what is being done, and how long it took.
type steps struct {
	log   io.Writer
	clock clock.Clock
}

// do does one step. Steps may be done side by side.
func (s steps) do(name string, work func() error) error {
	fmt.Fprintf(s.log, "%8s  %s\n", "", name)
	start := s.clock()
	err := work()
	took := s.clock().Sub(start).Round(100 * time.Millisecond)
	if err != nil {
		fmt.Fprintf(s.log, "%8s  %s: FAILED\n", took, name)
		return err
	}
	fmt.Fprintf(s.log, "%8s  %s: done\n", took, name)
	return nil
}
