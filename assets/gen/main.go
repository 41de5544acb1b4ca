// Program gen draws the icons: it reads the drawings in icons/src (SVG, made by hand) and writes icons/png (Linux),
// icons/ico (Windows) and icons/template (macOS). Run it with `go generate ./assets` after changing a drawing; its test
// fails when the written files are not those of the drawings.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("icons"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run replaces the generated files below dir.
func run(dir string) error {
	files, err := generate(os.DirFS(filepath.Join(dir, "src")))
	if err != nil {
		return err
	}
	for _, sub := range []string{"png", "ico", "template"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			return fmt.Errorf("remove old icons: %w", err)
		}
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("make icon folder: %w", err)
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			return fmt.Errorf("write icon: %w", err)
		}
	}
	return nil
}
