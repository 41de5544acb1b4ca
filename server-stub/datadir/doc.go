// Package datadir keeps the server's data folder: who may read it, who holds it, and how files in it are written.
//
// Everything the server owns lives in this one folder, 0700 and owned by the server's user. Files are reached through
// os.Root, so no name can lead out of it (R-PATH-1), and are replaced atomically: written beside, synced, renamed.
//
//	master.key    the key everything secret is sealed under; keep a copy apart from the backups (package keys)
//	ca.pem        the certificate of the installation's own CA, for clients (package pki)
//	ca.key        its key, sealed
//	server.pem    the server's certificate; server.key its key, sealed
//	device-ca.pem the certificate of the CA of enrolled devices; device-ca.key its key, sealed
//	platen.db     the database, unless another one is configured
//	setup-token   the first owner's one-time token, until the setup is done
//	admin.sock    where administrators' commands reach the running server (package admin)
//	lock          held by the running server
package datadir

// The names of the files.
const (
	MasterKey    = "master.key"
	CACert       = "ca.pem"
	CAKey        = "ca.key"
	ServerCert   = "server.pem"
	ServerKey    = "server.key"
	DeviceCACert = "device-ca.pem"
	DeviceCAKey  = "device-ca.key"
	Database     = "platen.db"
	SetupToken   = "setup-token"
	Socket       = "admin.sock"
	lockFile     = "lock"
)
