package server

// asRoot is false: the service's account is the installer's business on Windows.
func asRoot() bool { return false }
