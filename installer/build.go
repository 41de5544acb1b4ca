package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/installer/notices"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/programs"
	"github.com/platenprint/platen/installer/sbom"
	"github.com/platenprint/platen/installer/scan"
	"github.com/platenprint/platen/installer/sign"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/installer/tool"
)

// build makes one release.
type build struct {
	options
	steps
	release product.Release
	kinds   []kind
	keys    sign.Keys
	env     []string // for the Go tool
}

// newBuild checks everything that can be checked before the first minute is spent.
func newBuild(ctx context.Context, o options, s steps, getenv func(string) string) (*build, error) {
	for _, dir := range []*string{&o.source, &o.out, &o.work, &o.programs, &o.mac} {
		if *dir == "" {
			continue
		}
		absolute, err := filepath.Abs(*dir)
		if err != nil {
			return nil, fmt.Errorf("find folder %s: %w", *dir, err)
		}
		*dir = absolute
	}
	b := &build{options: o, steps: s}
	var err error
	if b.keys, err = sign.FromEnvironment(getenv); err != nil {
		return nil, err
	}
	if b.kinds, err = choose(b.allKinds(), o.only); err != nil {
		return nil, err
	}
	if b.release, err = release(ctx, o.version, o.source, getenv("SOURCE_DATE_EPOCH")); err != nil {
		return nil, err
	}
	return b, tool.Need(b.tools()...)
}

