package osservice

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Control is what the service control manager is told of a service that runs.
type Control struct {
	Name  string
	Start time.Duration // how long it may be until ready is called; 0: the service counts as started at once
	Stop  time.Duration // how long its end may take; 0: what Windows thinks
}

// Run runs the service: for the service control manager if that has started it, in the foreground otherwise. It asks for no session
// id to tell which (Wine's are others); the control manager says so itself.
func (c Control) Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	h := &handler{control: c, ctx: ctx, run: run}
	err := svc.Run(c.Name, h)
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
	control Control
	ctx     context.Context // svc.Handler has no room for it
	run     func(ctx context.Context, ready func()) error
	err     error
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	done, ready := make(chan error, 1), make(chan struct{})
	var once sync.Once
	go func() { done <- h.run(ctx, func() { once.Do(func() { close(ready) }) }) }()
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	var waiting <-chan struct{} // for ready
	running := svc.Status{State: svc.Running, Accepts: accepts}
	stopping := svc.Status{State: svc.StopPending, WaitHint: uint32(h.control.Stop.Milliseconds())}
	if h.control.Start > 0 {
		waiting = ready
		changes <- svc.Status{State: svc.StartPending, Accepts: accepts, WaitHint: uint32(h.control.Start.Milliseconds())}
	} else {
		changes <- running
	}
	for {
		select {
		case <-waiting:
			waiting = nil
			if ctx.Err() == nil {
				changes <- running
			}
		case h.err = <-done:
			changes <- stopping
			if h.err != nil {
				return true, 1 // so that the recovery actions start it again
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				changes <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				changes <- stopping
				cancel()
			default:
			}
		}
	}
}
