// Package server assembles platen-server: it opens the data folder, the master key, the certificates and the database,
// wires the use cases to HTTP and to the administrators' socket, and runs all of it until it is told to stop. Nothing
// imports it but main and end-to-end tests.
//
// Start: configuration, data folder and its lock, database, master key, certificates, listeners; then everything runs.
// Stop: no new requests, event streams end, requests and commands finish (at most ten seconds), then the ledger's writer,
// last the database. A kill at any moment is safe too: what was acknowledged is on the disk.
package server
