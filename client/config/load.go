package config

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

// Load reads the sources and checks what they say. The Config is always usable: the error joins a BrokenError for each
// critical setting that has a bad value, and these settings have no value in it (Config.Broken says the same).
func Load(ctx context.Context, set Sources) (Config, []Warning, error) {
	values, warnings := sources.Find(ctx, set)
	l := loader{warnings: warnings}
	for i, s := range settings.Table() {
		v := values[i]
		if v.Problem == "" && v.Text != "" {
			v = l.check(s, v)
		}
		l.config.values = append(l.config.values, v)
	}
	return l.config, l.warnings, l.config.Broken()
}

// loader fills a Config.
type loader struct {
	config   Config
	warnings []Warning
}

// check gives a value its meaning, or says what is wrong with it.
func (l *loader) check(s Setting, v Value) Value {
	read := readers[s.Name]
	err := settings.Clean(v.Text)
	if err != nil {
		v.Text = settings.Visible(v.Text)
	} else {
		err = read(&l.config, v.Text)
	}
	if err == nil {
		return v
	}
	v.Problem = err.Error()
	if s.Critical {
		return v
	}
	instead := "as if it were not set"
	if s.Default != "" {
		instead = "with " + s.Default
		if err := read(&l.config, s.Default); err != nil {
			panic(fmt.Sprintf("the default of %s is not valid: %v", s.Name, err))
		}
	}
	l.warnings = append(l.warnings, Warning{Origin: v.Origin, Text: fmt.Sprintf("%s=%s %s; the client works %s.", s.Name, v.Text, v.Problem, instead)})
	return v
}
