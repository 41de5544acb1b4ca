package agent

import (
	"context"
	"time"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
)

// lookAgain is how long it takes until the settings and the network are looked at again where none has named a server: a laptop
// that was started without a network, a policy that came after the package. The last one is repeated.
var lookAgain = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// sight is what a look at the settings has shown.
type sight int

const (
	nothingNew sight = iota
	serverNamed
	serverUsed  // the person has confirmed one meanwhile
	otherServer // the network names another one than is asked about
)

// lookOut starts the program anew once a server is named that can be used, or asked about, and could not at the start. With it come
// all other settings. asked is the one that was asked about at the start; nil: none was.
func (a *agent) lookOut(ctx context.Context, o Options, asked *status.Server) {
	if o.MayRestart == nil {
		return
	}
	look := func(ctx context.Context) sight {
		c, _, err := config.ForThisMachine(ctx, o.Flags, true)
		return a.site.look(c, err, asked)
	}
	if seen := awaitServer(ctx, lookAgain, look); seen != serverNamed && seen != otherServer {
		return
	}
	if err := o.MayRestart(); err != nil {
		a.logger.WarnContext(ctx, "a server is named now, but the program cannot be started anew", "error", err)
		return
	}
	a.logger.InfoContext(ctx, "a server is named now")
	a.quit(ErrRestart)
}

// look tells whether settings lead to a server that this run does not have.
func (s *site) look(c config.Config, err error, asked *status.Server) sight {
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready {
		return serverUsed
	}
	if err != nil {
		return nothingNew
	}
	used, ask := s.remembered.Choose(c)
	switch {
	case ask != nil:
		switch {
		case asked == nil:
			return serverNamed
		case ask.URL != asked.URL || ask.Pin != asked.Pin:
			return otherServer
		}
		return nothingNew
	case used.ServerURL == nil:
		return nothingNew
	}
	if _, err := connect.New(used, s.logger, clock.System); err != nil { // the next run would stand where this one does
		return nothingNew
	}
	return serverNamed
}

// awaitServer looks until there is something to see, or ctx ends. Another server counts when the looks have become rare: a network that
// names one after the other does not start the program anew all the time.
func awaitServer(ctx context.Context, waits []time.Duration, look func(context.Context) sight) sight {
	for i := 0; ; i = min(i+1, len(waits)-1) {
		pause := time.NewTimer(waits[i])
		select {
		case <-ctx.Done():
			pause.Stop()
			return nothingNew
		case <-pause.C:
		}
		if seen := look(ctx); seen != nothingNew && (seen != otherServer || i == len(waits)-1) && ctx.Err() == nil {
			return seen
		}
	}
}
