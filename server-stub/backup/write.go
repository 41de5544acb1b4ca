package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/platenprint/platen/server-stub/keys"
)

// File is a file of the data folder.
type File struct {
	Name     string
	Contents []byte
}

// Write writes a backup to w. database writes the database's own backup. info.Format and info.MasterKey are filled in.
func Write(w io.Writer, k *keys.Keys, info Info, files []File, database func(io.Writer) error) error {
	info.Format, info.MasterKey = Format, k.ID()
	text, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	zip := gzip.NewWriter(w)
	out := &writer{tar: tar.NewWriter(zip), info: info}
	if err := out.add(infoName, text); err != nil {
		return err
	}
	for _, f := range files {
		if err := out.add(f.Name, f.Contents); err != nil {
			return err
		}
	}
	pieces := &pieces{out: out}
	if err := database(pieces); err != nil {
		return fmt.Errorf("write the database's backup: %w", err)
	}
	if err := pieces.flush(); err != nil {
		return err
	}
	if err := out.finish(k); err != nil {
		return err
	}
	if err := out.tar.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// writer writes entries and keeps the manifest.
type writer struct {
	tar     *tar.Writer
	info    Info
	entries []entry
}

func (o *writer) add(name string, contents []byte) error {
	sum := sha256.Sum256(contents)
	o.entries = append(o.entries, entry{name, int64(len(contents)), hex.EncodeToString(sum[:])})
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(contents)), Mode: 0o400, ModTime: o.info.CreatedAt, Format: tar.FormatPAX}
	if err := o.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("write %s into the backup: %w", name, err)
	}
	if _, err := o.tar.Write(contents); err != nil {
		return fmt.Errorf("write %s into the backup: %w", name, err)
	}
	return nil
}

func (o *writer) finish(k *keys.Keys) error {
	manifest, err := json.Marshal(o.entries)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := o.add(manifestName, manifest); err != nil {
		return err
	}
	return o.add(signatureName, sign(k, manifest))
}

func sign(k *keys.Keys, manifest []byte) []byte {
	key := k.Derive(purpose)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(signaturePad))
	mac.Write(manifest)
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}

// pieces cuts a stream into entries.
type pieces struct {
	out *writer
	n   int
	buf []byte
}

func (p *pieces) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		room := min(pieceSize-len(p.buf), len(b))
		p.buf, b = append(p.buf, b[:room]...), b[room:]
		if len(p.buf) == pieceSize {
			if err := p.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

func (p *pieces) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	p.n++
	err := p.out.add(fmt.Sprintf("%s%05d", databaseName, p.n), p.buf)
	p.buf = p.buf[:0]
	return err
}
