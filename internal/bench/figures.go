package main

import (
	"fmt"
	"slices"
	"time"
)

// quantile returns the q-quantile of values, 0 <= q <= 1.
func quantile[T int64 | float64 | time.Duration](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// quartiles prints lower quartile, median and upper quartile.
func quartiles[T int64 | float64 | time.Duration](name, format string, values []T) {
	show := func(q float64) string { return fmt.Sprintf(format, quantile(values, q)) }
	fmt.Printf("  %-46s median %s  (quartiles %s .. %s, n=%d)\n", name, show(0.5), show(0.25), show(0.75), len(values))
}

// goal prints whether a figure meets its goal.
func goal(name string, met bool, text string, args ...any) {
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	fmt.Printf("  goal %-41s %s: %s\n", name, verdict, fmt.Sprintf(text, args...))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
func mib(b int64) float64        { return float64(b) / (1 << 20) }
