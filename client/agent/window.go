package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/sysexec"
)

const (
	windowProgram = "platen-window"
	// framePatience is how long the window may take to draw something: without OpenGL it stays invisible for good.
	framePatience = 8 * time.Second
)

// process is a started window.
type process interface {
	// Wait returns when it has ended; its error says how.
	Wait() error
	// Stop ends it.
	Stop()
}

// window starts platen-window on demand, at most one at a time, and notices when nothing is to be seen of it. It belongs
// to run; open and firstFrame may be called from anywhere.
type window struct {
	logger   *slog.Logger
	start    func(ctx context.Context, page status.Page) (process, error)
	fallback func(reason error) // there is no window: say it another way
	requests chan status.Page
	frames   chan struct{}
	patience time.Duration
}

func newWindow(logger *slog.Logger, start func(context.Context, status.Page) (process, error), fallback func(error)) *window {
	return &window{
		logger: logger, start: start, fallback: fallback, patience: framePatience,
		requests: make(chan status.Page, 1), frames: make(chan struct{}, 1),
	}
}

// open asks for the window. One that is open already hears of it through the snapshot.
func (w *window) open(page status.Page) {
	select {
	case w.requests <- page:
	default: // one is about to open
	}
}

// firstFrame notes that the window has drawn itself.
func (w *window) firstFrame() {
	select {
	case w.frames <- struct{}{}:
	default:
	}
}

// run shows windows until ctx ends, and waits for the last one.
func (w *window) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.frames: // of a window that somebody else started
		case page := <-w.requests:
			if err := w.show(ctx, page); err != nil && ctx.Err() == nil {
				w.logger.WarnContext(ctx, "no window", "error", err)
				w.fallback(err)
			}
		}
	}
}

var errNoFrame = errors.New("the window drew nothing in time; is there OpenGL?")

// show starts the window and stays until it has ended. The error says that nothing was ever to be seen.
func (w *window) show(ctx context.Context, page status.Page) error {
	p, err := w.start(ctx, page)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	patience := time.NewTimer(w.patience)
	defer patience.Stop()
	drawn := false
	for {
		select {
		case <-w.frames:
			drawn = true
			patience.Stop()
		case <-w.requests: // it is here
		case <-patience.C:
			p.Stop()
			return errors.Join(errNoFrame, <-ended)
		case err := <-ended:
			if err != nil && drawn {
				w.logger.WarnContext(ctx, "window ended badly", "error", err)
			}
			if err != nil && !drawn {
				return fmt.Errorf("the window ended before it drew anything: %w", err)
			}
			return nil
		}
	}
}

// startWindow starts the program beside this one. It ends with ctx.
func startWindow(ctx context.Context, page status.Page, language string) (process, error) {
	path, err := sysexec.Sibling(windowProgram)
	if err != nil {
		return nil, err
	}
	var args []string
	if page != status.PageAuto {
		args = append(args, "-page", string(page))
	}
	if language != "" {
		args = append(args, "-lang", language)
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd, err := sysexec.Command(ctx, path, args...)
	if err != nil {
		cancel()
		return nil, err
	}
	complaint := &tail{}
	cmd.Stderr = complaint
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &program{wait: cmd.Wait, cancel: cancel, complaint: complaint}, nil
}

// program is a process of the operating system.
type program struct {
	wait      func() error
	cancel    context.CancelFunc
	complaint *tail
}

func (p *program) Wait() error {
	defer p.cancel()
	if err := p.wait(); err != nil {
		return fmt.Errorf("%w: %s", err, p.complaint.text())
	}
	return nil
}

func (p *program) Stop() { p.cancel() }

// tail keeps the end of what a program complains about.
type tail struct{ kept []byte }

const maxTail = 512

// Write implements io.Writer. os/exec calls it from one goroutine, which has ended when Wait returns.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > maxTail {
		t.kept = append([]byte(nil), t.kept[len(t.kept)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) text() string { return string(t.kept) }
