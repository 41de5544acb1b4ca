package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

const (
	chunkSize = 1 << 20 // bytes of packed names that are taken from the system together
	maxUser   = 1 << 32 // ids of people, which are counted up, fit into a slot
)

// Index has all names of everybody, as of one moment. It may be read by many at once, or changed by one.
type Index struct {
	seed   maphash.Seed
	slots  []slot // open addressing by the upper bits of the hash, linear probing
	filled int

	places                     []place // of each person's packed names, by their id
	chunks                     [][]byte
	live                       int // bytes of names in force in the chunks, and all of them
	written                    int
	people                     int
	sources, domains, suffixes texts
}

// slot says that a person has a name of that hash. User 0: free.
type slot struct{ hash, user uint32 }

// place is where somebody's names are: the number of the chunk and the place in it, counted from 1; 0 for nobody.
type place uint64

// New returns an index of no names.
func New() *Index {
	return &Index{seed: maphash.MakeSeed(), slots: make([]slot, 1024), sources: newTexts(), domains: newTexts(), suffixes: newTexts()}
}

// People tells of how many people it has names.
func (x *Index) People() int { return x.people }

// Bytes tells how much memory it takes, about.
func (x *Index) Bytes() int { return 8*cap(x.slots) + 8*cap(x.places) + len(x.chunks)*chunkSize }

// Put replaces all names of a person; without names the person is forgotten. All of them are of one person.
func (x *Index) Put(user core.UserID, all []core.NameHolder) error {
	if user <= 0 || user >= maxUser {
		return fmt.Errorf("keep the names of user %d: the id does not fit", user)
	}
	x.drop(user)
	if len(all) == 0 {
		return nil
	}
	packed, ok := x.pack(make([]byte, 0, 256), all)
	if !ok {
		return fmt.Errorf("keep the names of user %d: there is a kind of name that the index does not know", user)
	}
	x.keep(user, packed)
	for _, n := range all {
		x.enter(x.hash(n.Folded), uint32(user))
	}
	return nil
}

// drop forgets where somebody's names are. What leads there stays until the next tidying: it is compared anyway.
func (x *Index) drop(user core.UserID) {
	if old := x.packed(user); old != nil {
		x.live -= len(old)
		x.places[user] = 0
		x.people--
	}
}

// keep writes packed names.
func (x *Index) keep(user core.UserID, packed []byte) {
	record := append(binary.AppendUvarint(make([]byte, 0, len(packed)+3), uint64(len(packed))), packed...)
	last := len(x.chunks) - 1
	if last < 0 || len(x.chunks[last])+len(record) > cap(x.chunks[last]) {
		x.chunks = append(x.chunks, make([]byte, 0, max(chunkSize, len(record))))
		last++
	}
	for len(x.places) <= int(user) {
		x.places = append(x.places, 0)
	}
	x.places[user] = place(uint64(last)<<32|uint64(len(x.chunks[last]))) + 1
	x.chunks[last] = append(x.chunks[last], record...)
	x.live += len(packed)
	x.written += len(packed)
	x.people++
}

// packed returns somebody's packed names, nil for none.
func (x *Index) packed(user core.UserID) []byte {
	if int(user) >= len(x.places) || x.places[user] == 0 {
		return nil
	}
	at := uint64(x.places[user] - 1)
	chunk := x.chunks[at>>32][uint32(at):]
	n, size := binary.Uvarint(chunk)
	return chunk[size : size+int(n)] //nolint:gosec // shorter than a chunk
}

func (x *Index) hash(folded auth.Folded) uint32 {
	return uint32(maphash.String(x.seed, string(folded)) >> 32)
}

// enter notes that a person has a name of that hash.
func (x *Index) enter(hash, user uint32) {
	if (x.filled+1)*4 > len(x.slots)*3 {
		x.grow()
	}
	for i := x.first(hash); ; i = x.after(i) {
		switch x.slots[i] {
		case slot{hash, user}:
			return
		case slot{}:
			x.slots[i] = slot{hash, user}
			x.filled++
			return
		}
	}
}

func (x *Index) first(hash uint32) int { return int(uint64(hash) * uint64(len(x.slots)) >> 32) } //nolint:gosec // below the length

func (x *Index) after(i int) int {
	if i++; i == len(x.slots) {
		return 0
	}
	return i
}

func (x *Index) grow() {
	old := x.slots
	x.slots, x.filled = make([]slot, len(old)+len(old)/2), 0
	for _, s := range old {
		if s.user != 0 {
			x.enter(s.hash, s.user)
		}
	}
}

// tidy packs everything anew once more is given up than in force.
func (x *Index) tidy() error {
	if x.written-x.live <= x.live+chunkSize {
		return nil
	}
	fresh := New()
	for user := range x.places {
		packed := x.packed(core.UserID(user))
		if packed == nil {
			continue
		}
		var all []core.NameHolder
		u := x.unpack(core.UserID(user), packed)
		for n, ok := u.next(); ok; n, ok = u.next() {
			all = append(all, u.holder(n))
		}
		if err := fresh.Put(core.UserID(user), all); err != nil {
			return err
		}
	}
	*x = *fresh
	return nil
}

// Known returns what Resolve must know: the holders of the names, and their other short names and UPNs. It has no ids.
func (x *Index) Known(folds []auth.Folded) names.Known {
	var known names.Known
	var room [4]uint32
	met := room[:0]
	for _, folded := range folds {
		hash := x.hash(folded)
		local, suffix := split(string(folded))
		for i := x.first(hash); x.slots[i].user != 0; i = x.after(i) {
			user := x.slots[i].user
			if x.slots[i].hash == hash && !slices.Contains(met, user) && x.has(core.UserID(user), local, suffix) {
				met = append(met, user)
			}
		}
	}
	for _, user := range met {
		u := x.unpack(core.UserID(user), x.packed(core.UserID(user)))
		for n, ok := u.next(); ok; n, ok = u.next() {
			kind := kinds[n.head&kindBits]
			wanted := kind == core.NameSAM || kind == core.NameUPN
			for i := 0; i < len(folds) && !wanted; i++ {
				wanted = n.is(split(string(folds[i])))
			}
			if wanted {
				known.Holders = append(known.Holders, u.holder(n))
			}
		}
	}
	// The order is that of the database, as the first of several people is named first.
	slices.SortFunc(known.Holders, func(a, b core.NameHolder) int { return cmp.Compare(a.ID, b.ID) })
	return known
}

// has tells whether somebody has the name.
func (x *Index) has(user core.UserID, local, suffix string) bool {
	packed := x.packed(user)
	if packed == nil {
		return false
	}
	u := x.unpack(user, packed)
	for n, ok := u.next(); ok; n, ok = u.next() {
		if n.is(local, suffix) {
			return true
		}
	}
	return false
}
