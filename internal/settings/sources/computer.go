package sources

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// ForPerson is the computer we run on, as the person's client sees it. flags are the flags of settings that were given on
// the command line, by name.
func ForPerson(flags map[string]string) (Computer, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return Computer{}, fmt.Errorf("find the home folder: %w", err)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return Computer{}, fmt.Errorf("find the folder for settings: %w", err)
	}
	c := Computer{
		GOOS: runtime.GOOS, ReadShared: readShared, ReadFile: readFile,
		Env: environ(os.Environ()), Flags: flags, Home: home, Config: config, UserName: userName(),
	}
	return c, native(&c)
}

// ForService is the computer we run on, as its privileged service sees it: nothing of any person, and files only that nobody
// but root or administrators can change.
func ForService() (Computer, error) {
	c := Computer{GOOS: runtime.GOOS, ReadShared: readOwned, Stat: os.Stat}
	forToken(&c)
	return c, native(&c)
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

// readFile reads a plain file.
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
	return readAll(f)
}

// maxRead is more than any file here may have: authorities of CAFile, 1 MiB.
const maxRead = 1 << 20

func readAll(f *os.File) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	if err == nil && len(text) > maxRead { // half of it would be another text
		err = fmt.Errorf("read %s: it is larger than %d KiB", f.Name(), maxRead>>10)
	}
	return text, errors.Join(err, f.Close())
}
