// Package tool starts the programs that packages are made with. It names the Debian package of one that is missing, runs them
// in the same surroundings on every machine (no locale, no time zone), and keeps their output for the error only.
package tool

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Packages are the Debian packages of the programs we start.
var Packages = map[string]string{
	"7z":                     "p7zip-full",
	"aarch64-linux-gnu-gcc":  "gcc-aarch64-linux-gnu",
	"bsdtar":                 "libarchive-tools",
	"cpio":                   "cpio",
	"dpkg-deb":               "dpkg",
	"faketime":               "faketime",
	"gcc":                    "gcc",
	"git":                    "git",
	"libGL.so":               "libgl-dev",
	"libX11.so":              "libx11-dev",
	"libXcursor.so":          "libxcursor-dev",
	"libXi.so":               "libxi-dev",
	"libXinerama.so":         "libxinerama-dev",
	"libXrandr.so":           "libxrandr-dev",
	"libXxf86vm.so":          "libxxf86vm-dev",
	"msibuild":               "msitools",
	"msidump":                "msitools",
	"msiextract":             "msitools",
	"msiinfo":                "msitools",
	"openssl":                "openssl",
	"osslsigncode":           "osslsigncode",
	"pkg-config":             "pkg-config",
	"rpm":                    "rpm",
	"rpmbuild":               "rpm",
	"rpm2cpio":               "rpm2cpio",
	"wixl":                   "wixl",
	"x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
}

// MissingError says which programs are not there and how to get them.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	var packages []string
	for _, name := range e.Names {
		p, ok := Packages[name]
		if !ok {
			p = name
		}
		packages = append(packages, p)
	}
	slices.Sort(packages)
	return fmt.Sprintf("%s not found: apt-get install %s (or make setup-dist)", strings.Join(e.Names, ", "), strings.Join(slices.Compact(packages), " "))
}

// Need returns a *MissingError that names all of the programs that are not in PATH.
func Need(names ...string) error {
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return &MissingError{Names: missing}
	}
	return nil
}

// Run runs a program in folder dir and returns what it wrote to its standard output. env is added to the environment, and wins.
func Run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	if err := Need(name); err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "LC_ALL=C", "TZ=UTC"), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := stderr.String() + stdout.String() // some tell of errors there
		if bytes.Contains(stdout.Bytes(), []byte("PRIVATE KEY")) {
			said = stderr.String() // R-SECRET-1: this goes to a log
		}
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, tail(said))
	}
	return stdout.Bytes(), nil
}

// tail is the end of what a program said: its last lines have the error.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
