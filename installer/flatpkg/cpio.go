package flatpkg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	odcMagic  = "070707"
	trailer   = "TRAILER!!!"
	cpioBlock = 512
)

// writeCpio writes entries in the portable format of POSIX.1-2001 ("odc"), and notes the checksum of each.
func writeCpio(ctx context.Context, w io.Writer, entries []*entry, when time.Time) error {
	counted := &counter{w: w}
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := odcHeader(counted, i+1, e, when); err != nil {
			return err
		}
		if e.dir() {
			continue
		}
		if err := e.copyTo(counted); err != nil {
			return fmt.Errorf("file %q: %w", e.Path, err)
		}
	}
	if err := odcRecord(counted, 0, 0, 0, 1, 0, 0, trailer); err != nil {
		return err
	}
	_, err := counted.Write(make([]byte, (cpioBlock-counted.n%cpioBlock)%cpioBlock))
	return err
}

// copyTo writes the content and takes its checksum. Content of another length than was said would break the archive.
func (e *entry) copyTo(w io.Writer) error {
	r, err := e.Open()
	if err != nil {
		return err
	}
	sum := &cksum{}
	_, err = io.CopyN(io.MultiWriter(w, sum), r, e.Size)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("it has fewer than the %d bytes it had before", e.Size)
	}
	if err == nil {
		if n, _ := r.Read(make([]byte, 1)); n > 0 {
			err = fmt.Errorf("it has more than the %d bytes it had before", e.Size)
		}
	}
	e.sum = sum.Sum32()
	return errors.Join(err, r.Close())
}

// odcHeader writes the header of an entry. Each has a number of its own, so none is taken for a hard link of another.
func odcHeader(w io.Writer, number int, e *entry, when time.Time) error {
	name, links := "./"+e.Path, 1
	if e.Path == "." {
		name = "."
	}
	if e.dir() {
		links = 2
	}
	return odcRecord(w, number, e.posixMode(), e.GID, links, when.Unix(), e.Size, name)
}

func odcRecord(w io.Writer, number int, mode uint32, gid, links int, mtime, size int64, name string) error {
	// magic dev ino mode uid gid nlink rdev mtime namesize filesize
	_, err := fmt.Fprintf(w, "%s%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00",
		odcMagic, 0, number, mode, 0, gid, links, 0, mtime, len(name)+1, size, name)
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
