package sources

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

func native(c *Computer) error {
	shared, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return fmt.Errorf("find the ProgramData folder: %w", err)
	}
	c.Shared = shared
	c.Registry = winRegistry{}
	return nil
}

func userName() string { return "" }

// winRegistry is the real registry, in the 64-bit view.
type winRegistry struct{}

func (winRegistry) Values(key string) (map[string]string, error) {
	hive, path, _ := strings.Cut(key, `\`)
	root := registry.LOCAL_MACHINE
	if hive == "HKCU" {
		root = registry.CURRENT_USER
	}
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	defer func() { _ = k.Close() }()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		text, err := value(k, name)
		if err != nil {
			return nil, fmt.Errorf("read %s, value %s: %w", key, name, err)
		}
		values[name] = text
	}
	return values, nil
}

func value(k registry.Key, name string) (string, error) {
	_, kind, err := k.GetValue(name, nil)
	if err != nil {
		return "", err
	}
	switch kind {
	case registry.DWORD, registry.QWORD:
		n, _, err := k.GetIntegerValue(name)
		return strconv.FormatUint(n, 10), err
	case registry.MULTI_SZ:
		list, _, err := k.GetStringsValue(name)
		return strings.Join(list, ","), err
	case registry.SZ, registry.EXPAND_SZ:
		text, _, err := k.GetStringValue(name)
		return text, err
	default:
		return "", nil // binary data: never a setting
	}
}
