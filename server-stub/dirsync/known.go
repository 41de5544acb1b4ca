package dirsync

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// known is what was seen last of a source's people, held small: 100,000 of them are about 10 MB.
type known struct {
	seed maphash.Seed
	at   map[uint64]int32 // by the digest of the key
	rows []knownRow
	ids  []byte // of all rows, one behind the other
	kind []core.IdentityKind
}

type knownRow struct {
	user   core.UserID
	offset uint32 // of the id
	length uint16
	kind   uint8
	listed bool // met in this reading with the same fingerprint
	met    bool // met in this reading, with another one perhaps
	seen   directory.Fingerprint
}

func newKnown() *known { return &known{seed: maphash.MakeSeed(), at: map[uint64]int32{}} }

// loadKnown reads the entries of a source.
func loadKnown(ctx context.Context, tx store.Tx, source core.SourceID) (*known, error) {
	k := newKnown()
	if err := tx.DirectoryEntries(ctx, source, k.add); err != nil {
		return nil, fmt.Errorf("read what was seen of source %q: %w", source, err)
	}
	return k, nil
}

func (k *known) add(e store.DirectoryEntry) {
	if len(e.Key.ID) > 1<<16-1 {
		return // no directory has such ids; the person is found without
	}
	kind := -1
	for i, have := range k.kind {
		if have == e.Key.Kind {
			kind = i
		}
	}
	if kind < 0 {
		if kind = len(k.kind); kind > 1<<8-1 {
			return
		}
		k.kind = append(k.kind, e.Key.Kind)
	}
	k.at[k.digest(directory.Key(e.Key))] = int32(len(k.rows))
	k.rows = append(k.rows, knownRow{user: e.User, offset: uint32(len(k.ids)), length: uint16(len(e.Key.ID)), kind: uint8(kind), seen: e.Fingerprint})
	k.ids = append(k.ids, e.Key.ID...)
}

// find returns the entry of a key, nil for none.
func (k *known) find(key directory.Key) *knownRow {
	i, ok := k.at[k.digest(key)]
	if !ok {
		return nil
	}
	r := &k.rows[i]
	if k.kind[r.kind] != key.Kind || string(k.ids[r.offset:r.offset+uint32(r.length)]) != key.ID {
		return nil // another key with the same digest: it is looked up the long way
	}
	return r
}

// key returns the key of an entry.
func (k *known) key(r *knownRow) directory.Key {
	return directory.Key{Kind: k.kind[r.kind], ID: string(k.ids[r.offset : r.offset+uint32(r.length)])}
}

func (k *known) digest(key directory.Key) uint64 { return digest(k.seed, string(key.Kind), key.ID) }

// digest stands for texts where 100,000 of them are counted: that two share one is less likely than 1 in 10^9.
func digest(seed maphash.Seed, texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, t := range texts {
		_, _ = h.WriteString(t)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}
