package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// fillCredentials gives the tables of cards, codes and mail rows.
func fillCredentials(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error {
		_, err := tx.CreateCredential(ctx, core.Credential{
			UserID: 1, Kind: core.CredentialCard, Origin: core.OriginSource, Source: "ad", Lookup: [32]byte{5}, Sealed: []byte{6}, Hint: "34", CreatedAt: day,
		})
		_, _, err2 := tx.QueueMail(ctx, core.Mail{Key: "k", MessageID: "<1@example.org>", UserID: 1, To: "alex@example.org", Sealed: []byte{7}, State: core.MailSent, CreatedAt: day})
		return errors.Join(err, err2)
	}); err != nil {
		t.Fatal(err)
	}
}
