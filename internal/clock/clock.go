// Package clock is the one place that reads the time of day. Code that depends on the time takes a Clock (or a
// `now func() time.Time`), so that tests can move it; the linter forbids time.Now elsewhere.
package clock

import "time"

// Clock tells the time. System is the real one; tests pass their own. Safe for concurrent use.
type Clock func() time.Time

// System reads the computer's clock, in UTC. It is the time of day only (UTC drops the monotonic reading) and may jump:
// waits use timers, and the order of things is kept by numbers.
func System() time.Time { return time.Now().UTC() }

// Fixed always tells t.
func Fixed(t time.Time) Clock { return func() time.Time { return t } }
