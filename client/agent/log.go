package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/platenprint/platen/client/statedir"
)

// Sizes of the files, in bytes.
const (
	maxLog   = 1 << 20
	maxCrash = 256 << 10
)

// logFile is a log that is turned away when it becomes too long; one old one is kept. A write that fails is dropped: a
// full disk must not stop the program.
type logFile struct {
	mu   sync.Mutex // guards the fields below
	path string
	old  string
	file *os.File
	size int64
}

// openLog opens the log in dir, which it makes.
func openLog(dir string) (*logFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the log: %w", err)
	}
	l := &logFile{path: filepath.Join(dir, statedir.LogFile), old: filepath.Join(dir, statedir.OldLogFile)}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open the log: %w", err), f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write implements io.Writer. It never fails.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.size+int64(len(p)) > maxLog {
		_ = l.file.Close()
		l.file = nil
		_ = os.Rename(l.path, l.old)
	}
	if l.file == nil && l.open() != nil {
		return len(p), nil
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// logger writes to file and, if it is not nil, to also.
func logger(file io.Writer, also io.Writer, level slog.Level) *slog.Logger {
	if also != nil {
		file = io.MultiWriter(file, also)
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: level}))
}

// crashLog makes the runtime write the end of a crash to a file in dir, and tells whether there is one of an earlier run.
func crashLog(dir string) (before bool, err error) {
	path := filepath.Join(dir, statedir.CrashFile)
	info, err := os.Stat(path)
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	switch {
	case err == nil:
		before = info.Size() > 0
		if info.Size() > maxCrash {
			flags |= os.O_TRUNC
		}
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("open the crash log: %w", err)
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return before, fmt.Errorf("open the crash log: %w", err)
	}
	err = debug.SetCrashOutput(f, debug.CrashOptions{}) // keeps a descriptor of its own
	if err = errors.Join(err, f.Close()); err != nil {
		return before, fmt.Errorf("set the crash log: %w", err)
	}
	return before, nil
}
