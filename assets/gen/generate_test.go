package main

import (
	"bytes"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrittenIconsAreThoseOfTheDrawings(t *testing.T) {
	made, err := generate(os.DirFS("../icons/src"))
	if err != nil {
		t.Fatal(err)
	}
	written := os.DirFS("../icons")
	var want, got []string
	for name, data := range made {
		want = append(want, name)
		old, err := fs.ReadFile(written, name)
		if err != nil {
			t.Errorf("%v: run go generate ./assets", err)
			continue
		}
		if path.Ext(name) == ".png" && !samePicture(t, old, data) {
			t.Errorf("%s is not what its drawing gives: run go generate ./assets", name)
		}
	}
	for _, sub := range []string{"png", "ico", "template"} {
		names, err := fs.Glob(written, sub+"/*")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, names...)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the drawings (-) and files written (+) differ:\n%s", diff)
	}
}

// samePicture allows a difference of two levels in a channel: processors round floating point sums differently.
func samePicture(t *testing.T, a, b []byte) bool {
	t.Helper()
	if bytes.Equal(a, b) {
		return true
	}
	x, y := decode(t, a), decode(t, b)
	if x.Bounds() != y.Bounds() {
		return false
	}
	const slack = 2 * 0x101
	for py := range x.Bounds().Dy() {
		for px := range x.Bounds().Dx() {
			r1, g1, b1, a1 := x.At(px, py).RGBA()
			r2, g2, b2, a2 := y.At(px, py).RGBA()
			for _, d := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
				if max(d[0], d[1])-min(d[0], d[1]) > slack {
					return false
				}
			}
		}
	}
	return true
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Two states may share their colour, never their shape: people who see no colours tell them apart by the silhouette.
func TestStatesDifferInShapeNotOnlyInColour(t *testing.T) {
	states := []string{"ok", "signed-out", "offline", "low", "empty", "problem"}
	shapes := map[string]image.Image{}
	for _, state := range states {
		svg, err := os.ReadFile("../icons/src/tray-" + state + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		data, err := drawTemplate(svg, 22)
		if err != nil {
			t.Fatal(err)
		}
		shapes[state] = decode(t, data)
	}
	for i, one := range states {
		for _, two := range states[i+1:] {
			a, b, differing := shapes[one], shapes[two], 0
			for y := range 22 {
				for x := range 22 {
					_, _, _, p := a.At(x, y).RGBA()
					_, _, _, q := b.At(x, y).RGBA()
					if max(p, q)-min(p, q) > 0x8000 {
						differing++
					}
				}
			}
			if differing < 40 {
				t.Errorf("%s and %s differ in %d of 484 pixels without colour, want 40 or more", one, two, differing)
			}
		}
	}
}
