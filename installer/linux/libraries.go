package linux

import (
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// library is a shared library by its name in ELF files and the Debian package that has it. rpm packages provide the name itself.
type library struct{ soname, deb string }

// linked are the libraries a window may be linked with; cLibrary are those of the C library's package.
var linked = []library{
	{"libGL.so.1", "libgl1"},
	{"libEGL.so.1", "libegl1"},
	{"libX11.so.6", "libx11-6"},
	{"libXxf86vm.so.1", "libxxf86vm1"},
	{"libXcursor.so.1", "libxcursor1"},
	{"libXi.so.6", "libxi6"},
	{"libXinerama.so.1", "libxinerama1"},
	{"libXrandr.so.2", "libxrandr2"},
	{"libXrender.so.1", "libxrender1"},
	{"libXext.so.6", "libxext6"},
	{"libwayland-client.so.0", "libwayland-client0"},
	{"libwayland-cursor.so.0", "libwayland-cursor0"},
	{"libwayland-egl.so.1", "libwayland-egl1"},
	{"libxkbcommon.so.0", "libxkbcommon0"},
}

var cLibrary = []string{"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

// loaded are what GLFW, which draws the window, loads by name when it runs (glfw.org, x11_init.c): it works without, but then
// knows no second screen, no cursor theme and no smooth scrolling.
var loaded = []library{
	{"libXcursor.so.1", "libxcursor1"},
	{"libXi.so.6", "libxi6"},
	{"libXinerama.so.1", "libxinerama1"},
	{"libXrandr.so.2", "libxrandr2"},
	{"libXxf86vm.so.1", "libxxf86vm1"},
}

// needs is what a program needs of the system.
type needs struct {
	libc      string // the version of glibc, "" for a static program
	libraries []library
}

// needsOf reads a program: DT_NEEDED, the versions of the symbols, and the names of what it loads itself.
func needsOf(path string) (needs, error) {
	var n needs
	f, err := elf.Open(path)
	if err != nil {
		return n, err
	}
	defer f.Close()
	sonames, err := f.ImportedLibraries()
	if err != nil {
		return n, err
	}
	if len(sonames) == 0 {
		return n, nil
	}
	for _, soname := range sonames {
		i := slices.IndexFunc(linked, func(l library) bool { return l.soname == soname })
		switch {
		case i >= 0:
			n.libraries = append(n.libraries, linked[i])
		case slices.Contains(cLibrary, soname):
			n.libc = "2.17" // what every symbol without a newer version is in, on both architectures
		default:
			return n, fmt.Errorf("%s needs %s; add the package that has it to the table", path, soname)
		}
	}
	symbols, err := f.ImportedSymbols()
	if err != nil {
		return n, err
	}
	for _, s := range symbols {
		if v, ok := strings.CutPrefix(s.Version, "GLIBC_"); ok && newer(v, n.libc) {
			n.libc = v
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return n, err
	}
	for _, l := range loaded {
		if strings.Contains(string(text), l.soname) && !slices.Contains(n.libraries, l) {
			n.libraries = append(n.libraries, l)
		}
	}
	return n, nil
}

// newer compares versions such as 2.34.
func newer(a, b string) bool {
	number := func(text string) (list []int) {
		for part := range strings.SplitSeq(text, ".") {
			n, err := strconv.Atoi(part)
			if err != nil {
				return nil // GLIBC_PRIVATE
			}
			list = append(list, n)
		}
		return list
	}
	return slices.Compare(number(a), number(b)) > 0
}

// add tells both families, each in its words: the C library is needed, the other libraries are wanted.
func (n needs) add(debs, rpms *family) {
	if n.libc == "" {
		return
	}
	debs.depends = append(debs.depends, "libc6 (>= "+n.libc+")")
	rpms.depends = append(rpms.depends, "libc.so.6(GLIBC_"+n.libc+")(64bit)")
	wanted := map[string]bool{}
	var sonames []string
	for _, l := range n.libraries {
		wanted[l.deb] = true
		sonames = append(sonames, l.soname+"()(64bit)")
	}
	debs.recommends = append(debs.recommends, slices.Sorted(maps.Keys(wanted))...)
	slices.Sort(sonames)
	rpms.recommends = append(rpms.recommends, sonames...)
}
