// Package archive packs the server for those who install it by hand: tar.gz for Linux, zip for Windows. One folder with the
// program, its licence, example settings and what to do first. The same input gives the same bytes.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/server-stub/service"
)

//go:embed files
var files embed.FS

// File is a file in an archive. Path is relative, with slashes.
type File struct {
	Path string
	Mode fs.FileMode
	Data []byte
}

// Server packs the server for goos (linux or windows) into in.Out and returns the archive's path. It is product.ErrNoPrograms
// when in.Programs does not have the server.
func Server(_ context.Context, in product.Input, goos string) (string, error) {
	program, ending := product.ServerPackage, ".tar.gz"
	if goos == "windows" {
		program, ending = program+".exe", ".zip"
	}
	folder := fmt.Sprintf("%s-%s-%s-%s", product.ServerPackage, in.Release.Version, goos, in.Arch)
	path := filepath.Join(in.Out, folder+ending)
	list, err := contents(in, goos, program)
	if err != nil {
		return "", fmt.Errorf("pack %s: %w", filepath.Base(path), err)
	}
	write := TarGz
	if goos == "windows" {
		write = Zip
	}
	if err := create(path, func(w io.Writer) error { return write(w, folder, list, in.Release.Time) }); err != nil {
		return "", fmt.Errorf("pack %s: %w", filepath.Base(path), err)
	}
	return path, nil
}

// contents are the files of the server's archive, without their folder.
func contents(in product.Input, goos, program string) ([]File, error) {
	exe, err := os.ReadFile(filepath.Join(in.Programs, program))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s in %s", product.ErrNoPrograms, program, in.Programs)
	}
	if err != nil {
		return nil, err
	}
	license, err := os.ReadFile(in.License)
	if err != nil {
		return nil, err
	}
	readme, err := files.ReadFile("files/README-" + goos + ".txt")
	if err != nil {
		return nil, err
	}
	text := func(b []byte) []byte {
		s := strings.ReplaceAll(string(b), "VERSION", in.Release.Version)
		if goos == "windows" {
			s = strings.ReplaceAll(s, "\n", "\r\n")
		}
		return []byte(s)
	}
	list := []File{
		{Path: "LICENSE.txt", Mode: 0o644, Data: text(license)},
		{Path: "README.txt", Mode: 0o644, Data: text(readme)},
		{Path: program, Mode: 0o755, Data: exe},
		{Path: "platen-server.yaml", Mode: 0o644, Data: text([]byte(service.Config()))},
	}
	if in.Notices != "" {
		notices, err := os.ReadFile(in.Notices)
		if err != nil {
			return nil, err
		}
		if goos == "windows" {
			notices = bytes.ReplaceAll(notices, []byte("\n"), []byte("\r\n"))
		}
		list = slices.Insert(list, 2, File{Path: product.NoticesFile, Mode: 0o644, Data: notices})
	}
	if goos == "linux" {
		unit, err := service.Unit("/usr/local/bin/" + program)
		if err != nil {
			return nil, err
		}
		list = append(list, File{Path: "platen-server.service", Mode: 0o644, Data: []byte(unit)})
	}
	return list, nil
}

// TarGz writes the files, below folder, as a compressed tar archive in which everything is dated at and root's.
func TarGz(w io.Writer, folder string, list []File, at time.Time) error {
	zw, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(zw)
	header := func(name string, mode fs.FileMode, kind byte, size int) error {
		return tw.WriteHeader(&tar.Header{
			Typeflag: kind, Name: name, Mode: int64(mode.Perm()), Size: int64(size), ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		})
	}
	if err := header(folder+"/", 0o755, tar.TypeDir, 0); err != nil {
		return err
	}
	for _, f := range list {
		if err := header(folder+"/"+f.Path, f.Mode, tar.TypeReg, len(f.Data)); err != nil {
			return err
		}
		if _, err := tw.Write(f.Data); err != nil {
			return err
		}
	}
	return errors.Join(tw.Close(), zw.Close())
}

// Zip writes the files, below folder, as a zip archive in which everything is dated at.
func Zip(w io.Writer, folder string, list []File, at time.Time) error {
	zw := zip.NewWriter(w)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range list {
		h := &zip.FileHeader{Name: folder + "/" + f.Path, Method: zip.Deflate, Modified: at.UTC()}
		h.SetMode(f.Mode)
		part, err := zw.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := part.Write(f.Data); err != nil {
			return err
		}
	}
	return zw.Close()
}

// create writes a file as a whole or not at all.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
