package config

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/platenprint/platen/client/config/plist"
	"github.com/platenprint/platen/internal/sysexec"
)

func native(m *Machine) error {
	m.Shared = "/Library/Application Support"
	if u, err := user.Current(); err == nil {
		m.UserName = u.Username
	}
	m.Plist = readPlist
	return nil
}

// plutilTime is how long the system's plutil may take for one small file.
const plutilTime = 5 * time.Second

// readPlist reads a property list of any form: macOS stores profiles in its binary one, and plutil, which is part of every
// macOS, turns it into XML.
func readPlist(path string) ([]Managed, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), plutilTime)
	defer cancel()
	cmd, err := sysexec.Command(ctx, "/usr/bin/plutil", "-convert", "xml1", "-o", "-", path)
	if err != nil {
		return nil, err
	}
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read %s with plutil: %w", path, err)
	}
	entries, err := plist.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	list := make([]Managed, len(entries))
	for i, e := range entries {
		list[i] = Managed(e)
	}
	return list, nil
}
