package users

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// gift is what a line gives its person to identify with at devices.
type gift struct {
	Gift
	at int // of the line among the result's
}

// gift returns what the line brings; false when it brings nothing and its person is not new.
func (r importRow) gift(u core.User, action ImportAction) (gift, bool) {
	g := gift{Gift: Gift{User: u, Fresh: action == ImportCreate, Facts: r.aliases, Cards: r.cards, Code: r.code, PIN: r.pin}}
	for kind, given := range map[core.CredentialKind]bool{core.CredentialCard: len(r.cards) > 0, core.CredentialCode: !r.code.Empty(), core.CredentialPIN: !r.pin.Empty()} {
		if given {
			g.Kinds = append(g.Kinds, kind)
		}
	}
	return g, action != ImportSkip && (g.Fresh || len(g.Kinds) > 0)
}

// give keeps what lines bring. A card or code that is somebody else's is a mistake of the file, as is one that the policy refuses.
func (s *Service) give(ctx context.Context, tx store.Tx, actor string, o ImportOptions, gifts []gift, result *ImportResult, problems *ImportError) error {
	if s.d.Credentials == nil {
		if slices.ContainsFunc(gifts, func(g gift) bool { return len(g.Kinds) > 0 }) {
			result.Ignored = append(result.Ignored, "cards, codes and PINs")
		}
		return nil
	}
	list := make([]Gift, len(gifts))
	for i, g := range gifts {
		list[i] = g.Gift
	}
	given, err := s.d.Credentials.Give(ctx, tx, list, o.Welcome)
	if err != nil {
		return fmt.Errorf("keep cards and codes: %w", err)
	}
	for i, out := range given {
		line := &result.Lines[gifts[i].at]
		for _, p := range out.Problems {
			problems.add(line.Line, errors.New(p))
		}
		for _, w := range out.Weak {
			line.Note = strings.TrimPrefix(line.Note+"; "+w, "; ")
		}
		if len(out.Fields) == 0 {
			continue
		}
		line.Fields = append(line.Fields, out.Fields...)
		if line.Action != ImportUnchanged {
			continue
		}
		line.Action = ImportUpdate
		if err := tx.AppendAudit(ctx, core.AuditEvent{
			At: s.d.Clock(), Actor: actor, Action: "user.import", Target: fmt.Sprintf("user:%d", line.User), Detail: strings.Join(out.Fields, ","),
		}); err != nil {
			return err
		}
	}
	return nil
}
