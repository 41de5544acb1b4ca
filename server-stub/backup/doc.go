// Package backup writes and reads backup files: a gzipped tar with the database in the store's own form, cut into pieces,
// and the certificates, whose keys stay sealed as they are on the disk. The master key is not in it: who finds a backup
// can read what the database has in clear, but can neither speak for the server nor open anything that is sealed.
//
//	info.json                       what it is, when it was made, by which version, under which master key
//	ca.pem ca.key server.pem ...    files of the data folder
//	database.00001 ...              pieces of the database
//	manifest.json                   name, size and SHA-256 of every file above, in their order
//	signature                       HMAC-SHA-256 of the manifest under the master key
//
// A backup is whole when its manifest fits everything before it, and ours when the signature fits.
package backup

import "time"

// Info says what a backup is.
type Info struct {
	Format    string    `json:"format"` // Format
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`  // of the server that wrote it
	Database  string    `json:"database"` // sqlite or postgres: where it came from; it goes back into either
	MasterKey string    `json:"master_key_id"`
}

// Format is the form described above.
const Format = "platen-backup-1"

// Names and limits of the entries, sizes in bytes.
const (
	infoName      = "info.json"
	databaseName  = "database."
	manifestName  = "manifest.json"
	signatureName = "signature"

	pieceSize    = 4 << 20
	maxFile      = 1 << 20
	maxManifest  = 64 << 20
	signaturePad = "platen backup manifest v1\n"
)

// purpose is what the signing key is derived for.
const purpose = "backup signature"

// entry is a line of the manifest.
type entry struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}
