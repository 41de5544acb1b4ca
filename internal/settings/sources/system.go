package sources

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// Registry reads the Windows registry.
type Registry interface {
	// Values returns the values of a key such as HKLM\Software\Platen as text: numbers in decimal, lists with commas. A key
	// that does not exist has none.
	Values(key string) (map[string]string, error)
}

// Computer is what the sources need to know of a computer. ForPerson and ForService fill it for the one we run on.
type Computer struct {
	GOOS string
	// ReadShared reads the files of the computer (nil: ReadFile does), ReadFile the person's. An fs.ErrNotExist means that
	// there is no file.
	ReadShared func(path string) ([]byte, error)
	ReadFile   func(path string) ([]byte, error)
	Shared     string                               // where programs keep the computer's settings: %ProgramData%; Windows and macOS only
	Registry   Registry                             // Windows only
	Plist      func(path string) ([]Managed, error) // macOS only: reads a property list, an fs.ErrNotExist when there is none

	// Of the service; nil otherwise. Stat is for noticing that one of Files has changed, the others are for Token.
	Stat       func(path string) (fs.FileInfo, error)
	ReadSecret func(path string) ([]byte, error) // Linux only
	CloseKey   func(key string) string           // Windows only: closes a key to all but administrators; says what was wrong with it

	// Of the person; nothing of it counts for the service.
	Env      map[string]string
	Flags    map[string]string // by flag name without dashes, only those given
	Home     string            // the person's home folder
	Config   string            // where programs keep the person's settings: ~/.config, %AppData%, ...
	UserName string            // macOS only: for /Library/Managed Preferences/USER
}

func (c Computer) readShared(path string) ([]byte, error) {
	if c.ReadShared == nil {
		return c.ReadFile(path)
	}
	return c.ReadShared(path)
}

// Managed is one key of a macOS profile; a dictionary has keys instead of a text.
type Managed struct {
	Name string
	Text string
	Dict []Managed
}

// Person lists the sources that a person's client asks, in order of strength.
func Person(c Computer) []Source {
	list := policies(c, true)
	list = append(list, flags(c), environment(c), file{KindUserFile, UserFile(c), c.ReadFile})
	list = append(list, defaults(c, true)...)
	return append(list, packageName(c)...)
}

// Machine lists the sources that the privileged service asks, in order of strength: what only administrators can write.
func Machine(c Computer) []Source { return append(policies(c, false), defaults(c, false)...) }

// Files lists the files of Machine's sources and of Token: when one of them changes, it is time to read anew.
func Files(c Computer) []string {
	switch c.GOOS {
	case "windows":
		return []string{MachineFile(c)}
	case "darwin":
		const dir = "/Library/Managed Preferences/"
		return []string{dir + settings.ManagedPreferences + ".plist", dir + settings.ManagedDeployPreferences + ".plist", MachineFile(c)}
	default:
		return []string{settings.PolicyFile, settings.RecommendedFile, settings.MachineFile, settings.SiteFile, settings.TokenFile}
	}
}

// UserFile is where the person's own settings stand.
func UserFile(c Computer) string {
	switch c.GOOS {
	case "windows":
		return c.Config + `\Platen\platen.conf`
	case "darwin":
		return path.Join(c.Config, "Platen/platen.conf")
	default:
		return path.Join(c.Config, "platen/platen.conf")
	}
}

// MachineFile is where the computer's settings stand.
func MachineFile(c Computer) string {
	switch c.GOOS {
	case "windows":
		return c.Shared + `\Platen\platen.conf`
	case "darwin":
		return path.Join(c.Shared, "Platen/platen.conf")
	default:
		return settings.MachineFile
	}
}

// policies lists what is enforced, with the person's own policies if person.
func policies(c Computer, person bool) []Source {
	switch c.GOOS {
	case "windows":
		return registryKeys(c, KindPolicy, person, "")
	case "darwin":
		return profiles(c, KindPolicy, person)
	default:
		return []Source{file{KindPolicy, settings.PolicyFile, c.readShared}}
	}
}