// tools are all programs that will be started.
func (b *build) tools() []string {
	all := scan.Tools()
	for _, k := range b.kinds {
		all = append(all, k.tools...)
		for _, t := range k.targets {
			if b.prebuilt(t) == "" {
				all = append(all, programs.Tools(t, k.programs)...)
			}
		}
	}
	if b.keys.Windows != nil {
		all = append(all, b.keys.Windows.Tool())
	}
	if b.keys.Package != nil {
		all = append(all, b.keys.Package.Tool())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// release is the version with its date: SOURCE_DATE_EPOCH (epoch), or when the last commit was made.
func release(ctx context.Context, version, source, epoch string) (product.Release, error) {
	r, err := product.Parse(version)
	if err != nil {
		return r, err
	}
	commit, gitErr := tool.Run(ctx, source, nil, "git", "log", "-1", "--format=%H %ct")
	hash, committed, _ := strings.Cut(strings.TrimSpace(string(commit)), " ")
	r.Commit = hash
	if epoch == "" {
		if gitErr != nil {
			return r, fmt.Errorf("set SOURCE_DATE_EPOCH, as git does not say when the sources are from: %w", gitErr)
		}
		epoch = committed
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
	m := made{Version: b.release.Version, Time: b.release.Time.Format(time.RFC3339), Folder: b.out, Notes: b.notes()}
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
	if err := b.do("look for secrets", func() error { return b.scan(ctx, slices.Sorted(maps.Keys(packages))) }); err != nil {
		return m, err
	}
	files := slices.Sorted(maps.Keys(packages))
	err = b.do("list what they are made of", func() error {
		lists, err := b.boms(ctx, packages)
		files = append(files, lists...)
		return err
	})
	if err != nil {
		return m, err
	}
	list, err := sums.Write(files)
	if err != nil {
		return m, err
	}
	files = append(files, list)
	if b.keys.List != nil {
		signature, err := b.keys.List.Sign(list, b.release)
		if err != nil {
			return m, err
		}
		files = append(files, signature)
	}
	for _, path := range files {
		a, err := describe(path)
		if err != nil {
			return m, fmt.Errorf("look at %s: %w", path, err)
		}
		m.Files = append(m.Files, a)
	}
	return m, tooLarge(m.Files)
}

// notes are what somebody who wants to give the packages away should know.
func (b *build) notes() []string {
	var notes []string
	has := func(name string) bool {
		return slices.ContainsFunc(b.kinds, func(k kind) bool { return k.name == name })
	}
	if b.keys.Windows == nil && (has("msi") || has("server-windows-amd64")) {
		notes = append(notes, "what is for Windows is not signed: set "+sign.Prefix+sign.P12+" (docs/deploy/building.md)")
	}
	if has("pkg") {
		if b.keys.Package == nil {
			notes = append(notes, "the package for macOS is not signed: set "+sign.Prefix+sign.PackagePrefix+sign.P12)
		}
		if b.mac == "" {
			notes = append(notes, "the package for macOS has no window and no tray icon, which only a Mac can build: --mac (docs/deploy/mac-build.md)")
		}
	}
	if b.keys.List == nil {
		notes = append(notes, "the checksums are not signed: set "+sign.Prefix+sign.MinisignKey)
	}
	if b.keys.Windows != nil && b.keys.Windows.Timestamped() {
		notes = append(notes, "signatures have the time of a time-stamp authority: another build is not the same bytes")
	}
	return notes
}

// prebuilt is the folder in which the folder with the programs for t is, when they are not built here.
func (b *build) prebuilt(t programs.Target) string {
	if t.OS == "darwin" && b.mac != "" {
		return b.mac
	}
	return b.programs
}

// programsFor has a folder with programs for every target: b.work/TARGET, or one that was given. Targets are built side by
// side: half of the time is one C file of the window's, which one processor compiles.
func (b *build) programsFor(ctx context.Context) (map[programs.Target]string, error) {
	wanted := map[programs.Target][]string{}
	var targets []programs.Target
	for _, k := range b.kinds {
		for _, t := range k.targets {
			if !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
			for _, name := range k.programs {
				if !slices.Contains(wanted[t], name) {
					wanted[t] = append(wanted[t], name)
				}
			}
		}
	}
	o := programs.Options{Go: b.goTool, Source: b.source, Work: b.work, Release: b.release, Env: b.env}
	dirs := make([]string, len(targets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, runtime.NumCPU()))
	for i, t := range targets {
		if t.OS == "darwin" && b.staged() {
			dirs[i] = filepath.Join(b.mac, t.Dir())
			continue
		}
		group.Go(func() (err error) {
			for _, name := range wanted[t] {
				if dirs[i], err = b.program(ctx, o, t, name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	folders := map[programs.Target]string{}
	for i, t := range targets {
		folders[t] = dirs[i]
	}
	return folders, nil
}

// program builds or takes one program, signs it where there is a key, and returns its folder.
func (b *build) program(ctx context.Context, o programs.Options, t programs.Target, name string) (dir string, err error) {
	signed := t.OS == "windows" && b.keys.Windows != nil
	if from := b.prebuilt(t); from != "" {
		if dir, err = programs.Prebuilt(from, t, []string{name}); err != nil || !signed {
			return dir, err
		}
		if dir, err = programs.Copy(o, t, name, dir); err != nil { // what was given is not changed
			return "", err
		}
	} else {
		err = b.do("build "+name+" for "+t.Dir(), func() (err error) {
			dir, err = programs.Build(ctx, o, t, []string{name})
			return err
		})
		if err != nil {
			return "", err
		}
	}
	if signed {
		err = b.do("sign "+name, func() error { return b.keys.Windows.Sign(ctx, filepath.Join(dir, programs.File(t, name)), b.release) })
	}
	return dir, err
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

// packages makes every package, side by side, and returns them with the programs that are in them.
func (b *build) packages(ctx context.Context, folders map[programs.Target]string) (map[string][]string, error) {
	paths := make([][]string, len(b.kinds))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, runtime.NumCPU()))
	for i, k := range b.kinds {
		group.Go(func() error {
			return b.do("pack "+k.name, func() (err error) {
				if paths[i], err = b.pack(ctx, k, folders); err != nil {
					return fmt.Errorf("pack %s: %w", k.name, err)
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for i, k := range b.kinds {
		for _, path := range paths[i] {
			all[path] = b.inside(k, folders)
		}
	}
	return all, nil
}

// pack makes the packages of a kind, and signs an MSI where there is a key.
func (b *build) pack(ctx context.Context, k kind, folders map[programs.Target]string) ([]string, error) {
	in := product.Input{
		Release: b.release, Arch: k.targets[0].Arch, Programs: folders[k.targets[0]], Out: b.out,
		Assets: filepath.Join(b.source, "assets"), Docs: filepath.Join(b.source, "docs"), License: filepath.Join(b.source, "LICENSE"),
	}
	if len(k.targets) > 1 {
		in.Programs = filepath.Dir(in.Programs)
	}
	in.Notices = filepath.Join(b.work, "notices", k.name, notices.Name)
	if err := notices.Write(ctx, notices.Options{Go: b.goTool, Source: b.source}, b.inside(k, folders), in.Notices); err != nil {
		return nil, err
	}
	paths, err := k.build(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if b.keys.Windows != nil && filepath.Ext(path) == ".msi" {
			if err := b.keys.Windows.Sign(ctx, path, b.release); err != nil {
				return nil, err
			}
		}
	}
	return paths, nil
}

// inside are the programs in packages of a kind.
func (b *build) inside(k kind, folders map[programs.Target]string) []string {
	if k.name == "pkg" && b.staged() {
		app := filepath.Join(b.mac, "Platen.app", "Contents", "MacOS")
		return []string{filepath.Join(app, "platen"), filepath.Join(app, "platen-window"), filepath.Join(b.mac, "platen-deploy")}
	}
	var all []string
	for _, t := range k.targets {
		for _, name := range k.programs {
			all = append(all, filepath.Join(folders[t], programs.File(t, name)))
		}
	}
	return all
}

// boms lists what each package is made of.
func (b *build) boms(ctx context.Context, packages map[string][]string) ([]string, error) {
	var every []string
	for _, inside := range packages {
		every = append(every, inside...)
	}
	modules, err := sbom.Modules(every)
	if err != nil {
		return nil, err
	}
	licences, err := sbom.Licences(ctx, b.goTool, b.source, modules)
	if err != nil {
		return nil, err
	}
	var lists []string
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		list, err := sbom.Write(path, packages[path], licences, b.release)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// errSecrets says that something is in a package that must not be there. The package is removed.
var errSecrets = errors.New("there is something in the packages that must not be there; they were removed")

func (b *build) scan(ctx context.Context, packages []string) error {
	traces, err := b.traces(ctx)
	if err != nil {
		return err
	}
	s := scan.New(traces)
	var all []string
	for _, path := range packages {
		found, err := s.Scan(ctx, path)
		if err != nil {
			return err
		}
		for _, f := range found {
			all = append(all, "  "+f.String())
		}
	}
	if all == nil {
		return nil
	}
	for _, path := range packages {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("%w: %w", errSecrets, err)
		}
	}
	return fmt.Errorf("%w:\n%s", errSecrets, strings.Join(all, "\n"))
}

// traces are texts that tell of this machine. /root is everywhere.
func (b *build) traces(ctx context.Context) ([]string, error) {
	out, err := tool.Run(ctx, b.source, b.env, b.goTool, "env", "GOMODCACHE", "GOCACHE")
	if err != nil {
		return nil, fmt.Errorf("ask the Go tool where it keeps things: %w", err)
	}
	traces := append(strings.Fields(string(out)), b.source, b.work, b.out)
	if home, err := os.UserHomeDir(); err == nil && home != "/root" {
		traces = append(traces, home)
	}
	if host, err := os.Hostname(); err == nil && len(host) >= 8 && strings.ContainsAny(host, "0123456789") {
		traces = append(traces, host)
	}
	return traces, nil
}

func describe(path string) (artefact, error) {
	info, err := os.Stat(path)
	if err != nil {
		return artefact{}, err
	}
	sum, err := sums.File(path)
	return artefact{File: filepath.Base(path), Bytes: info.Size(), SHA256: sum}, err
}

func tooLarge(files []artefact) error {
	var err error
	for _, f := range files {
		if limit, ok := most[filepath.Ext(f.File)]; ok && f.Bytes > limit {
			err = errors.Join(err, fmt.Errorf("%s has %.1f MB, more than %.0f", f.File, float64(f.Bytes)/1e6, float64(limit)/1e6))
		}
	}
	return err
}
