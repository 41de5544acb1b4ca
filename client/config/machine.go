package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// ThisMachine is the computer we run on. flags are the flags of settings that were given on the command line, by name.
func ThisMachine(flags map[string]string) (Machine, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return Machine{}, fmt.Errorf("find the home folder: %w", err)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return Machine{}, fmt.Errorf("find the folder for settings: %w", err)
	}
	m := Machine{
		GOOS:     runtime.GOOS,
		Env:      environ(os.Environ()),
		Flags:    flags,
		ReadFile: readFile,
		Home:     home,
		Config:   config,
	}
	return m, native(&m)
}

func environ(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// readFile reads a plain file, never more than a settings file may have.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would hang the client
		return nil, fmt.Errorf("open %s: not a plain file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return text, errors.Join(err, f.Close())
}
