package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/tool"
)

// errDiffers says that a second build did not give the same bytes.
var errDiffers = errors.New("the second build differs")

// again builds everything a second time, from a copy of the sources in another folder and with an empty build cache, and
// compares.
func (b *build) again(ctx context.Context, first made) error {
	if b.keys.Windows != nil && b.keys.Windows.Timestamped() {
		return errors.New("compare two builds without a time-stamp authority: it gives each another time")
	}
	dir, err := os.MkdirTemp("", "platen-second-build-")
	if err != nil {
		return fmt.Errorf("build a second time: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	second := *b
	second.source, second.work, second.out = filepath.Join(dir, "elsewhere", "sources"), filepath.Join(dir, "work"), filepath.Join(dir, "out")
	second.env = append(slices.Clone(b.env), "GOCACHE="+filepath.Join(dir, "cache"))
	fmt.Fprintln(b.log, "and once more, elsewhere:")
	if err := b.do("copy the sources", func() error { return copySources(ctx, b.source, second.source) }); err != nil {
		return fmt.Errorf("build a second time: %w", err)
	}
	if second.kinds, err = choose(second.allKinds(), b.only); err != nil {
		return fmt.Errorf("build a second time: %w", err)
	}
	made, err := second.all(ctx)
	if err != nil {
		return fmt.Errorf("build a second time: %w", err)
	}
	return compare(first.Files, made.Files)
}

// compare names the files that are not the same in both.
func compare(first, second []artefact) error {
	var differ []string
	for _, f := range first {
		if !slices.Contains(second, f) {
			differ = append(differ, f.File)
		}
	}
	for _, s := range second {
		if !slices.ContainsFunc(first, func(f artefact) bool { return f.File == s.File }) {
			differ = append(differ, s.File)
		}
	}
	if differ != nil {
		return fmt.Errorf("%w: %s", errDiffers, strings.Join(differ, ", "))
	}
	return nil
}

// copySources copies what git knows of, and new files that it would.
func copySources(ctx context.Context, from, to string) error {
	list, err := tool.Run(ctx, from, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		err := copyFile(filepath.Join(from, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // deleted, and not yet committed
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
