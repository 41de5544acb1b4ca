package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// ChainHash returns the hash of t as it follows prev (I7):
//
//	hash(n) = SHA-256( hash(n-1) || row(n) ), hash(0) = 32 zero bytes
//
// row(n) is a fixed encoding of everything in the row but the hashes. Integers are 8 bytes, big endian, two's complement;
// a text is its length as such an integer and its bytes; a digest is 32 bytes; a time is its microseconds since 1970:
//
//	"platen-ledger-1" (15 bytes)
//	Seq, IdempotencyKey, BodyDigest, Kind, At, Actor, Assurance, HoldID, Currency, NoteDigest,
//	number of entries, and for each: Account, account's Kind, account's UserID, Amount, Balance, Floor
//
// Every field has a fixed place and a length, so two different rows never have the same encoding.
func (t Transfer) ChainHash(prev [32]byte) [32]byte {
	row := make([]byte, 0, 512)
	row = append(row, prev[:]...)
	row = append(row, "platen-ledger-1"...)
	row = appendInt(row, t.Seq)
	row = appendText(row, t.IdempotencyKey)
	row = append(row, t.BodyDigest[:]...)
	row = appendText(row, string(t.Kind))
	row = appendInt(row, t.At.UnixMicro())
	row = appendText(row, t.Actor)
	row = appendText(row, string(t.Assurance))
	row = appendInt(row, t.HoldID)
	row = appendText(row, string(t.Currency))
	row = append(row, t.NoteDigest[:]...)
	row = appendInt(row, int64(len(t.Entries)))
	for _, e := range t.Entries {
		row = appendInt(row, int64(e.Account))
		row = appendText(row, string(e.Kind))
		row = appendInt(row, int64(e.UserID))
		row = appendInt(row, int64(e.Amount))
		row = appendInt(row, int64(e.Balance))
		row = appendInt(row, int64(e.Floor))
	}
	return sha256.Sum256(row)
}

// Digest is what a transfer keeps of its note: SHA-256 of salt and text. Without the salt, which is erased together with
// the text, it tells nothing about the text. The digest of no text is zero.
func (n TransferNote) Digest() [32]byte {
	if n.Text == "" {
		return [32]byte{}
	}
	return sha256.Sum256(append(n.Salt[:], n.Text...))
}

func appendInt(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

func appendText(b []byte, s string) []byte { return append(appendInt(b, int64(len(s))), s...) }
