package agent

import (
	"io"
	"os"
	"sync"

	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// maxLog is how long the log may become, in bytes, before it is put away; one old log is kept.
const maxLog = 1 << 20

// logFile is a log that only administrators can read (R-LOG-1). It is safe for concurrent use.
type logFile struct {
	dir  *private.Dir
	also io.Writer // gets a copy; nil: nobody

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(dir *private.Dir, also io.Writer) (*logFile, error) {
	l := &logFile{dir: dir, also: also}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := l.dir.Append(statedir.LogFile)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends to the log. A full disk stops the log, not the service.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		_, _ = l.also.Write(p)
	}
	if l.file != nil && l.size+int64(len(p)) > maxLog {
		_ = l.file.Close()
		l.file = nil
		if err := l.dir.Rename(statedir.LogFile, statedir.LogFile+".1"); err == nil {
			_ = l.open()
		}
	}
	if l.file == nil && l.open() != nil {
		return len(p), nil
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	if err != nil {
		return len(p), nil //nolint:nilerr // there is nobody to tell
	}
	return n, nil
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
