package store

// Web keeps what the pages need: roles and passkeys.
type Web interface{}
