// Package schedule synchronises directories by the clock. Each has a loop of its own:
//
//	start ─▶ run ─▶ wait for the interval, a little more or less ─▶ run ─▶ ...
//	          │                   ▲                       ▲
//	          └ failed: wait longer each time, an hour    └ at once: it was resumed, or its directory told of a change
//	            or the interval at most
//
// A directory that is synchronised by hand has no loop, and one that is paused runs but does nothing until it is resumed. A run
// that failed is never tried again sooner than a good one: a wrong password must not lock the account that reads.
//
// What a run does, and who is told of its failure, is not known here: see Job.
package schedule
