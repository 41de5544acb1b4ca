package doctor

import (
	"context"

	"github.com/platenprint/platen/client/config"
)

// presence matters on shared computers only: there people who have left are signed out, where that can be seen.
func (in Inputs) presence(ctx context.Context) Result {
	if in.Config.DeviceRole != config.RoleShared && len(in.Config.SharedOSUsers) == 0 {
		return Result{Level: OK, Sentence: "This is not a shared computer."}
	}
	if in.Presence == nil {
		return Result{Level: Unknown, Sentence: "Nobody looked whether this computer tells that people have left."}
	}
	seen, err := in.Presence.Read(ctx)
	switch {
	case err != nil:
		return Result{
			Level: Warn, Sentence: "This computer does not tell when people have left: they have to sign out themselves.",
			Remedy: "Use a desktop that does, such as GNOME, or end the session after some time.", Details: details(err),
		}
	case !seen.IdleKnown:
		return Result{Level: Warn, Sentence: "This desktop tells that the screen is locked, but not how long nobody moved.", Remedy: "Let the screen lock itself after a few minutes: that signs people out, too."}
	case !seen.LockedKnown:
		return Result{
			Level: Warn, Sentence: "This desktop tells how long nobody moved, but not that the screen is locked.",
			Remedy: "Nothing has to be done: people are signed out after 10 minutes.",
		}
	}
	return Result{Level: OK, Sentence: "People who leave this shared computer are signed out."}
}
