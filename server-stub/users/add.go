package users

import (
	"context"
	"fmt"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// NewUser is a person to add. Only Username is required.
type NewUser struct {
	Username    string
	DisplayName string
	Email       string
	Department  string
	Office      string
	Aliases     []string
	Password    secret.String // empty: none, the person cannot sign in by password
	Overdraft   core.Amount
	Disabled    bool
}

// Added is a new person, and the access code that was made for them.
type Added struct {
	User core.User
	Code secret.String // as people write it; empty where nobody gets one
}

// Add makes a local account with an access code, and welcomes the person where there is mail. actor is who does it ("admin",
// "user:12"). Errors: core.ErrInvalid, core.ErrConflict for a name that somebody else has.
func (s *Service) Add(ctx context.Context, actor string, n NewUser) (core.User, error) {
	a, err := s.AddWithCode(ctx, actor, n)
	return a.User, err
}

// AddWithCode is Add for whoever shows the code to somebody.
func (s *Service) AddWithCode(ctx context.Context, actor string, n NewUser) (Added, error) {
	add, err := s.adding(ctx, actor, n)
	if err != nil {
		return Added{}, err
	}
	var a Added
	err = s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
		a, err = add(tx)
		return err
	})
	if err != nil {
		return Added{}, err
	}
	s.d.OnChange(a.User.ID)
	return a, nil
}

// Adding is Add as a part of another transaction: what takes long is done before, and what is returned does the rest in it. Nobody
// is told of the change; who is new is signed in nowhere.
func (s *Service) Adding(ctx context.Context, actor string, n NewUser) (func(tx store.Tx) (core.User, error), error) {
	add, err := s.adding(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	return func(tx store.Tx) (core.User, error) {
		a, err := add(tx)
		return a.User, err
	}, nil
}

func (s *Service) adding(ctx context.Context, actor string, n NewUser) (func(tx store.Tx) (Added, error), error) {
	phc := ""
	if !n.Password.Empty() {
		var err error
		if phc, err = s.d.Hasher.Hash(ctx, n.Password); err != nil {
			return nil, fmt.Errorf("add user %q: %w", n.Username, err)
		}
	}
	return func(tx store.Tx) (Added, error) {
		c := &change{ctx: ctx, tx: tx, now: s.d.Clock()}
		if err := c.add(actor, n, phc); err != nil {
			return Added{}, fmt.Errorf("add user %q: %w", n.Username, err)
		}
		a := Added{User: c.user}
		if s.d.Credentials == nil {
			return a, nil
		}
		var err error
		if a.Code, err = s.d.Credentials.Generate(ctx, tx, c.user); err != nil {
			return Added{}, fmt.Errorf("add user %q: %w", n.Username, err)
		}
		return a, nil
	}, nil
}

// add creates the user of n in the transaction.
func (c *change) add(actor string, n NewUser, phc string) error {
	folded, err := checkName("username", n.Username)
	if err != nil {
		return err
	}
	for field, text := range map[string]string{"display name": n.DisplayName, "department": n.Department, "office": n.Office} {
		if err := checkText(field, text); err != nil {
			return err
		}
	}
	if n.Overdraft < 0 {
		return fmt.Errorf("%w: the overdraft is below zero; write how far the balance may go below zero, like 5.00", core.ErrInvalid)
	}
	kind := usernameKind(folded)
	if err := c.claim(folded, kind); err != nil {
		return err
	}
	c.user = core.User{
		Username: strings.TrimSpace(n.Username), DisplayName: strings.TrimSpace(n.DisplayName), Department: strings.TrimSpace(n.Department),
		Office: strings.TrimSpace(n.Office), Overdraft: n.Overdraft, Disabled: n.Disabled, CreatedAt: c.now, UpdatedAt: c.now,
	}
	if c.user.ID, err = c.tx.CreateUser(c.ctx, c.user); err != nil {
		return err
	}
	if err := c.put(n.Username, folded, kind); err != nil {
		return err
	}
	for _, alias := range n.Aliases {
		if err := c.addAlias(alias); err != nil {
			return err
		}
	}
	if n.Email != "" {
		if err := c.setEmail(n.Email); err != nil {
			return err
		}
		if err := c.tx.UpdateUser(c.ctx, c.user); err != nil {
			return err
		}
	}
	if phc != "" {
		if err := c.tx.SetPasswordHash(c.ctx, c.user.ID, phc); err != nil {
			return err
		}
	}
	c.fields = []string{"username"}
	return c.audit(actor, "user.add")
}

// setEmail changes the e-mail address and the name of that kind.
func (c *change) setEmail(email string) error {
	email = strings.TrimSpace(email)
	if email == c.user.Email {
		return nil
	}
	var folded auth.Folded
	if email != "" {
		var err error
		if folded, err = checkEmail(email); err != nil {
			return err
		}
		if err := c.claim(folded, core.NameEmail); err != nil {
			return err
		}
	}
	if _, err := c.end(func(n core.LoginName) bool {
		return n.Kind == core.NameEmail && n.Source == core.LocalSource && n.Folded != folded
	}); err != nil {
		return err
	}
	c.user.Email = email
	c.fields = append(c.fields, "email")
	if email == "" {
		return nil
	}
	return c.put(email, folded, core.NameEmail)
}

// addAlias gives the user another name. One that the user has already is left alone.
func (c *change) addAlias(alias string) error {
	folded, err := checkName("alias", alias)
	if err != nil {
		return err
	}
	if err := c.claim(folded, core.NameAlias); err != nil {
		return err
	}
	have, err := c.tx.UserNames(c.ctx, c.user.ID)
	if err != nil {
		return err
	}
	for _, n := range have {
		if n.Folded == folded && n.ValidTo.IsZero() && n.Kind != core.NameEmail && n.Domain == "" {
			return nil
		}
	}
	c.fields = append(c.fields, "aliases")
	return c.put(alias, folded, core.NameAlias)
}

// checkPassword tells whether the user may get a local password, and whether it is a good one.
func (s *Service) checkPassword(c *change, password secret.String) error {
	if c.user.Source != core.LocalSource && s.d.ChecksPasswords(c.user.Source) {
		return c.keptByDirectory("password")
	}
	return passhash.Check(password)
}
