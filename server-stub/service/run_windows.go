package service

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Run runs the server: for the service control manager if that has started it, in the foreground otherwise. It asks for no session
// id to tell which (Wine's are others); the control manager says so itself. A service counts as started once run calls ready.
func Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	h := &handler{ctx: ctx, run: run}
	err := svc.Run(WindowsName, h)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return run(ctx, func() {})
	}
	if err != nil {
		return fmt.Errorf("be a service: %w", err)
	}
	return h.err
}

// handler is what the service control manager speaks to.
type handler struct {
	ctx context.Context // svc.Handler has no room for it
	run func(ctx context.Context, ready func()) error
	err error
}

// The milliseconds that the control manager waits before it thinks that nothing will come.
const (
	startHint = 30 * 60 * 1000 // a large database is converted
	stopHint  = 30 * 1000
)

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	done, ready := make(chan error, 1), make(chan struct{})
	var once sync.Once
	go func() { done <- h.run(ctx, func() { once.Do(func() { close(ready) }) }) }()
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	changes <- svc.Status{State: svc.StartPending, Accepts: accepts, WaitHint: startHint}
	for {
		select {
		case <-ready:
			ready = nil
			if ctx.Err() == nil {
				changes <- svc.Status{State: svc.Running, Accepts: accepts}
			}
		case h.err = <-done:
			changes <- svc.Status{State: svc.StopPending, WaitHint: stopHint}
			if h.err != nil {
				return true, 1 // so that the recovery actions start it again
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				changes <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				changes <- svc.Status{State: svc.StopPending, WaitHint: stopHint}
				cancel()
			default:
			}
		}
	}
}
