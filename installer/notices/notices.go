// Package notices writes what the licences of others' parts want in what is given away: their texts, of every module that the
// Go tool has noted in the programs of a package, of Go's own library, and of the C sources and the runtime that a program with
// C in it brings. The same programs give the same bytes.
package notices

import (
	"bytes"
	"context"
	"debug/buildinfo"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/sbom"
	"github.com/platenprint/platen/installer/tool"
)

// Name is what the file is called in every package.
const Name = product.NoticesFile

// ErrNoText says that no licence came with a part of a program: it cannot be given away.
var ErrNoText = errors.New("no licence text comes with it")

//go:embed files/mingw-w64.txt
var mingw string

// Options say where the texts are asked for.
type Options struct {
	Go     string // the go command
	Source string // the source tree that the programs were built of
}

// Write writes the texts for a package with these programs to path, with its folder. The error names the module whose text is
// missing (ErrNoText).
func Write(ctx context.Context, o Options, programs []string, path string) error {
	text, err := Text(ctx, o, programs)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o644) //nolint:gosec // packages are for everyone
	}
	if err != nil {
		return fmt.Errorf("write the licences of others' parts: %w", err)
	}
	return nil
}

// part is something of others in a program.
type part struct {
	name  string // with its version
	texts []string
}

// Text is what Write writes.
func Text(ctx context.Context, o Options, programs []string) ([]byte, error) {
	modules, err := sbom.Modules(programs)
	if err != nil {
		return nil, err
	}
	parts, err := base(ctx, o, programs)
	if err != nil {
		return nil, err
	}
	dirs, err := folders(ctx, o, modules)
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		p := part{name: path + " " + modules[path]}
		if p.texts, err = inFolder(dirs[path]); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		parts = append(parts, p)
	}
	return write(parts), nil
}

// base is what a compiler adds to every program: Go's library, and on Windows, where C is in it, the runtime of MinGW.
func base(ctx context.Context, o Options, programs []string) ([]part, error) {
	versions, withMinGW := map[string]bool{}, false
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", filepath.Base(program), err)
		}
		versions[info.GoVersion] = true
		withMinGW = withMinGW || hasMinGW(info)
	}
	root, err := tool.Run(ctx, o.Source, nil, o.Go, "env", "GOROOT")
	if err != nil {
		return nil, fmt.Errorf("ask where Go is: %w", err)
	}
	goes := part{name: "Go's standard library (" + strings.Join(slices.Sorted(maps.Keys(versions)), ", ") + ")"}
	for _, name := range []string{"LICENSE", "PATENTS"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", goes.name, ErrNoText, err)
		}
		goes.texts = append(goes.texts, tidy(text))
	}
	parts := []part{goes}
	if withMinGW {
		parts = append(parts, part{name: "MinGW-w64's runtime", texts: []string{tidy([]byte(mingw))}})
	}
	return parts, nil
}

// hasMinGW tells whether a program was linked by MinGW.
func hasMinGW(info *buildinfo.BuildInfo) bool {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	return set["GOOS"] == "windows" && set["CGO_ENABLED"] == "1"
}

// folders are where the Go tool keeps the modules, by path. They must be those that the programs were built of.
func folders(ctx context.Context, o Options, modules map[string]string) (map[string]string, error) {
	if len(modules) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-m", "-f", "{{.Path}}\t{{.Version}}\t{{.Dir}}"}, slices.Sorted(maps.Keys(modules))...)
	out, err := tool.Run(ctx, o.Source, []string{"GOFLAGS=-mod=readonly", "GOWORK=off"}, o.Go, args...)
	if err != nil {
		return nil, fmt.Errorf("ask where the modules are: %w", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 3 {
			continue
		}
		if want := modules[f[0]]; f[1] != want {
			return nil, fmt.Errorf("%s: %s is in the programs and %s in the sources; build both of the same", f[0], want, f[1])
		}
		dirs[f[0]] = f[2]
	}
	return dirs, nil
}

const ruler = "================================================================================\n"

// write lists the parts with the numbers of their texts, and then every text once: many parts have the same.
func write(parts []part) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s is given away under the licence in the file LICENSE. It has parts made by others in it. Their licences\n"+
		"are below: after each part stand the numbers of its texts.\n\n", product.Name)
	numbers, texts := map[string]int{}, []string{}
	for _, p := range parts {
		var mine []string
		for _, text := range p.texts {
			if numbers[text] == 0 {
				texts = append(texts, text)
				numbers[text] = len(texts)
			}
			mine = append(mine, fmt.Sprint(numbers[text]))
		}
		fmt.Fprintf(&b, "%s: %s\n", p.name, strings.Join(mine, ", "))
	}
	for i, text := range texts {
		fmt.Fprintf(&b, "\n%sText %d\n%s\n%s\n", ruler, i+1, ruler, text)
	}
	return b.Bytes()
}
