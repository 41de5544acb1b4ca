package fakedesktop

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"os"
)

// readXWD reads the picture of a screen with 32 bits a dot, as Xvfb keeps it (XWDFile.h of X.Org, version 7).
func readXWD(path string) (*image.NRGBA, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the screen: %w", err)
	}
	field := func(n int) int { return int(binary.BigEndian.Uint32(data[4*n:])) }
	const words = 25
	if len(data) < 4*words || field(1) != 7 || field(11) != 32 {
		return nil, fmt.Errorf("read the screen: %s is no XWD picture with 32 bits a dot", path)
	}
	width, height, stride := field(4), field(5), field(12)
	offset := field(0) + 12*field(19) // header and colour map
	if len(data) < offset+height*stride {
		return nil, fmt.Errorf("read the screen: %s is too short", path)
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			dot := binary.LittleEndian.Uint32(data[offset+y*stride+4*x:])
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(dot >> 16), G: uint8(dot >> 8), B: uint8(dot), A: 0xff})
		}
	}
	return img, nil
}
