package agent

import (
	"context"
	"os"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/opener"
	"github.com/platenprint/platen/client/status"
)

// resident is the agent as other programs, the icon and the notifications see it: actions about the desktop are done
// here, all others are the session's.
type resident struct{ *agent }

var _ ipc.Resident = resident{}

// Watch implements ipc.Resident.
func (r resident) Watch(ctx context.Context, after uint64) (status.Snapshot, error) {
	return r.session.Watch(ctx, after)
}

// Do implements ipc.Resident.
func (r resident) Do(ctx context.Context, action status.Action) status.Result {
	switch action.Kind {
	case status.ActionOpen:
		result := r.session.Do(ctx, action)
		if !hasDisplay(os.Getenv) {
			return opened(errNoDisplay)
		}
		r.window.open(action.Page)
		return result
	case status.ActionFirstFrame:
		r.window.firstFrame()
		return status.Result{OK: true}
	case status.ActionOpenPortal:
		return opened(opener.Open(ctx, r.session.Snapshot().PortalURL, 0))
	case status.ActionOpenTopUp:
		return opened(opener.Open(ctx, r.session.Snapshot().TopUpURL, 0))
	case status.ActionQuit:
		r.quit(nil)
		return status.Result{OK: true}
	case status.ActionPurge:
		return r.purge(ctx)
	case status.ActionNotMe:
		result := r.session.Do(ctx, action)
		if result.OK && hasDisplay(os.Getenv) { // somebody asked for it: it does not come uninvited
			r.window.open(status.PageSignIn)
		}
		return result
	case status.ActionSignIn, status.ActionCancelSignIn, status.ActionSignOut, status.ActionDetails, status.ActionRetry,
		status.ActionDismiss, status.ActionStay, status.ActionOpenAgain, status.ActionContinue, status.ActionConfirmServer, status.ActionRejectServer:
		return r.session.Do(ctx, action)
	}
	return r.session.Do(ctx, action) // which refuses what it does not know
}

func opened(err error) status.Result {
	if err != nil {
		return status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: err.Error()}}
	}
	return status.Result{OK: true}
}
