package service

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// How much is kept of what the server says, where the system does not keep it.
const (
	logFile  = "platen-server.log"
	mostLog  = 10 << 20 // bytes of one file
	mostLogs = 5        // files: platen-server.log, platen-server.log.1 ...
)

// Log writes to files in a folder and puts a full one away. Safe for concurrent use.
type Log struct {
	root *os.Root
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
}

// OpenLog opens the log in the folder, which must be there.
func OpenLog(dir string) (*Log, error) { return openLog(dir, mostLog) }

func openLog(dir string, most int64) (*Log, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	l := &Log{root: root, most: most}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the log: %w", errors.Join(err, root.Close()))
	}
	return l, nil
}

func (l *Log) open() error {
	f, err := l.root.OpenFile(logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends. A full disk stops the log, not the server.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.size > 0 && l.size+int64(len(p)) > l.most {
		_ = l.file.Close() // before it is renamed: Windows wants it so
		l.file = nil
		l.putAway()
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

// putAway gives every file the name of the next older one; the oldest is gone.
func (l *Log) putAway() {
	for i := mostLogs - 1; i > 0; i-- {
		newer := logFile
		if i > 1 {
			newer = fmt.Sprintf("%s.%d", logFile, i-1)
		}
		_ = l.root.Rename(newer, fmt.Sprintf("%s.%d", logFile, i)) // one that is not there, or that somebody holds open
	}
}

// Close ends it.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.file != nil {
		err = l.file.Close()
		l.file = nil
	}
	return errors.Join(err, l.root.Close())
}
