package config

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// The places in the Windows registry.
const (
	registryPolicyMachine = `HKLM\Software\Policies\Platen`
	registryPolicyUser    = `HKCU\Software\Policies\Platen`
	registryInstaller     = `HKLM\Software\Platen`
)

// managedPreferences is the macOS preference domain of profiles.
const managedPreferences = "org.platenprint.platen"

// Registry reads the Windows registry.
type Registry interface {
	// Values returns the values of a key such as HKLM\Software\Platen as text: numbers in decimal, lists with commas. A key
	// that does not exist has none.
	Values(key string) (map[string]string, error)
}

// Machine is what System needs to know of a computer. ThisMachine fills it for the one we run on.
type Machine struct {
	GOOS     string
	Env      map[string]string
	Flags    map[string]string                    // by flag name without dashes, only those given
	ReadFile func(path string) ([]byte, error)    // an fs.ErrNotExist means that there is no file
	Home     string                               // the person's home folder
	Config   string                               // where programs keep the person's settings: ~/.config, %AppData%, ...
	Shared   string                               // where programs keep the computer's settings: %ProgramData%; Windows and macOS only
	Registry Registry                             // Windows only
	Plist    func(path string) ([]Managed, error) // macOS only: reads a property list, an fs.ErrNotExist when there is none
	UserName string                               // macOS only: for /Library/Managed Preferences/USER
}

// Managed is one key of a macOS profile.
type Managed struct{ Name, Text string }

// System lists the sources of a computer in order of strength.
func System(m Machine) []Source {
	var list []Source
	list = append(list, policies(m)...)
	list = append(list, flags(m), environment(m))
	list = append(list, file{KindUserFile, UserFile(m), m.ReadFile}, file{KindMachineFile, MachineFile(m), m.ReadFile})
	if m.Registry != nil {
		list = append(list, registryKey{KindInstaller, registryInstaller, m.Registry})
	}
	return list
}

// UserFile is where the person's own settings stand.
func UserFile(m Machine) string {
	switch m.GOOS {
	case "windows":
		return m.Config + `\Platen\platen.conf`
	case "darwin":
		return path.Join(m.Config, "Platen/platen.conf")
	default:
		return path.Join(m.Config, "platen/platen.conf")
	}
}

// MachineFile is where the computer's settings stand.
func MachineFile(m Machine) string {
	switch m.GOOS {
	case "windows":
		return m.Shared + `\Platen\platen.conf`
	case "darwin":
		return path.Join(m.Shared, "Platen/platen.conf")
	default:
		return "/etc/platen/platen.conf"
	}
}

func policies(m Machine) []Source {
	switch m.GOOS {
	case "windows":
		if m.Registry == nil {
			return nil
		}
		return []Source{
			registryKey{KindPolicy, registryPolicyMachine, m.Registry},
			registryKey{KindPolicy, registryPolicyUser, m.Registry},
		}
	case "darwin":
		if m.Plist == nil {
			return nil
		}
		const dir = "/Library/Managed Preferences"
		return []Source{
			managed{path.Join(dir, m.UserName, managedPreferences+".plist"), m.Plist},
			managed{path.Join(dir, managedPreferences+".plist"), m.Plist},
		}
	default:
		return []Source{file{KindPolicy, "/etc/platen/policy.conf", m.ReadFile}}
	}
}

// fixed is a source whose values are known already.
type fixed struct {
	kind Kind
	raws []Raw
}

func (f fixed) Origin() Origin                                 { return Origin{Kind: f.kind} }
func (f fixed) Read(context.Context) ([]Raw, []Warning, error) { return f.raws, nil, nil }

func flags(m Machine) Source {
	f := fixed{kind: KindFlag}
	for _, s := range Table() {
		if text, ok := m.Flags[s.Flag()]; ok {
			f.raws = append(f.raws, Raw{s.Name, text, Origin{Kind: KindFlag, Where: "--" + s.Flag()}})
		}
	}
	return f
}

func environment(m Machine) Source {
	f := fixed{kind: KindEnvironment}
	for _, s := range Table() {
		if text, ok := m.Env[s.Env()]; ok {
			f.raws = append(f.raws, Raw{s.Name, strings.TrimSpace(text), Origin{Kind: KindEnvironment, Where: s.Env()}})
		}
	}
	return f
}

// file is a settings file.
type file struct {
	kind Kind
	path string
	read func(path string) ([]byte, error)
}

func (f file) Origin() Origin { return Origin{Kind: f.kind, Where: f.path} }

func (f file) Read(context.Context) ([]Raw, []Warning, error) {
	text, err := f.read(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return ParseFile(text, f.kind, f.path)
}

// registryKey is a key of the Windows registry.
type registryKey struct {
	kind     Kind
	key      string
	registry Registry
}

func (k registryKey) Origin() Origin { return Origin{Kind: k.kind, Where: k.key} }

func (k registryKey) Read(context.Context) ([]Raw, []Warning, error) {
	values, err := k.registry.Values(k.key)
	if err != nil {
		return nil, nil, err
	}
	var raws []Raw
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "" || k.kind == KindInstaller && !isSetting(name) {
			continue // a key's unnamed value; the installer keeps its own things (version, folder) beside the settings
		}
		raws = append(raws, Raw{name, strings.TrimSpace(values[name]), k.Origin()})
	}
	return raws, nil, nil
}

func isSetting(name string) bool { _, ok := Lookup(name); return ok }

// managed is a macOS profile as the system stores it.
type managed struct {
	path string
	read func(path string) ([]Managed, error)
}

func (p managed) Origin() Origin { return Origin{Kind: KindPolicy, Where: p.path} }

func (p managed) Read(context.Context) ([]Raw, []Warning, error) {
	keys, err := p.read(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var raws []Raw
	for _, key := range keys {
		if strings.HasPrefix(key.Name, "Payload") { // the profile's own keys
			continue
		}
		raws = append(raws, Raw{key.Name, strings.TrimSpace(key.Text), p.Origin()})
	}
	return raws, nil, nil
}
