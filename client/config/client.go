package config

import (
	"context"
	"net"

	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

// What reading settings takes and gives; see internal/settings/sources.
type (
	Setting = settings.Setting
	Value   = sources.Value
	Origin  = sources.Origin
	Warning = sources.Warning
	Sources = sources.Set
	Machine = sources.Computer
)

// Table lists every setting, in the order in which they are shown.
func Table() []Setting { return settings.Table() }

// System lists the sources of a person's client, in order of strength.
func System(m Machine) []sources.Source { return sources.Person(m) }

// ForThisMachine loads the settings of the computer we run on. flags are the flags of settings that were given, by name.
// discover tells whether the network may be asked for a server where nothing names one.
func ForThisMachine(ctx context.Context, flags map[string]string, discover bool) (Config, []Warning, error) {
	m, err := sources.ForPerson(flags)
	if err != nil {
		return Config{}, nil, err
	}
	set := Sources{Ordered: sources.Person(m)}
	if discover {
		names := sources.SearchDomains(m)
		set.Discovery = sources.Network{DNS: sources.Domains{Resolver: net.DefaultResolver, Names: names}, Web: sources.Web{Names: names}}
	}
	return Load(ctx, set)
}
