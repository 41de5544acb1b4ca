// Package sums writes and checks SHA256SUMS, in the form of sha256sum of the GNU coreutils.
package sums

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Name is the file's name, beside what it lists.
const Name = "SHA256SUMS"

// Write lists the files, all in one folder, in a file called Name beside them, and returns its path. They are sorted by name.
func Write(files []string) (string, error) {
	if len(files) == 0 {
		return "", errors.New("write " + Name + ": no files")
	}
	dir := filepath.Dir(files[0])
	var lines []string
	for _, f := range files {
		if filepath.Dir(f) != dir {
			return "", fmt.Errorf("write %s: %s is not in %s", Name, f, dir)
		}
		sum, err := File(f)
		if err != nil {
			return "", fmt.Errorf("write %s: %w", Name, err)
		}
		lines = append(lines, sum+"  "+filepath.Base(f)+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	path := filepath.Join(dir, Name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		return "", fmt.Errorf("write %s: %w", Name, err)
	}
	return path, nil
}

// File is the SHA-256 of a file, in hex.
func File(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Read reads a list: file name to sum.
func Read(r io.Reader) (map[string]string, error) {
	list := map[string]string{}
	for lines := bufio.NewScanner(r); ; {
		if !lines.Scan() {
			return list, lines.Err()
		}
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || name == "" {
			return nil, fmt.Errorf("read %s: line %q is not a sum and a name", Name, lines.Text())
		}
		list[name] = sum
	}
}
