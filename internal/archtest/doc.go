// Package archtest holds the import rules of ARCHITECTURE.md as a test. depguard (in .golangci.yml) says the same for
// direct imports and answers faster, but sees only files that build on the machine it runs on; this test asks the Go
// tool for everything each program reaches on Linux, Windows and macOS.
package archtest
