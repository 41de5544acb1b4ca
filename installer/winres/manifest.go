package winres

import (
	"bytes"
	_ "embed"
)

//go:embed program.manifest
var manifestText []byte

// detached makes Windows 11 24H2 and later open no console window for a console program that is not started from one: the
// resident is started at log-on and from the Start menu, and is a command line as well. Older Windows ignores it.
// https://learn.microsoft.com/windows/console/console-allocation-policy
const detached = `<consoleAllocationPolicy xmlns="http://schemas.microsoft.com/SMI/2024/WindowsSettings">detached</consoleAllocationPolicy>`

// manifest is the application manifest of a program: it asks for no more rights than it was started with (asInvoker), is for
// Windows 10 and later, draws sharply on every screen, and knows long paths.
func manifest(program string) []byte {
	policy := ""
	if program == "platen" {
		policy = detached
	}
	return bytes.ReplaceAll(manifestText, []byte("@CONSOLE@"), []byte(policy))
}