// defaults lists what administrators and packages set without enforcing it.
func defaults(c Computer, person bool) []Source {
	machineFile := file{KindMachineFile, MachineFile(c), c.readShared}
	switch c.GOOS {
	case "windows":
		list := append(registryKeys(c, KindRecommended, person, `\`+settings.RegistryRecommended), machineFile)
		if c.Registry != nil {
			list = append(list, registryKey{KindInstaller, settings.RegistryInstaller, c.Registry})
		}
		return list
	case "darwin":
		return append(profiles(c, KindRecommended, person), machineFile)
	default:
		return []Source{
			file{KindRecommended, settings.RecommendedFile, c.readShared},
			machineFile,
			file{KindSiteFile, settings.SiteFile, c.readShared},
		}
	}
}

func registryKeys(c Computer, kind Kind, person bool, subkey string) []Source {
	if c.Registry == nil {
		return nil
	}
	list := []Source{registryKey{kind, settings.RegistryPolicyMachine + subkey, c.Registry}}
	if person {
		list = append(list, registryKey{kind, settings.RegistryPolicyUser + subkey, c.Registry})
	}
	return list
}

func profiles(c Computer, kind Kind, person bool) []Source {
	if c.Plist == nil {
		return nil
	}
	const dir, name = "/Library/Managed Preferences", settings.ManagedPreferences + ".plist"
	var list []Source
	if person && c.UserName != "" {
		list = append(list, managed{kind, path.Join(dir, c.UserName, name), c.Plist})
	}
	return append(list, managed{kind, path.Join(dir, name), c.Plist})
}

// fixed is a source whose values are known already.
type fixed struct {
	kind Kind
	raws []Raw
}

func (f fixed) Origin() Origin                                 { return Origin{Kind: f.kind} }
func (f fixed) Read(context.Context) ([]Raw, []Warning, error) { return f.raws, nil, nil }

func flags(m Computer) Source {
	f := fixed{kind: KindFlag}
	for _, s := range settings.Table() {
		if text, ok := m.Flags[s.Flag()]; ok {
			f.raws = append(f.raws, Raw{s.Name, text, Origin{Kind: KindFlag, Where: "--" + s.Flag()}})
		}
	}
	return f
}

func environment(m Computer) Source {
	f := fixed{kind: KindEnvironment}
	for _, s := range settings.Table() {
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
	if errors.Is(err, errStranger) {
		return nil, []Warning{{f.Origin(), err.Error() + "; it does not count."}}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return ParseFile(text, f.kind, f.path)
}

// errStranger says that a file in the place of an administrator's is some user's. It is as if it were not there: where users may make
// one (%ProgramData%), nobody else's settings may break by it.
var errStranger = errors.New("no administrator's file")

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

func isSetting(name string) bool { _, ok := settings.Lookup(name); return ok }

// managed is a macOS profile as the system stores it: its own keys are enforced, those of its dictionary Defaults are not.
type managed struct {
	kind Kind
	path string
	read func(path string) ([]Managed, error)
}

func (p managed) Origin() Origin { return Origin{Kind: p.kind, Where: p.path} }

func (p managed) Read(context.Context) ([]Raw, []Warning, error) {
	keys, err := p.read(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if p.kind == KindRecommended {
		i := slices.IndexFunc(keys, func(k Managed) bool { return k.Name == settings.ManagedDefaults })
		if i < 0 {
			return nil, nil, nil
		}
		keys = keys[i].Dict
	}
	var raws []Raw
	for _, key := range keys {
		if strings.HasPrefix(key.Name, "Payload") || key.Dict != nil { // the profile's own keys; Defaults
			continue
		}
		raws = append(raws, Raw{key.Name, strings.TrimSpace(key.Text), p.Origin()})
	}
	return raws, nil, nil
}
