package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/users"
)

// The verbs of cards, codes and PINs.
const (
	VerbUserCard   = "user.card"
	VerbUserCode   = "user.code"
	VerbUserPIN    = "user.pin"
	VerbCodeReport = "codes.report"
	VerbCodesMake  = "codes.make"
)

func (s *Server) credentialRoutes() {
	on(s, VerbUserCard, s.userCard)
	on(s, VerbUserCode, s.userCode)
	on(s, VerbUserPIN, s.userPIN)
	on(s, VerbCodeReport, s.codeReport)
	on(s, VerbCodesMake, s.codesMake)
	s.mailRoutes()
}

// UserAdded is a new person, and the access code that was made for them: it is shown this once.
type UserAdded struct {
	User
	AccessCode string `json:"access_code,omitempty"`
}

// UserCard shows a person's cards, after adding one or removing one.
type UserCard struct {
	User   string `json:"user"`
	Add    string `json:"add,omitempty"`    // a number
	Remove string `json:"remove,omitempty"` // a number
	ID     int64  `json:"id,omitempty"`     // of the card to remove, instead of its number
	Reveal bool   `json:"reveal,omitempty"` // show the numbers, where they are kept; it is written to the audit log
}

// Credential is a card, a code or a PIN.
type Credential struct {
	ID      int64     `json:"id"`
	Kind    string    `json:"kind"`
	Ending  string    `json:"ending,omitempty"` // of a card
	Value   string    `json:"value,omitempty"`  // only where it was asked for, and is kept
	Origin  string    `json:"origin"`
	Source  string    `json:"source,omitempty"`
	Since   time.Time `json:"since"`
	Weak    string    `json:"weak,omitempty"` // why a code is weak
	WithPIN bool      `json:"with_pin,omitempty"`
}

// Credentials are a person's.
type Credentials struct {
	ID          int64        `json:"user_id"`
	Username    string       `json:"username"`
	Credentials []Credential `json:"credentials"`
	Kept        bool         `json:"kept"` // values of this kind are kept and can be shown again
}

func (s *Server) userCard(ctx context.Context, in UserCard) (Credentials, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Credentials{}, err
	}
	if in.Add != "" {
		if err := s.Credentials.AddCard(ctx, actor, u.ID, secret.New(in.Add)); err != nil {
			return Credentials{}, err
		}
	}
	if in.Remove != "" || in.ID != 0 {
		if err := s.Credentials.RemoveCard(ctx, actor, u.ID, in.ID, secret.New(in.Remove)); err != nil {
			return Credentials{}, err
		}
	}
	return s.credentialsOf(ctx, u, core.CredentialCard, in.Reveal)
}

// credentialsOf lists a person's credentials of a kind.
func (s *Server) credentialsOf(ctx context.Context, u core.User, kind core.CredentialKind, reveal bool) (Credentials, error) {
	policy := s.Credentials.Policy()
	out := Credentials{ID: int64(u.ID), Username: u.Username, Credentials: []Credential{}, Kept: policy.Codes == credentials.KeepReveal}
	if kind == core.CredentialCard {
		out.Kept = policy.Cards == credentials.KeepReveal
	}
	if reveal {
		list, err := s.Credentials.Reveal(ctx, actor, u.ID, kind)
		if err != nil {
			return Credentials{}, err
		}
		for _, r := range list {
			c := s.credential(r.Credential)
			c.Value = r.Value.Reveal()
			out.Credentials = append(out.Credentials, c)
		}
		return out, nil
	}
	list, err := s.Credentials.List(ctx, u.ID)
	if err != nil {
		return Credentials{}, err
	}
	for _, c := range list {
		if c.Kind == kind {
			out.Credentials = append(out.Credentials, s.credential(c))
		}
	}
	return out, nil
}

func (s *Server) credential(c core.Credential) Credential {
	return Credential{
		ID: c.ID, Kind: string(c.Kind), Ending: c.Hint, Origin: string(c.Origin), Source: string(c.Source), Since: c.CreatedAt,
		Weak: credentials.Reasons(c), WithPIN: c.Kind == core.CredentialCode && s.Credentials.NeedsPIN(c),
	}
}

// allCredentials lists what a person has, without values.
func (s *Server) allCredentials(ctx context.Context, id core.UserID) ([]Credential, error) {
	list, err := s.Credentials.List(ctx, id)
	if err != nil {
		return nil, err
	}
	out := []Credential{}
	for _, c := range list {
		out = append(out, s.credential(c))
	}
	return out, nil
}

// What UserCode does.
const (
	CodeShow  = "show"
	CodeNew   = "new"
	CodeSet   = "set"
	CodeClear = "clear"
)

