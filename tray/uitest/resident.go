// Package uitest has a stand-in for the resident program, for tests of the window and for looking at it: it shows the
// snapshots it is given, takes a sign-in by a fixed password and remembers what it was asked. It is never part of a
// shipped program.
package uitest

import (
	"context"
	"sync"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
)

// Password is the one that is right.
const Password = "correct horse"

// Resident answers as the resident does. Safe for concurrent use.
type Resident struct {
	mu      sync.Mutex // protects the fields below
	now     status.Snapshot
	changed chan struct{} // closed at the next change
	actions []status.Action
	after   status.Snapshot // what a right sign-in leads to
	details status.Details

	before  status.Snapshot    // what a sign-in in the browser was begun from
	browser chan status.Result // its outcome; nil: none is under way
}

var _ ipc.Resident = (*Resident)(nil)

// NewResident returns a resident that shows now; a right sign-in leads to after, Details are answered with details.
func NewResident(now, after status.Snapshot, details status.Details) *Resident {
	r := &Resident{after: after, details: details, changed: make(chan struct{})}
	r.Set(now)
	return r
}

// Set shows another snapshot; its version and number are filled in.
func (r *Resident) Set(s status.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(s)
}

func (r *Resident) set(s status.Snapshot) {
	s.Version, s.Seq = status.Version, r.now.Seq+1
	r.now = s
	close(r.changed)
	r.changed = make(chan struct{})
}

// Actions are all that was asked, the oldest first.
func (r *Resident) Actions() []status.Action {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]status.Action(nil), r.actions...)
}

// Do implements ipc.Resident. A sign-in in the browser answers once Return or a cancelled sign-in ends it.
func (r *Resident) Do(ctx context.Context, a status.Action) status.Result {
	result, outcome := r.do(a)
	if outcome == nil {
		return result
	}
	select {
	case result = <-outcome:
		return result
	case <-ctx.Done():
		return status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: ctx.Err().Error()}}
	}
}

func (r *Resident) do(a status.Action) (status.Result, chan status.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.actions = append(r.actions, a)
	switch a.Kind {
	case status.ActionSignIn:
		if a.Method == status.MethodMicrosoft || a.Method == status.MethodBrowser {
			return status.Result{}, r.browse(a.Method)
		}
		if a.Password.Reveal() == Password {
			r.set(r.after)
			return status.Result{OK: true}, nil
		}
		s := r.now
		s.Problem = &status.Problem{Code: status.ProblemWrongCredentials, Host: s.ServerHost}
		r.set(s)
		return status.Result{Problem: s.Problem}, nil
	case status.ActionDetails:
		details := r.details
		return status.Result{OK: true, Details: &details}, nil
	case status.ActionSignOut, status.ActionNotMe:
		r.set(status.Snapshot{
			State: status.StateSignedOut, Ask: status.AskFirstLaunch, OSAccount: r.now.OSAccount,
			Offers: []status.Offer{{Method: status.MethodPrompt}},
		})
		return status.Result{OK: true}, nil
	case status.ActionCancelSignIn:
		if r.browser != nil {
			r.end(r.before, status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: "context canceled"}})
		}
		return status.Result{OK: true}, nil
	case status.ActionContinue:
		r.end(r.after, status.Result{OK: true})
		return status.Result{OK: true}, nil
	case status.ActionConfirmServer:
		s := r.now
		s.Server, s.Ask, s.Offers = nil, status.AskFirstLaunch, []status.Offer{{Method: status.MethodPrompt}}
		r.set(s)
		return status.Result{OK: true}, nil
	case status.ActionRejectServer:
		s, server := r.now, *r.now.Server
		server.Rejected = true
		s.Server, s.Ask, s.Problem = &server, status.AskNothing, &status.Problem{Code: status.ProblemNotConfigured}
		r.set(s)
		return status.Result{OK: true}, nil
	case status.ActionOpen, status.ActionRetry, status.ActionOpenPortal, status.ActionOpenTopUp, status.ActionFirstFrame,
		status.ActionDismiss, status.ActionOpenAgain, status.ActionStay, status.ActionQuit, status.ActionPurge:
		return status.Result{OK: true}, nil
	default:
		return status.Result{Problem: &status.Problem{Code: status.ProblemInvalid}}, nil
	}
}

// browse opens the browser, so to say.
func (r *Resident) browse(method status.Method) chan status.Result {
	if r.browser == nil {
		r.before = r.now
		r.before.Problem = nil
	} else { // with another account
		r.browser <- status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: "context canceled"}}
	}
	r.browser = make(chan status.Result, 1)
	s := r.before
	s.State, s.Browsing = status.StateSigningIn, status.Browsing{Method: method, Waiting: true}
	r.set(s)
	return r.browser
}

func (r *Resident) end(s status.Snapshot, result status.Result) {
	r.set(s)
	if r.browser != nil {
		r.browser <- result
		r.browser = nil
	}
}

// Confirm is the browser coming back with somebody else than expected.
func (r *Resident) Confirm(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.now
	s.Browsing.Waiting, s.Browsing.Confirm = false, name
	r.set(s)
}

// Return is the browser coming back: with a problem, or with the right person.
func (r *Resident) Return(problem *status.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if problem == nil {
		r.end(r.after, status.Result{OK: true})
		return
	}
	s := r.before
	s.Problem = problem
	r.end(s, status.Result{Problem: problem})
}

// Watch implements ipc.Resident.
func (r *Resident) Watch(ctx context.Context, after uint64) (status.Snapshot, error) {
	for {
		r.mu.Lock()
		now, changed := r.now, r.changed
		r.mu.Unlock()
		if now.Seq > after {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status.Snapshot{}, ctx.Err()
		}
	}
}

// Direct is a Resident without a wire between: what the window calls.
type Direct struct{ *Resident }

// Do performs an action.
func (d Direct) Do(ctx context.Context, a status.Action) (status.Result, error) {
	return d.Resident.Do(ctx, a), nil
}

// Watch calls on with each snapshot newer than after.
func (d Direct) Watch(ctx context.Context, after uint64, on func(status.Snapshot) bool) error {
	for {
		s, err := d.Resident.Watch(ctx, after)
		if err != nil {
			return err
		}
		if after = s.Seq; !on(s) {
			return nil
		}
	}
}
