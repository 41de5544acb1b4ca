package tokenstore

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
)

// Tokens is a signed-in session: what is needed to go on with it after a restart.
type Tokens struct {
	ServerURL    string        // the server that issued them; Save fills it in
	Username     auth.Username // to show, before the server has answered
	UserID       string        // the server's own id of the person
	RefreshToken secret.String
	SavedAt      time.Time // when Save was called, UTC; Save fills it in
}

// document is Tokens inside the sealed file.
type document struct {
	ServerURL    string    `json:"server_url"`
	Username     string    `json:"username"`
	UserID       string    `json:"user_id"`
	RefreshToken string    `json:"refresh_token"`
	SavedAt      time.Time `json:"saved_at"`
}

func (t Tokens) encode() ([]byte, error) {
	return json.Marshal(document{
		ServerURL: t.ServerURL, Username: string(t.Username), UserID: t.UserID, RefreshToken: t.RefreshToken.Reveal(), SavedAt: t.SavedAt,
	})
}

func decodeTokens(plain []byte) (Tokens, error) {
	var d document
	if err := json.Unmarshal(plain, &d); err != nil {
		// The text of the error may quote the document.
		return Tokens{}, fmt.Errorf("%w: it is not the document that was expected", ErrDamaged)
	}
	return Tokens{
		ServerURL: d.ServerURL, Username: auth.Username(d.Username), UserID: d.UserID, RefreshToken: secret.New(d.RefreshToken), SavedAt: d.SavedAt,
	}, nil
}