// UserCode shows a person's access code, or makes, sets or ends it.
type UserCode struct {
	User string `json:"user"`
	Do   string `json:"do"`
	Code string `json:"code,omitempty"` // to set
}

// UserCodes are a person's codes, and the new one where one was made.
type UserCodes struct {
	Credentials
	New  string `json:"new,omitempty"`
	Weak string `json:"weak,omitempty"` // what is weak about the one that was set
}

func (s *Server) userCode(ctx context.Context, in UserCode) (UserCodes, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return UserCodes{}, err
	}
	var out UserCodes
	var made secret.String
	switch in.Do {
	case CodeShow:
	case CodeNew:
		made, err = s.Credentials.NewCode(ctx, actor, u.ID)
	case CodeSet:
		out.Weak, err = s.Credentials.SetCode(ctx, actor, u.ID, secret.New(in.Code))
	case CodeClear:
		made, err = s.Credentials.ClearCode(ctx, actor, u.ID)
	default:
		err = invalid("a code cannot be %q; write show, new, set or clear", in.Do)
	}
	if err != nil {
		return UserCodes{}, err
	}
	out.New = made.Reveal()
	out.Credentials, err = s.credentialsOf(ctx, u, core.CredentialCode, in.Do == CodeShow)
	return out, err
}

// UserPIN sets a person's PIN, or with an empty one ends it.
type UserPIN struct {
	User string `json:"user"`
	PIN  string `json:"pin,omitempty"`
}

func (s *Server) userPIN(ctx context.Context, in UserPIN) (User, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return User{}, err
	}
	if err := s.Credentials.SetPIN(ctx, actor, u.ID, secret.New(in.PIN)); err != nil {
		return User{}, err
	}
	return s.user(ctx, u)
}

// CodeReport asks for weak codes and people without one, or for every code.
type CodeReport struct {
	All bool `json:"all,omitempty"`
}

// CodeReported is what is known of the codes, without the codes.
type CodeReported struct {
	People int        `json:"people"`
	Codes  int        `json:"codes"`
	Weak   int        `json:"weak"`
	None   int        `json:"without_code"`
	Length int        `json:"length_now"` // of a code that is made now
	Lines  []CodeLine `json:"lines"`
}

// CodeLine is one code, or somebody without one.
type CodeLine struct {
	ID       int64     `json:"user_id"`
	Username string    `json:"username"`
	Origin   string    `json:"origin,omitempty"`
	Source   string    `json:"source,omitempty"`
	Since    time.Time `json:"since"`
	Weak     string    `json:"weak,omitempty"`
	Works    string    `json:"works"` // "alone", "with PIN", "no PIN set" or "no code"
}

func (s *Server) codeReport(ctx context.Context, in CodeReport) (CodeReported, error) {
	r, err := s.Credentials.Report(ctx, in.All)
	if err != nil {
		return CodeReported{}, err
	}
	out := CodeReported{People: r.People, Codes: r.Codes, Weak: r.Weak, None: r.None, Length: r.Length, Lines: []CodeLine{}}
	for _, l := range r.Lines {
		line := CodeLine{ID: int64(l.User.ID), Username: l.User.Username, Origin: string(l.Origin), Source: string(l.Source), Since: l.Since, Weak: l.Reasons, Works: "alone"}
		switch {
		case l.None:
			line.Works = "no code"
		case l.NeedsPIN && l.HasPIN:
			line.Works = "with PIN"
		case l.NeedsPIN:
			line.Works = "no PIN set"
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

// CodesMake makes a code for everybody who has none.
type CodesMake struct {
	Tell bool `json:"tell,omitempty"` // send them to the people, where there is mail
}

func (s *Server) codesMake(ctx context.Context, in CodesMake) (Count, error) {
	n, err := s.Credentials.MakeMissing(ctx, actor, in.Tell)
	return Count{n}, err
}

func (s *Server) userAdd(ctx context.Context, in UserAdd) (UserAdded, error) {
	overdraft, err := optionalAmount(in.Overdraft)
	if err != nil {
		return UserAdded{}, err
	}
	a, err := s.Users.AddWithCode(ctx, actor, users.NewUser{
		Username: in.Username, DisplayName: in.DisplayName, Email: in.Email, Department: in.Department, Office: in.Office,
		Aliases: in.Aliases, Password: secret.New(in.Password), Overdraft: overdraft,
	})
	if err != nil {
		return UserAdded{}, err
	}
	u, err := s.user(ctx, a.User)
	if err != nil {
		return UserAdded{}, fmt.Errorf("the person was added: %w", err)
	}
	return UserAdded{User: u, AccessCode: a.Code.Reveal()}, nil
}
