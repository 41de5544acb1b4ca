package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/programs"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/installer/tool"
)

// build makes one release.
type build struct {
	options
	steps
	release product.Release
	kinds   []kind
	env     []string // for the Go tool
}

// newBuild checks everything that can be checked before the first minute is spent.
func newBuild(ctx context.Context, o options, s steps) (*build, error) {
	for _, dir := range []*string{&o.source, &o.out, &o.work} {
		absolute, err := filepath.Abs(*dir)
		if err != nil {
			return nil, fmt.Errorf("find folder %s: %w", *dir, err)
		}
		*dir = absolute
	}
	b := &build{options: o, steps: s}
	var err error
	if b.kinds, err = chosen(o.only); err != nil {
		return nil, err
	}
	if b.release, err = release(ctx, o.version, o.source); err != nil {
		return nil, err
	}
	var tools []string
	for _, k := range b.kinds {
		tools = append(tools, k.tools...)
		if o.programs == "" {
			tools = append(tools, programs.Tools(k.target, k.programs)...)
		}
	}
	slices.Sort(tools)
	return b, tool.Need(slices.Compact(tools)...)
}

// release is the version with its date: SOURCE_DATE_EPOCH, or when the last commit was made.
func release(ctx context.Context, version, source string) (product.Release, error) {
	r, err := product.Parse(version)
	if err != nil {
		return r, err
	}
	commit, gitErr := tool.Run(ctx, source, nil, "git", "log", "-1", "--format=%H %ct")
	hash, epoch, _ := strings.Cut(strings.TrimSpace(string(commit)), " ")
	r.Commit = hash
	if e := os.Getenv("SOURCE_DATE_EPOCH"); e != "" {
		epoch, gitErr = e, nil
	}
	if gitErr != nil {
		return r, fmt.Errorf("set SOURCE_DATE_EPOCH, as git does not say when the sources are from: %w", gitErr)
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 315532800 { // 1980: zip and cab know no time before
		return r, fmt.Errorf("the sources' date %q is not a number of seconds since 1970, in or after 1980", epoch)
	}
	r.Time = time.Unix(seconds, 0).UTC()
	return r, nil
}

// all builds programs and packages, and everything that goes with them.
func (b *build) all(ctx context.Context) (made, error) {
	m := made{Version: b.release.Version, Time: b.release.Time.Format(time.RFC3339), Folder: b.out}
	folders, err := b.programsFor(ctx)
	if err != nil {
		return m, err
	}
	if err := b.clear(); err != nil {
		return m, err
	}
	packages, err := b.packages(ctx, folders)
	if err != nil {
		return m, err
	}
	list, err := sums.Write(packages)
	if err != nil {
		return m, err
	}
	for _, path := range append(packages, list) {
		a, err := describe(path)
		if err != nil {
			return m, fmt.Errorf("look at %s: %w", path, err)
		}
		m.Files = append(m.Files, a)
	}
	return m, nil
}

// programsFor has a folder with programs for every target.
func (b *build) programsFor(ctx context.Context) (map[programs.Target]string, error) {
	wanted := map[programs.Target][]string{}
	var order []programs.Target
	for _, k := range b.kinds {
		if wanted[k.target] == nil {
			order = append(order, k.target)
		}
		for _, p := range k.programs {
			if !slices.Contains(wanted[k.target], p) {
				wanted[k.target] = append(wanted[k.target], p)
			}
		}
	}
	folders := map[programs.Target]string{}
	o := programs.Options{Go: b.goTool, Source: b.source, Work: b.work, Release: b.release, Env: b.env}
	for _, t := range order {
		var err error
		if b.programs != "" {
			folders[t], err = programs.Prebuilt(b.programs, t, wanted[t])
		} else {
			for _, name := range wanted[t] {
				err = errors.Join(err, b.do("build "+name+" for "+t.Dir(), func() (err error) {
					folders[t], err = programs.Build(ctx, o, t, []string{name})
					return err
				}))
				if err != nil {
					break
				}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return folders, nil
}

// clear removes what an earlier build has left in the folder for packages: only files that are called as ours are.
func (b *build) clear() error {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return fmt.Errorf("make the folder for packages: %w", err)
	}
	for _, pattern := range []string{"platen-*", "platen_*", sums.Name + "*"} {
		old, err := filepath.Glob(filepath.Join(b.out, pattern))
		if err != nil {
			return err
		}
		for _, path := range old {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove an earlier package: %w", err)
			}
		}
	}
	return nil
}

func (b *build) packages(ctx context.Context, folders map[programs.Target]string) ([]string, error) {
	var all []string
	for _, k := range b.kinds {
		in := product.Input{
			Release: b.release, Arch: k.target.Arch, Programs: folders[k.target], Out: b.out,
			Assets: filepath.Join(b.source, "assets"), Docs: filepath.Join(b.source, "docs"), License: filepath.Join(b.source, "LICENSE"),
		}
		err := b.do("pack "+k.name, func() error {
			paths, err := k.build(ctx, in)
			all = append(all, paths...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", k.name, err)
		}
	}
	slices.Sort(all)
	return all, nil
}

func describe(path string) (artefact, error) {
	info, err := os.Stat(path)
	if err != nil {
		return artefact{}, err
	}
	sum, err := sums.File(path)
	return artefact{File: filepath.Base(path), Bytes: info.Size(), SHA256: sum}, err
}
