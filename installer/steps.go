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

// do does one step.
func (s steps) do(name string, work func() error) error {
	fmt.Fprintf(s.log, "%-48s", name)
	start := s.clock()
	err := work()
	took := s.clock().Sub(start).Round(100 * time.Millisecond)
	if err != nil {
		fmt.Fprintf(s.log, "%8s  failed\n", took)
		return err
	}
	fmt.Fprintf(s.log, "%8s\n", took)
	return nil
}
