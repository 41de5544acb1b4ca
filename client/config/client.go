package config

import (
	"context"
	"net"
)

// ForThisMachine loads the settings of the computer we run on. flags are the flags of settings that were given, by name.
// discover tells whether the network may be asked for a server where nothing names one.
func ForThisMachine(ctx context.Context, flags map[string]string, discover bool) (Config, []Warning, error) {
	m, err := ThisMachine(flags)
	if err != nil {
		return Config{}, nil, err
	}
	sources := Sources{Ordered: System(m)}
	if discover {
		sources.Discovery = Domains{Resolver: net.DefaultResolver, Names: SearchDomains(m)}
	}
	return Load(ctx, sources)
}
