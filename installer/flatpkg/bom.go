package flatpkg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"time"
)

// The store: a header, named blocks, blocks, an index of blocks (number 0 is none), and a list of free ones. All numbers are
// big-endian.
const (
	storeMagic  = "BOMStore"
	storeHeader = 512
	bigNode     = 4096 // size of a tree's node; the tree of virtual paths has small ones
	smallNode   = 128
	nodeHeader  = 12
)

// store is a BOMStore being written.
type store struct {
	blocks []byte
	index  []span // of blocks, relative to the first
	names  []named
}

type span struct{ at, size uint32 }

type named struct {
	name  string
	block uint32
}

// add appends a block and returns its number.
func (s *store) add(data []byte) uint32 {
	s.index = append(s.index, span{uint32(len(s.blocks)), uint32(len(data))})
	s.blocks = append(s.blocks, data...)
	return uint32(len(s.index)) // 0 is none
}

// next is the number that the next block will have.
func (s *store) next() uint32 { return uint32(len(s.index)) + 1 }

func (s *store) name(name string, block uint32) { s.names = append(s.names, named{name, block}) }

func (s *store) bytes() ([]byte, error) {
	vars := be32(nil, uint32(len(s.names)))
	for _, n := range s.names {
		vars = append(be32(vars, n.block), byte(len(n.name)))
		vars = append(vars, n.name...)
	}
	first := storeHeader + len(vars)
	indexAt := first + len(s.blocks)
	index := be32(nil, uint32(len(s.index)+1), 0, 0)
	for _, b := range s.index {
		index = be32(index, uint32(first)+b.at, b.size)
	}
	index = be32(index, 0, 0, 0, 0, 0) // no free blocks, and two empty places as mkbom(8) leaves them
	if indexAt+len(index) > math.MaxUint32 {
		return nil, errors.New("it is longer than 4 GiB")
	}
	out := append([]byte(nil), storeMagic...)
	out = be32(out, 1, uint32(len(s.index)), uint32(indexAt), uint32(len(index)), storeHeader, uint32(len(vars)))
	out = append(out, make([]byte, storeHeader-len(out))...)
	out = append(out, vars...)
	out = append(out, s.blocks...)
	return append(out, index...), nil
}

// pair is an entry of a tree: the numbers of two blocks.
type pair struct{ key, value uint32 }

// tree writes a tree of pairs, which are in the order of their values, and returns the number of its block. Leaves know
// their neighbours; where one is not enough, branches above them have the leaf and its last value.
func (s *store) tree(pairs []pair, node int) uint32 {
	level, leaf, total := pairs, true, len(pairs)
	for {
		level = s.nodes(level, node, leaf)
		if len(level) == 1 {
			break
		}
		leaf = false
	}
	head := append([]byte("tree"), be32(nil, 1, level[0].key, uint32(node), uint32(total))...)
	return s.add(append(head, 0))
}

// nodes writes the nodes of one level, and returns what the level above has of them.
func (s *store) nodes(pairs []pair, size int, leaf bool) []pair {
	most := (size - nodeHeader) / 8
	chunks := slices.Collect(slices.Chunk(pairs, most))
	if len(chunks) == 0 {
		chunks = [][]pair{nil}
	}
	above := make([]pair, 0, len(chunks))
	start := s.next()
	for i, chunk := range chunks {
		number := start + uint32(i)
		forward, backward := number+1, number-1
		if i == len(chunks)-1 {
			forward = 0
		}
		if i == 0 {
			backward = 0
		}
		kind := uint16(0)
		if leaf {
			kind = 1
		}
		data := binary.BigEndian.AppendUint16(nil, kind)
		data = binary.BigEndian.AppendUint16(data, uint16(len(chunk)))
		data = be32(data, forward, backward)
		last := uint32(0)
		for _, p := range chunk {
			data = be32(data, p.key, p.value)
			last = p.value
		}
		s.add(append(data, make([]byte, size-len(data))...)) // a reader may take whole nodes
		above = append(above, pair{number, last})
	}
	return above
}

// bill makes the bill of materials of entries, whose checksums are known. node is the size of the nodes of the large trees.
func bill(entries []*entry, when time.Time, node int) ([]byte, error) {
	s := &store{}
	files := uint64(0)
	for _, e := range entries {
		files += uint64(e.Size)
	}
	// One line for what is of no processor: the sum of sizes, in 32 bits, wrapping.
	info := be32(nil, 1, uint32(len(entries)+1), 1, 0, 0, uint32(files), 0)
	s.name("BomInfo", s.add(info))
	paths, large, err := s.paths(entries, when, node)
	if err != nil {
		return nil, err
	}
	s.name("Paths", paths)
	s.name("HLIndex", s.tree(nil, node)) // hard links: none
	virtual := s.tree(nil, smallNode)
	s.name("VIndex", s.add(append(be32(nil, 1, virtual, 0), 0)))
	s.name("Size64", s.tree(large, node)) // sizes that do not fit in 32 bits
	return s.bytes()
}

// paths writes the tree of paths, level by level as in a file system: each has the number of its folder and its name. It
// also returns the pairs of sizes that do not fit.
func (s *store) paths(entries []*entry, when time.Time, node int) (uint32, []pair, error) {
	order := slices.Clone(entries)
	slices.SortStableFunc(order, func(a, b *entry) int { return len(parts(a.Path)) - len(parts(b.Path)) })
	numbers := map[string]uint32{}
	pairs := make([]pair, 0, len(order))
	var large []pair
	for i, e := range order {
		number := uint32(i + 1)
		numbers[e.Path] = number
		parent := numbers[path.Dir(e.Path)]
		if e.Path == "." {
			parent = 0
		} else if parent == 0 {
			return 0, nil, fmt.Errorf("the folder of %q is missing", e.Path)
		}
		meta := s.add(metadata(e, when))
		if e.Size > math.MaxUint32 {
			large = append(large, pair{s.add(binary.BigEndian.AppendUint64(nil, uint64(e.Size))), meta})
		}
		key := s.add(be32(nil, number, meta))
		value := s.add(append(append(be32(nil, parent), path.Base(e.Path)...), 0))
		pairs = append(pairs, pair{key, value})
	}
	return s.tree(pairs, node), large, nil
}

// metadata is what the bill says of one path.
func metadata(e *entry, when time.Time) []byte {
	const (
		file, folder = 1, 2
		full         = 0x000F // more than the path is known; no processor is told of
	)
	kind := byte(file)
	if e.dir() {
		kind = folder
	}
	data := []byte{kind, 1}
	data = binary.BigEndian.AppendUint16(data, full)
	data = binary.BigEndian.AppendUint16(data, uint16(e.posixMode()))
	data = be32(data, 0, uint32(e.GID), uint32(when.Unix()), uint32(e.Size))
	data = append(data, 1)
	if !e.dir() {
		data = be32(data, e.sum)
	}
	return append(data, make([]byte, 8)...) // no name of a link, and what mkbom(8) leaves at the end
}

func be32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
