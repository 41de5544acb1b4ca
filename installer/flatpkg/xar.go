package flatpkg

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	xarMagic     = "xar!"
	xarHeader    = 28
	xarVersion   = 1
	styleStored  = "application/octet-stream"
	styleDeflate = "application/x-gzip" // xar calls zlib's format so
)

// The table of contents.
type xarDocument struct {
	XMLName xml.Name `xml:"xar"`
	TOC     toc      `xml:"toc"`
}

type toc struct {
	CreationTime string        `xml:"creation-time"`
	Checksum     tocChecksum   `xml:"checksum"`
	Signature    *tocSignature `xml:"signature"`
	Files        []*tocFile    `xml:"file"`
}

type tocChecksum struct {
	Style  string `xml:"style,attr"`
	Offset int64  `xml:"offset"`
	Size   int64  `xml:"size"`
}

type tocSignature struct {
	Style   string     `xml:"style,attr"`
	Offset  int64      `xml:"offset"`
	Size    int64      `xml:"size"`
	KeyInfo tocKeyInfo `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo"`
}

type tocKeyInfo struct {
	Certificates []string `xml:"X509Data>X509Certificate"`
}

type tocFile struct {
	ID    int        `xml:"id,attr"`
	Name  string     `xml:"name"`
	Type  string     `xml:"type"`
	Mode  string     `xml:"mode"`
	UID   int        `xml:"uid"`
	GID   int        `xml:"gid"`
	User  string     `xml:"user"`
	Group string     `xml:"group"`
	Mtime string     `xml:"mtime"`
	Data  *tocData   `xml:"data"`
	Files []*tocFile `xml:"file"`
}

type tocData struct {
	Offset            int64       `xml:"offset"` // in the heap
	Size              int64       `xml:"size"`   // taken out
	Length            int64       `xml:"length"` // in the heap
	Encoding          tocEncoding `xml:"encoding"`
	ExtractedChecksum tocSum      `xml:"extracted-checksum"`
	ArchivedChecksum  tocSum      `xml:"archived-checksum"`
}

type tocEncoding struct {
	Style string `xml:"style,attr"`
}

type tocSum struct {
	Style string `xml:"style,attr"`
	Hex   string `xml:",chardata"`
}

// archive is a xar being written: what goes into the heap is in a file, in the order in which it was added.
type archive struct {
	heap   *os.File
	at     int64
	digest Digest
	when   string
	files  []*tocFile
	count  int
}

func newArchive(heap *os.File, digest Digest, when time.Time) *archive {
	return &archive{heap: heap, digest: digest, when: when.UTC().Format("2006-01-02T15:04:05Z")}
}

// folder is a folder of the archive.
type folder struct {
	x    *archive
	file *tocFile
}

func (x *archive) entry(name, kind, mode string) *tocFile {
	x.count++
	return &tocFile{ID: x.count, Name: name, Type: kind, Mode: mode, User: "root", Group: "wheel", Mtime: x.when}
}

func (x *archive) dir(name string) *folder {
	f := x.entry(name, "directory", "0755")
	x.files = append(x.files, f)
	return &folder{x, f}
}

// stored adds a file as it is.
func (d *folder) stored(name string, write func(io.Writer) error) error {
	sum := d.x.digest.hash().New()
	start := d.x.at
	out := &counter{w: io.MultiWriter(d.x.heap, sum)}
	if err := write(out); err != nil {
		return err
	}
	d.x.at += out.n
	text := d.x.sum(sum)
	f := d.x.entry(name, "file", "0644")
	f.Data = &tocData{
		Offset: start, Size: out.n, Length: out.n, Encoding: tocEncoding{styleStored}, ExtractedChecksum: text, ArchivedChecksum: text,
	}
	d.file.Files = append(d.file.Files, f)
	return nil
}

// deflated adds a small file, compressed.
func (d *folder) deflated(name string, data []byte) error {
	f, err := d.x.squeeze(name, data)
	d.file.Files = append(d.file.Files, f)
	return err
}

func (x *archive) deflated(name string, data []byte) error {
	f, err := x.squeeze(name, data)
	x.files = append(x.files, f)
	return err
}

func (x *archive) squeeze(name string, data []byte) (*tocFile, error) {
	packed, err := deflate(data)
	if err != nil {
		return nil, fmt.Errorf("compress %s: %w", name, err)
	}
	before, after := x.digest.hash().New(), x.digest.hash().New()
	before.Write(data)
	after.Write(packed)
	if _, err := x.heap.Write(packed); err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	f := x.entry(name, "file", "0644")
	f.Data = &tocData{
		Offset: x.at, Size: int64(len(data)), Length: int64(len(packed)), Encoding: tocEncoding{styleDeflate},
		ExtractedChecksum: x.sum(before), ArchivedChecksum: x.sum(after),
	}
	x.at += int64(len(packed))
	return f, nil
}

func (x *archive) sum(h hash.Hash) tocSum {
	return tocSum{Style: x.digest.style(), Hex: hex.EncodeToString(h.Sum(nil))}
}

// writeTo writes header, table of contents and heap. The heap begins with the digest of the compressed table, then comes the
// signature of that digest: their places are known before the table is, their content after.
func (x *archive) writeTo(w io.Writer, signer *Signer) error {
	h := x.digest.hash()
	table := toc{
		CreationTime: strings.TrimSuffix(x.when, "Z"),
		Checksum:     tocChecksum{Style: x.digest.style(), Size: int64(h.Size())},
	}
	front := int64(h.Size())
	if signer != nil {
		table.Signature = &tocSignature{Style: "RSA", Offset: front, Size: signer.size()}
		for _, c := range signer.Chain {
			table.Signature.KeyInfo.Certificates = append(table.Signature.KeyInfo.Certificates, base64.StdEncoding.EncodeToString(c.Raw))
		}
		front += signer.size()
	}
	table.Files = x.shifted(front)
	text, err := document("the table of contents", xarDocument{TOC: table})
	if err != nil {
		return err
	}
	packed, err := deflate(text)
	if err != nil {
		return fmt.Errorf("compress the table of contents: %w", err)
	}
	sum := h.New()
	sum.Write(packed)
	head := append([]byte(xarMagic), 0, xarHeader, 0, xarVersion)
	head = binary.BigEndian.AppendUint64(head, uint64(len(packed)))
	head = binary.BigEndian.AppendUint64(head, uint64(len(text)))
	head = binary.BigEndian.AppendUint32(head, x.digest.number())
	head = append(append(head, packed...), sum.Sum(nil)...)
	if signer != nil {
		signature, err := signer.sign(sum.Sum(nil), h)
		if err != nil {
			return err
		}
		head = append(head, signature...)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := x.heap.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the payload again: %w", err)
	}
	_, err = io.CopyN(w, x.heap, x.at)
	return err
}

// shifted puts the files behind what is in front of them in the heap, and sorts them by name.
func (x *archive) shifted(front int64) []*tocFile {
	var shift func(list []*tocFile)
	shift = func(list []*tocFile) {
		slices.SortFunc(list, func(a, b *tocFile) int { return strings.Compare(a.Name, b.Name) })
		for _, f := range list {
			if f.Data != nil {
				f.Data.Offset += front
			}
			shift(f.Files)
		}
	}
	shift(x.files)
	return x.files
}

func deflate(data []byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
