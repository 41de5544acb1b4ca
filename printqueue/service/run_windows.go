package service

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Run runs the service: for the service control manager if that has started it, in the foreground otherwise. It asks for no
// session id to tell which (Wine's are others); the control manager says so itself.
func Run(ctx context.Context, run func(context.Context) error) error {
	h := &handler{ctx: ctx, run: run}
	err := svc.Run(windowsName, h)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return run(ctx)
	}
	if err != nil {
		return fmt.Errorf("be a service: %w", err)
	}
	return h.err
}

// handler is what the service control manager speaks to.
type handler struct {
	ctx context.Context // svc.Handler has no room for it
	run func(context.Context) error
	err error
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.run(ctx) }()
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	changes <- svc.Status{State: svc.Running, Accepts: accepts}
	for {
		select {
		case h.err = <-done:
			changes <- svc.Status{State: svc.StopPending}
			if h.err != nil {
				return true, 1 // so that the recovery actions start it again
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				changes <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				changes <- svc.Status{State: svc.StopPending}
				cancel()
			default:
			}
		}
	}
}
