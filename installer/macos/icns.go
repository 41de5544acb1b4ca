package macos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
)

// icons are the parts of an icns file that hold a PNG each, and the size of it in pixels. The smallest (icp4, icp5) are left
// out: several versions of macOS take a PNG there for something else, and scale ic11 and ic12 instead.
var icons = []struct {
	kind string
	size int
}{
	{"ic11", 32}, // 16 at twice the density
	{"ic12", 64}, // 32 at twice the density
	{"ic07", 128},
	{"ic13", 256}, // 128 at twice the density
	{"ic08", 256},
	{"ic14", 512}, // 256 at twice the density
	{"ic09", 512},
}

// icns puts the PNGs app-SIZE.png of a folder into an icns file: "icns", its length, and parts of type, length and content;
// lengths are big-endian and count what is before the content.
func icns(dir string) ([]byte, error) {
	var parts []byte
	for _, i := range icons {
		name := filepath.Join(dir, fmt.Sprintf("app-%d.png", i.size))
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("make the icon: %w", err)
		}
		shape, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || shape.Width != i.size || shape.Height != i.size {
			return nil, fmt.Errorf("make the icon: %s is no PNG of %d by %d pixels", name, i.size, i.size)
		}
		parts = append(parts, i.kind...)
		parts = binary.BigEndian.AppendUint32(parts, uint32(len(data)+8))
		parts = append(parts, data...)
	}
	return append(binary.BigEndian.AppendUint32([]byte("icns"), uint32(len(parts)+8)), parts...), nil
}
