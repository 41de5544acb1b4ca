package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Place is the throwaway folder of one run, and the programs started in it.
type Place struct {
	Bin  string // where our programs are
	Logs string // what the programs say

	root    string
	running []*Program
}

// Program is one started program.
type Program struct {
	Done <-chan struct{} // closed when it has ended

	name string
	cmd  *exec.Cmd
}

// PID is its process id.
func (prog *Program) PID() int { return prog.cmd.Process.Pid }

// NewPlace makes the folder. Our programs are looked for in bin; what they say goes to files in logs.
func NewPlace(bin, logs string) (*Place, error) {
	root, err := os.MkdirTemp("", "platen-")
	if err != nil {
		return nil, err
	}
	p := &Place{Bin: bin, Logs: logs, root: root}
	for _, dir := range []string{logs, p.Path("home"), p.Path("run")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Path names something in the throwaway folder.
func (p *Place) Path(elem ...string) string {
	return filepath.Join(append([]string{p.root}, elem...)...)
}

// Start runs a program until the demo ends or Stop is called. Its output goes to a log file.
func (p *Place) Start(ctx context.Context, env []string, name, path string, args ...string) (*Program, error) {
	return p.start(ctx, env, nil, name, path, args...)
}

// start is Start with a file for the program's standard output; nil is its log.
func (p *Place) start(ctx context.Context, env []string, stdout *os.File, name, path string, args ...string) (*Program, error) {
	return p.startAs(ctx, apart(), env, stdout, name, path, args...)
}

// startAs is start with a say in whose process it is.
func (p *Place) startAs(ctx context.Context, whose *syscall.SysProcAttr, env []string, stdout *os.File, name, path string, args ...string) (*Program, error) {
	log, err := os.OpenFile(filepath.Join(p.Logs, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	if stdout != nil {
		cmd.Stdout = stdout
	}
	cmd.SysProcAttr = whose
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	done := make(chan struct{})
	prog := &Program{Done: done, name: name, cmd: cmd}
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	p.running = append(p.running, prog)
	return prog, nil
}

// Stop ends the program, politely first.
func (prog *Program) Stop() error {
	_ = prog.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-prog.Done:
		return nil
	case <-time.After(10 * time.Second):
		_ = prog.cmd.Process.Kill()
		<-prog.Done
		return fmt.Errorf("%s did not end when asked to", prog.name)
	}
}

// Ended tells whether the program has ended by itself.
func (prog *Program) Ended() bool {
	select {
	case <-prog.Done:
		return true
	default:
		return false
	}
}

// CleanUp stops what still runs, newest first, and removes the throwaway folder.
func (p *Place) CleanUp() error {
	var errs []error
	for i := len(p.running) - 1; i >= 0; i-- {
		if !p.running[i].Ended() {
			errs = append(errs, p.running[i].Stop())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(p.root))...)
}

// Command runs a program to its end and returns what it printed. stdin may be empty.
func Command(ctx context.Context, env []string, stdin, path string, args ...string) (string, error) {
	return commandAs(ctx, nil, env, stdin, path, args...)
}

func commandAs(ctx context.Context, whose *syscall.SysProcAttr, env []string, stdin, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.SysProcAttr = strings.NewReader(stdin), whose
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(path), strings.Join(args, " "), err, strings.TrimSpace(errOut.String()+out.String()))
	}
	return out.String(), nil
}

// Until polls seen every 50 ms until it is true, and fails after limit with what was last said.
func Until(ctx context.Context, limit time.Duration, what string, seen func() (ok bool, last string)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(limit)
	for {
		ok, last := seen()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return fmt.Errorf("waited %s for %s; last seen: %s", limit, what, last)
		}
	}
}
