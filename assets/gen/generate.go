package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

// The drawings are made on a grid of 24 units with a free margin of one unit all around. Cropping that margin gives the
// 22 and 44 pixel sizes whole pixels per unit, too, so that straight edges stay sharp in every panel.
var crops = map[int]float64{22: 1, 44: 1}

// Sizes of the files, in pixels.
var (
	traySizes     = []int{22, 24, 32, 44, 48, 64}
	appSizes      = []int{16, 24, 32, 48, 64, 128, 256, 512}
	trayIcoSizes  = []int{16, 20, 24, 32, 48}
	appIcoSizes   = []int{16, 24, 32, 48, 256}
	templateSizes = []int{22, 44}
)

// generate makes every generated file from the drawings in src (the *.svg files of icons/src). Keys are paths below icons/.
func generate(src fs.FS) (map[string][]byte, error) {
	names, err := fs.Glob(src, "*.svg")
	if err != nil {
		return nil, fmt.Errorf("list drawings: %w", err)
	}
	files := map[string][]byte{}
	for _, file := range names {
		svg, err := fs.ReadFile(src, file)
		if err != nil {
			return nil, fmt.Errorf("read drawing %s: %w", file, err)
		}
		made, err := variants(strings.TrimSuffix(path.Base(file), ".svg"), svg)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", file, err)
		}
		maps.Copy(files, made)
	}
	return files, nil
}

// variants draws one icon for all systems.
func variants(name string, svg []byte) (map[string][]byte, error) {
	sizes, ico := appSizes, appIcoSizes
	tray := strings.HasPrefix(name, "tray-")
	if tray {
		sizes, ico = traySizes, trayIcoSizes
	}
	files := map[string][]byte{}
	for _, size := range sizes {
		data, err := drawPNG(svg, size, crops[size])
		if err != nil {
			return nil, err
		}
		files[fmt.Sprintf("png/%s-%d.png", name, size)] = data
	}
	data, err := drawICO(svg, ico)
	if err != nil {
		return nil, err
	}
	files["ico/"+name+".ico"] = data
	if !tray {
		return files, nil
	}
	for _, size := range templateSizes {
		if data, err = drawTemplate(svg, size); err != nil {
			return nil, err
		}
		files[fmt.Sprintf("template/%s-%d.png", name, size)] = data
	}
	return files, nil
}

// draw rasterises the drawing into a square of size pixels, leaving out crop units at each side.
func draw(svg []byte, size int, crop float64) (*image.RGBA, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, fmt.Errorf("read svg: %w", err)
	}
	scale := float64(size) / (icon.ViewBox.W - 2*crop)
	icon.SetTarget(-crop*scale, -crop*scale, icon.ViewBox.W*scale, icon.ViewBox.H*scale)
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	icon.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, img, img.Bounds())), 1)
	return img, nil
}

func drawPNG(svg []byte, size int, crop float64) ([]byte, error) {
	img, err := draw(svg, size, crop)
	if err != nil {
		return nil, err
	}
	return encode(img)
}

func encode(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("encode png: %w", err)
	}
	return out.Bytes(), nil
}

// ink finds the colours of a drawing; white is what lies on the ink.
var ink = regexp.MustCompile(`#[0-9a-fA-F]{6}`)

// drawTemplate draws the icon as a macOS template image: black where there is ink, nothing where the drawing is white.
func drawTemplate(svg []byte, size int) ([]byte, error) {
	black := ink.ReplaceAllFunc(svg, func(c []byte) []byte {
		if strings.EqualFold(string(c), "#ffffff") {
			return c
		}
		return []byte("#000000")
	})
	img, err := draw(black, size, crops[size])
	if err != nil {
		return nil, err
	}
	out := image.NewNRGBA(img.Bounds())
	for y := range size {
		for x := range size {
			p := img.RGBAAt(x, y) // premultiplied: A-R is how much of the pixel is black
			out.SetNRGBA(x, y, color.NRGBA{A: p.A - min(p.R, p.A)})
		}
	}
	return encode(out)
}

// drawICO packs PNG images of the sizes into one Windows icon file (PNG inside ICO is read since Windows Vista).
// Windows icons fill their square, so the margin of the drawing is cropped.
func drawICO(svg []byte, sizes []int) ([]byte, error) {
	sizes = slices.Sorted(slices.Values(sizes))
	var head, body bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&head, binary.LittleEndian, v) // a bytes.Buffer takes all
		}
	}
	put(uint16(0), uint16(1), uint16(len(sizes)))
	offset := 6 + 16*len(sizes)
	for _, size := range sizes {
		data, err := drawPNG(svg, size, 1)
		if err != nil {
			return nil, err
		}
		side := uint8(size % 256) // 0 means 256
		put(side, side, uint8(0), uint8(0), uint16(1), uint16(32), uint32(len(data)), uint32(offset+body.Len()))
		body.Write(data)
	}
	return append(head.Bytes(), body.Bytes()...), nil
}
