package ledger

import (
	"context"
	"time"
)

// Verdict is what the last verification found. The zero value: none has ended yet.
type Verdict struct {
	At     time.Time
	Report Report
	Err    error // why it could not be read to its end; Report then says nothing
}

// State says what is known of the ledger.
type State int

// The states. The zero value is Unverified.
const (
	Unverified State = iota // not yet, or it could not be read
	Sound
	NotSound
)

// State says what is known.
func (v Verdict) State() State {
	switch {
	case v.At.IsZero() || v.Err != nil:
		return Unverified
	case v.Report.OK():
		return Sound
	}
	return NotSound
}

// String is the verdict in one sentence.
func (v Verdict) String() string {
	switch {
	case v.Err != nil:
		return "the ledger could not be verified: " + v.Err.Error()
	case v.At.IsZero():
		return "the ledger is being verified"
	}
	return v.Report.String()
}

// Verdict returns what the last verification found, whoever asked for it.
func (l *Ledger) Verdict() Verdict {
	if v := l.verdict.Load(); v != nil {
		return *v
	}
	return Verdict{}
}

// verify verifies and remembers. One that was cancelled is not remembered: it says nothing.
func (l *Ledger) verify(ctx context.Context, progress Progress, rest func(context.Context) error) (Report, error) {
	report, err := verify(ctx, l.store, progress, rest)
	if err == nil || ctx.Err() == nil {
		l.verdict.Store(&Verdict{At: l.clock(), Report: report, Err: err})
	}
	return report, err
}

// VerifyOnce verifies the ledger beside the work, in pieces with rests between them, and logs what it found. What cannot be
// read is tried again every Options.RetryEvery. It ends with the first whole verification, or with ctx.
func (l *Ledger) VerifyOnce(ctx context.Context) {
	for {
		began := l.clock()
		report, err := l.verify(ctx, nil, l.rest)
		took := l.clock().Sub(began).Round(time.Millisecond)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.opts.Logger.ErrorContext(ctx, "the ledger could not be verified", "error", err)
		case report.OK():
			l.opts.Logger.InfoContext(ctx, "the ledger was verified", "transfers", report.Transfers, "took", took)
			return
		default:
			l.opts.Logger.ErrorContext(ctx, "the ledger is not sound", "findings", len(report.Findings)+report.More,
				"first", report.Findings[0].String(), "took", took)
			return
		}
		if wait(ctx, l.opts.RetryEvery) != nil {
			return
		}
	}
}

// restTime is so long that verifying has about an eighth of a processor: a piece of verifyPage transfers takes some 7 ms.
const restTime = 50 * time.Millisecond

func (l *Ledger) rest(ctx context.Context) error { return wait(ctx, restTime) }

// wait returns early, with its error, when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
