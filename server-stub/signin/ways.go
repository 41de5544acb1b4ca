package signin

import (
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

// ways is who checks passwords. It is replaced as a whole when a directory is added, changed or removed, and never changed.
type ways struct {
	rules       names.Rules
	directories []Directory
	provider    *Cloud
	sources     map[core.SourceID]*source
	cloud       *source // nil when the identity provider checks no passwords here
}

// Configure makes these the directories from now on, while people sign in; see Deps. It returns core.ErrInvalid, and leaves
// everything as it was, for what cannot work.
func (s *Service) Configure(rules names.Rules, directories []Directory, provider *Cloud) error {
	w := &ways{rules: rules, directories: directories, provider: provider, sources: map[core.SourceID]*source{}}
	for _, dir := range directories {
		if dir.Lockout == (Lockout{}) {
			dir.Lockout = DefaultLockout()
		}
		if dir.Lockout.Threshold == 0 {
			dir.Lockout.Threshold = DefaultLockout().Threshold
		}
		id := dir.Checker.ID()
		if l := dir.Lockout; l.Threshold == 1 || l.Threshold > 1 && l.Window <= 0 {
			return fmt.Errorf("%w: directory %q: with a lockout threshold of %d in %v no password can be tried safely; use at least 2 and a window", core.ErrInvalid, id, l.Threshold, l.Window)
		}
		w.sources[id] = &source{checker: dir.Checker, lockout: dir.Lockout, gate: make(chan struct{}, sourceGate)}
	}
	if c := provider; c != nil && c.Checker != nil {
		if c.Lockout.Threshold == 1 || c.Lockout.Threshold > 1 && c.Lockout.Window <= 0 {
			return fmt.Errorf("%w: with a lockout threshold of %d in %v no password can be tried safely at the identity provider", core.ErrInvalid, c.Lockout.Threshold, c.Lockout.Window)
		}
		w.cloud = &source{cloud: c.Checker, lockout: c.Lockout, gate: make(chan struct{}, sourceGate)}
		if w.cloud.lockout.Threshold == 0 {
			w.cloud.lockout = DefaultLockout()
		}
	}
	s.ways.Store(w)
	return nil
}
