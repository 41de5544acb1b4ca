package agent

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/printqueue/ipc"
)

// service is platen-deploy, as far as the resident asks it (*ipc.Client).
type service interface {
	Status(ctx context.Context) (ipc.Status, error)
	Assert(ctx context.Context, challenge string) (api.TrustCode, error)
}

// policyFresh is how long an answer of the service counts: the session asks several things at once.
const policyFresh = 5 * time.Second

// deploy is platen-deploy in the words of client/session. A computer without it is one that is not enrolled.
type deploy struct {
	dial   func(ctx context.Context) (service, error)
	clock  clock.Clock
	logger *slog.Logger
	// ours tells whether the device's server is the one that is used; nil: it is. Another server must not be given what this one
	// says of a person: it could sign in there as them.
	ours func(ipc.Status) bool

	mu    sync.Mutex // guards the fields below, also over the question
	known ipc.Status
	at    time.Time  // zero: not known
	last  ipc.Status // what it said last, however long ago
	said  ipc.Code   // what the log has been told last
	alien bool       // the log has been told that the device is another server's
}

var _ session.Machine = (*deploy)(nil)

func dialDeploy(ctx context.Context) (service, error) { return ipc.Dial(ctx) }

// status asks the service, or remembers what it said just now.
func (d *deploy) status(ctx context.Context) (ipc.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := d.clock().Sub(d.at); !d.at.IsZero() && age >= 0 && age < policyFresh {
		return d.known, nil
	}
	s, err := d.dial(ctx)
	if err == nil {
		d.known, err = s.Status(ctx)
	}
	if code := ipc.CodeOf(err); code != d.said { // once, not at every question
		d.said = code
		if err != nil && code != ipc.CodeNotRunning {
			d.logger.WarnContext(ctx, "platen-deploy cannot be asked", "error", err)
		}
	}
	if err != nil {
		d.known, d.at = ipc.Status{}, time.Time{}
		return ipc.Status{}, err
	}
	d.at, d.last = d.clock(), d.known
	return d.known, nil
}

// decided is status, or what the service said last while it does not answer: a computer that was shared a minute ago is not
// somebody's own because its service is being updated.
func (d *deploy) decided(ctx context.Context) (ipc.Status, error) {
	s, err := d.status(ctx)
	if err == nil {
		return s, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.Version == "" && d.last.Enrolment == "" {
		return s, err
	}
	return d.last, nil
}

// Policy implements session.Machine.
func (d *deploy) Policy(ctx context.Context) (session.Policy, error) {
	s, err := d.status(ctx)
	if err != nil || !s.Enrolled || d.foreign(ctx, s) {
		return session.Policy{}, err
	}
	return session.Policy{Enrolled: true, AuthModes: slices.Clone(s.AuthModes)}, nil
}

// foreign tells whether the computer is a device of another server than the one that is used.
func (d *deploy) foreign(ctx context.Context, s ipc.Status) bool {
	if d.ours == nil || d.ours(s) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.alien {
		d.logger.WarnContext(ctx, "this computer is a device of another server and does not vouch at the one that is used", "device_at", s.ServerURL)
	}
	d.alien = true
	return true
}

// Vouch implements session.Machine.
func (d *deploy) Vouch(ctx context.Context, challenge string) (secret.String, error) {
	if known, err := d.status(ctx); err == nil && d.foreign(ctx, known) {
		return secret.String{}, notVouched(ipc.Fail(ipc.CodeNotEnrolled, "this computer is a device of another server than the one that is used", nil))
	}
	s, err := d.dial(ctx)
	if err != nil {
		return secret.String{}, notVouched(err)
	}
	code, err := s.Assert(ctx, challenge)
	if err != nil {
		return secret.String{}, notVouched(err)
	}
	return secret.New(code.Code), nil
}

// notVouched says a refusal of the service in the words of the session.
func notVouched(err error) error {
	out := &session.Error{Problem: status.Problem{Code: status.ProblemTrustRefused, Details: err.Error()}, Err: err}
	var refusal ipc.Error
	if e, ok := errors.AsType[*ipc.Error](err); ok {
		refusal = *e
	}
	switch ipc.CodeOf(err) {
	case ipc.CodeRefused:
		out.Code = api.CodeTrustRefused
		if refusal.API != "" {
			out.Code = refusal.API
		}
	case ipc.CodeNotEnrolled, ipc.CodeRevoked:
		out.Code = api.CodeDeviceUnknown
	case ipc.CodeUnreachable:
		out.Problem.Code = status.ProblemUnreachable
	case ipc.CodeCertificate:
		out.Problem.Code = status.ProblemCertificate
	case ipc.CodeClock:
		out.Problem.Code = status.ProblemClock
	case ipc.CodeLimited:
		out.Problem.RetryAt = refusal.RetryAt
	case ipc.CodeNotRunning, ipc.CodeImpostor, ipc.CodeVersion, ipc.CodeBroken, ipc.CodeInvalid, ipc.CodePending, ipc.CodeServer, ipc.CodeInternal:
	}
	return out
}
