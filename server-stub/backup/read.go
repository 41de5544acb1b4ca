package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/keys"
)

// ErrDamaged says that a file is no backup, or not as it was written.
var ErrDamaged = errors.New("it is not a whole backup")

// ErrForged says that a backup is whole but not signed with the master key at hand.
var ErrForged = errors.New("the backup is not signed with this master key")

// Contents is what a backup has beside the database.
type Contents struct {
	Info     Info
	Files    []File
	Database int64 // bytes of the database's backup
}

// Read reads a whole backup, hands the database's part to database as it comes, and checks everything. allowed are the
// names of files that may be in it. k checks the signature; nil leaves that out. What database did counts only when the
// error is nil: what is wrong with a backup may be known at its end only, so callers read it once before they restore it.
// Errors are ErrDamaged, ErrForged (then Contents
// is what the backup claims), or database's.
func Read(r io.Reader, k *keys.Keys, allowed []string, database func(io.Reader) error) (Contents, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return Contents{}, damaged("it is not compressed as a backup is")
	}
	in := &reader{tar: tar.NewReader(zip), allowed: allowed}
	c, err := in.read(k, database)
	if err != nil {
		return c, err
	}
	// The checksum of the compression covers the whole; reading to its end checks it.
	if _, err := io.Copy(io.Discard, zip); err != nil {
		return Contents{}, damaged("its end is missing or wrong")
	}
	return c, nil
}

type reader struct {
	tar     *tar.Reader
	allowed []string
	entries []entry // what was read so far
	next    string  // the name of an entry that was begun, "" for none
	size    int64
}

func (in *reader) read(k *keys.Keys, database func(io.Reader) error) (c Contents, err error) {
	if err := in.advance(); err != nil {
		return c, err
	}
	text, err := in.whole(infoName, maxFile)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c.Info); err != nil || c.Info.Format != Format {
		return c, damaged("it is not of the form " + Format)
	}
	for slices.Contains(in.allowed, in.next) {
		name := in.next
		contents, err := in.whole(name, maxFile)
		if err != nil {
			return c, err
		}
		c.Files = append(c.Files, File{name, contents})
	}
	stream := &databaseReader{in: in}
	if err := database(stream); err != nil {
		if stream.err != nil && !errors.Is(stream.err, io.EOF) {
			return c, stream.err // the cause; what database made of it says less
		}
		return c, err
	}
	if _, err := io.Copy(io.Discard, stream); err != nil { // what database left
		return c, err
	}
	c.Database = stream.total
	return c, in.check(k)
}

// check compares the manifest with what was read, and its signature.
func (in *reader) check(k *keys.Keys) error {
	read := slices.Clone(in.entries)
	manifest, err := in.whole(manifestName, maxManifest)
	if err != nil {
		return err
	}
	var listed []entry
	if err := json.Unmarshal(manifest, &listed); err != nil || !slices.Equal(listed, read) {
		return damaged("its list does not fit what is in it")
	}
	signature, err := in.whole(signatureName, maxFile)
	if err != nil {
		return err
	}
	if in.next != "" {
		return damaged("there is something behind its end")
	}
	if k != nil && !hmac.Equal(signature, sign(k, manifest)) {
		return ErrForged
	}
	return nil
}

// advance begins the next entry.
func (in *reader) advance() error {
	h, err := in.tar.Next()
	if errors.Is(err, io.EOF) {
		in.next, in.size = "", 0
		return nil
	}
	if err != nil || h.Typeflag != tar.TypeReg || h.Name == "" || h.Size < 0 {
		return damaged("it ends or breaks off too early")
	}
	in.next, in.size = h.Name, h.Size
	return nil
}

// whole reads the entry that must come now.
func (in *reader) whole(name string, most int64) ([]byte, error) {
	if in.next != name || in.size > most {
		return nil, damaged("it lacks " + name + " where it must be")
	}
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, in.tar); err != nil {
		return nil, damaged("it breaks off in " + name)
	}
	sum := sha256.Sum256(buf.Bytes())
	in.entries = append(in.entries, entry{name, int64(buf.Len()), hex.EncodeToString(sum[:])})
	return buf.Bytes(), in.advance()
}

// databaseReader joins the pieces.
type databaseReader struct {
	in    *reader
	piece []byte
	n     int
	total int64
	err   error
}

func (d *databaseReader) Read(p []byte) (int, error) {
	for len(d.piece) == 0 && d.err == nil {
		d.n++
		name := fmt.Sprintf("%s%05d", databaseName, d.n)
		switch {
		case d.in.next == name:
			d.piece, d.err = d.in.whole(name, pieceSize)
		case strings.HasPrefix(d.in.next, databaseName):
			d.err = damaged("its pieces are not in order")
		default:
			d.err = io.EOF
		}
	}
	n := copy(p, d.piece)
	d.piece = d.piece[n:]
	d.total += int64(n)
	if n == 0 {
		return 0, d.err
	}
	return n, nil
}

func damaged(why string) error { return fmt.Errorf("%w: %s", ErrDamaged, why) }
