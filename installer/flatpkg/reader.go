package flatpkg

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha1" // what the format has
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"sync"
)

// Limits of what is believed of a package that is read.
const (
	maxTOC       = 16 << 20 // bytes, compressed or not
	maxEntryName = 1 << 12  // bytes of a path in cpio
)

// ErrDamaged says that a package is not what its checksums or its format say.
var ErrDamaged = errors.New("the package is damaged")

// Reader reads a package, and compares what it reads with the checksums in it. It does not judge signatures.
type Reader struct {
	f      *os.File
	heap   int64
	files  map[string]*tocData
	signed bool
}

// Open opens the package at name and reads its table of contents.
func Open(name string) (_ *Reader, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the package: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	head := make([]byte, xarHeader)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:4]) != xarMagic {
		return nil, fmt.Errorf("open the package: %w: %s is no xar archive", ErrDamaged, name)
	}
	at := int64(binary.BigEndian.Uint16(head[4:]))
	length, size := binary.BigEndian.Uint64(head[8:]), binary.BigEndian.Uint64(head[16:])
	if at < xarHeader || length > maxTOC || size > maxTOC {
		return nil, fmt.Errorf("open the package: %w: its table of contents has %d bytes", ErrDamaged, size)
	}
	packed := make([]byte, length)
	if _, err := f.ReadAt(packed, at); err != nil {
		return nil, fmt.Errorf("open the package: %w: read its table of contents: %w", ErrDamaged, err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("open the package: %w: read its table of contents: %w", ErrDamaged, err)
	}
	var doc xarDocument
	if err := xml.NewDecoder(io.LimitReader(z, int64(size))).Decode(&doc); err != nil {
		return nil, fmt.Errorf("open the package: %w: read its table of contents: %w", ErrDamaged, err)
	}
	r := &Reader{f: f, heap: at + int64(length), files: map[string]*tocData{}, signed: doc.TOC.Signature != nil}
	if err := r.compareTOC(packed, doc.TOC.Checksum); err != nil {
		return nil, err
	}
	r.collect("", doc.TOC.Files)
	return r, nil
}

// Close closes the package.
func (r *Reader) Close() error { return r.f.Close() }

// Signed tells whether the package has a signature, whoever made it.
func (r *Reader) Signed() bool { return r.signed }

// Names are the files of the archive, sorted: Distribution, org.example.thing.pkg/Payload ...
func (r *Reader) Names() []string {
	names := make([]string, 0, len(r.files))
	for name := range r.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *Reader) collect(dir string, files []*tocFile) {
	for _, f := range files {
		name := path.Join(dir, f.Name)
		if f.Data != nil {
			r.files[name] = f.Data
		}
		r.collect(name, f.Files)
	}
}

func newSum(style string) (hash.Hash, error) {
	switch style {
	case "sha1":
		return sha1.New(), nil
	case "sha256":
		return sha256.New(), nil
	}
	return nil, fmt.Errorf("%w: checksums of kind %q are not known", ErrDamaged, style)
}

func (r *Reader) compareTOC(packed []byte, c tocChecksum) error {
	sum, err := newSum(c.Style)
	if err != nil {
		return err
	}
	sum.Write(packed)
	there := make([]byte, sum.Size())
	if _, err := r.f.ReadAt(there, r.heap+c.Offset); err != nil || !bytes.Equal(there, sum.Sum(nil)) {
		return fmt.Errorf("%w: the checksum of its table of contents is wrong", ErrDamaged)
	}
	return nil
}

// Copy writes a file of the archive to w, as it was before it was compressed.
func (r *Reader) Copy(w io.Writer, name string) error {
	d, ok := r.files[name]
	if !ok {
		return fmt.Errorf("read %s: the package has no such file", name)
	}
	archived, err := newSum(d.ArchivedChecksum.Style)
	if err != nil {
		return err
	}
	extracted, err := newSum(d.ExtractedChecksum.Style)
	if err != nil {
		return err
	}
	raw := io.TeeReader(io.NewSectionReader(r.f, r.heap+d.Offset, d.Length), archived)
	in := raw
	if d.Encoding.Style == styleDeflate {
		if in, err = zlib.NewReader(raw); err != nil {
			return fmt.Errorf("read %s: %w: %w", name, ErrDamaged, err)
		}
	}
	n, err := io.Copy(io.MultiWriter(w, extracted), io.LimitReader(in, d.Size+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, raw); err != nil { // what a decompressor did not need
		return fmt.Errorf("read %s: %w", name, err)
	}
	if n != d.Size || hex.EncodeToString(archived.Sum(nil)) != d.ArchivedChecksum.Hex || hex.EncodeToString(extracted.Sum(nil)) != d.ExtractedChecksum.Hex {
		return fmt.Errorf("read %s: %w: its size or a checksum is wrong", name, ErrDamaged)
	}
	return nil
}

// Entry is a file of a payload or of the scripts.
type Entry struct {
	Path     string // as File.Path; "." is the folder everything is in
	Mode     uint32 // st_mode
	UID, GID int
	Mtime    int64 // seconds since 1970
	Size     int64
}

// Walk calls visit for every file in a payload ("org.example.thing.pkg/Payload") or in scripts, in the archive's order.
// What visit does not read is passed over.
func (r *Reader) Walk(name string, visit func(e Entry, content io.Reader) error) error {
	pr, pw := io.Pipe()
	var copying sync.WaitGroup
	copying.Go(func() { pw.CloseWithError(r.Copy(pw, name)) })
	defer copying.Wait()
	err := walk(pr, visit)
	if err == nil {
		_, err = io.Copy(io.Discard, pr) // Copy compares the checksums at its end
	}
	_ = pr.CloseWithError(errors.New("nobody reads on"))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func walk(r io.Reader, visit func(Entry, io.Reader) error) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for {
		e, err := odcEntry(z)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if e.Path == trailer {
			_, err := io.Copy(io.Discard, z)
			return err
		}
		content := io.LimitReader(z, e.Size)
		if err := visit(e, content); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
	}
}

func odcEntry(r io.Reader) (Entry, error) {
	head := make([]byte, 76)
	if _, err := io.ReadFull(r, head); err != nil {
		return Entry{}, err
	}
	if string(head[:6]) != odcMagic {
		return Entry{}, errors.New("a header is not where it must be")
	}
	number := func(from, to int) int64 {
		n, err := strconv.ParseInt(string(head[from:to]), 8, 64)
		if err != nil {
			return -1
		}
		return n
	}
	length := number(59, 65)
	e := Entry{Mode: uint32(number(18, 24)), UID: int(number(24, 30)), GID: int(number(30, 36)), Mtime: number(48, 59), Size: number(65, 76)}
	if length < 2 || length > maxEntryName || e.Size < 0 || e.Mtime < 0 {
		return Entry{}, errors.New("a header has no sensible numbers")
	}
	name := make([]byte, length)
	if _, err := io.ReadFull(r, name); err != nil {
		return Entry{}, err
	}
	e.Path = path.Clean(string(name[:length-1]))
	return e, nil
}
