package main

import "errors"

// Windows has no signal that would ask for it: platen-deploy ends the resident and starts the new one.
var errNotHere = errors.New("a program cannot become another one on Windows")

func mayBecome(string) error { return errNotHere }

func become(string) error { return errNotHere }
