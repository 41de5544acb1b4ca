package programs

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/tool"
)

// libraries are what the window is linked with. It loads the rest by itself when it starts.
var libraries = []string{"GL", "X11", "Xcursor", "Xi", "Xinerama", "Xrandr", "Xxf86vm"}

// places are where Debian and others keep the libraries of a 64-bit PC.
var places = []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"}

// stubs makes stand-ins for the libraries of another processor in dir, and returns dir. The linker wants nothing of a shared
// library but its name and the names it defines, which are the same on every processor; so each stand-in is compiled from
// the names in the library of this machine. It saves a foreign architecture's packages (see docs/adr/0011-packages.md); the
// headers are those of this machine.
func stubs(ctx context.Context, dir, compiler string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the folder of the stand-ins: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the stand-ins: %w", err)
	}
	for _, name := range libraries {
		if err := stub(ctx, dir, name, compiler); err != nil {
			return "", fmt.Errorf("make a stand-in for lib%s.so: %w", name, err)
		}
	}
	// go-gl asks pkg-config how to link libGL.
	pc := "Name: gl\nDescription: stand-in\nVersion: 1\nLibs: -lGL\n"
	if err := os.WriteFile(filepath.Join(dir, "gl.pc"), []byte(pc), 0o644); err != nil {
		return "", fmt.Errorf("describe libGL to pkg-config: %w", err)
	}
	return dir, nil
}

func stub(ctx context.Context, dir, name, compiler string) error {
	soname, symbols, err := exported("lib" + name + ".so")
	if err != nil {
		return err
	}
	var code strings.Builder
	for _, s := range symbols {
		fmt.Fprintf(&code, "void %s(void) {}\n", s)
	}
	source := filepath.Join(dir, name+".c")
	if err := os.WriteFile(source, []byte(code.String()), 0o644); err != nil {
		return err
	}
	_, err = tool.Run(ctx, dir, nil, compiler, "-w", "-shared", "-nostdlib", "-fno-builtin", "-Wl,-soname,"+soname, "-o", "lib"+name+".so", name+".c")
	return err
}

// exported returns the name of a library of this machine as programs ask for it, and the names it defines.
func exported(file string) (soname string, symbols []string, err error) {
	var lib *elf.File
	for _, place := range places {
		if lib, err = elf.Open(filepath.Join(place, file)); err == nil {
			break
		}
	}
	if lib == nil {
		return "", nil, &tool.MissingError{Names: []string{file}}
	}
	defer func() { _ = lib.Close() }()
	names, err := lib.DynString(elf.DT_SONAME)
	if err != nil {
		return "", nil, fmt.Errorf("read the name in %s: %w", file, err)
	}
	if len(names) != 1 {
		return "", nil, fmt.Errorf("read the name in %s: it has %d", file, len(names))
	}
	all, err := lib.DynamicSymbols()
	if err != nil {
		return "", nil, fmt.Errorf("read the symbols of %s: %w", file, err)
	}
	for _, s := range all {
		if s.Section != elf.SHN_UNDEF && elf.ST_BIND(s.Info) != elf.STB_LOCAL && s.Name != "_init" && s.Name != "_fini" {
			symbols = append(symbols, s.Name)
		}
	}
	slices.Sort(symbols)
	return names[0], slices.Compact(symbols), nil
}
