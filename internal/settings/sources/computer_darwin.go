package sources

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/platenprint/platen/internal/settings/sources/plist"
	"github.com/platenprint/platen/internal/sysexec"
)

func native(c *Computer) error {
	c.Shared = "/Library/Application Support"
	c.Plist = readPlist
	return nil
}

func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
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
	return asManaged(entries), nil
}

func asManaged(entries []plist.Entry) []Managed {
	list := make([]Managed, len(entries))
	for i, e := range entries {
		list[i] = Managed{Name: e.Name, Text: e.Text}
		if e.Dict != nil {
			list[i].Dict = asManaged(e.Dict)
		}
	}
	return list
}
