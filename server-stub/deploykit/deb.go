package deploykit

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // dpkg's list of sums is made of them; nothing is protected by it
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"
)

// deb is a Debian package that only brings files: no programs, no scripts. The format is deb(5): an ar archive with its version
// and two tar archives. The files are no conffiles: they are the site's, every version replaces them, and they go with the package, so
// that no computer keeps the server of a package that was taken away.
type deb struct {
	name, version, maintainer, summary, description string
	relations                                       [][2]string // control fields such as Conflicts, in this order
	time                                            time.Time
	files                                           []debFile
}

type debFile struct {
	path    string // from the root, without the first slash
	content []byte
}

// bytes writes the package.
func (d deb) bytes() ([]byte, error) {
	var control, md5sums strings.Builder
	size := 0
	for _, f := range d.files {
		fmt.Fprintf(&md5sums, "%x  %s\n", md5.Sum(f.content), f.path) //nolint:gosec // see the import
		size += len(f.content)
	}
	for _, field := range append([][2]string{
		{"Package", d.name},
		{"Version", d.version},
		{"Architecture", "all"},
		{"Maintainer", d.maintainer},
		{"Installed-Size", fmt.Sprint((size + 1023) / 1024)},
		{"Section", "misc"},
		{"Priority", "optional"},
	}, d.relations...) {
		fmt.Fprintf(&control, "%s: %s\n", field[0], field[1])
	}
	fmt.Fprintf(&control, "Description: %s\n", d.summary)
	for line := range strings.SplitSeq(d.description, "\n") {
		fmt.Fprintf(&control, " %s\n", line)
	}
	controlTar, err := d.tarball([]debFile{{"control", []byte(control.String())}, {"md5sums", []byte(md5sums.String())}}, false)
	if err != nil {
		return nil, err
	}
	dataTar, err := d.tarball(d.files, true)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []debFile{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", controlTar}, {"data.tar.gz", dataTar}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.path, d.time.Unix(), 0, 0, 0o100644, len(m.content))
		b.Write(m.content)
		if len(m.content)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// tarball writes a compressed tar archive, with the folders of the files if folders.
func (d deb) tarball(files []debFile, folders bool) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress the package: %w", err)
	}
	w := tar.NewWriter(z)
	seen := map[string]bool{}
	put := func(h tar.Header, content []byte) error {
		h.ModTime, h.Format, h.Uname, h.Gname = d.time, tar.FormatGNU, "root", "root"
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	if err := put(tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755}, nil); err != nil {
		return nil, fmt.Errorf("write the package: %w", err)
	}
	for _, f := range files {
		for _, dir := range parents(f.path) {
			if folders && !seen[dir] {
				seen[dir] = true
				if err := put(tar.Header{Typeflag: tar.TypeDir, Name: "./" + dir + "/", Mode: 0o755}, nil); err != nil {
					return nil, fmt.Errorf("write the package: %w", err)
				}
			}
		}
		if err := put(tar.Header{Typeflag: tar.TypeReg, Name: "./" + f.path, Mode: 0o644}, f.content); err != nil {
			return nil, fmt.Errorf("write the package: %w", err)
		}
	}
	for _, c := range []io.Closer{w, z} {
		if err := c.Close(); err != nil {
			return nil, fmt.Errorf("write the package: %w", err)
		}
	}
	return b.Bytes(), nil
}

// parents are the folders above a path, the outermost first.
func parents(name string) []string {
	var list []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		list = append([]string{dir}, list...)
	}
	return list
}

var notInDebName = regexp.MustCompile(`[^a-z0-9.+-]+`)

// debNameOf makes the name of the package with the settings for a host (Debian Policy section 5.6.1).
func debNameOf(host string) string {
	return "platen-config-" + strings.Trim(notInDebName.ReplaceAllString(strings.ToLower(host), "-"), "-.+")
}
