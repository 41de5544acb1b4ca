package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// localName is what accounts kept here only are called.
const localName = "local"

func (s *Server) userList(ctx context.Context, in UserList) (Users, error) {
	limit := in.Limit
	if limit <= 0 || limit > MaxList {
		limit = MaxList
	}
	filter := store.UserFilter{Query: in.Query, After: core.UserID(in.After), Limit: limit + 1, IncludeDeleted: in.Deleted}
	if in.Source != nil {
		id := sourceID(*in.Source)
		filter.Source = &id
	}
	list, err := s.Users.List(ctx, filter)
	if err != nil {
		return Users{}, err
	}
	out := Users{Users: []User{}, More: len(list) > limit}
	for _, u := range list[:min(limit, len(list))] {
		shown, err := s.user(ctx, u)
		if err != nil {
			return Users{}, err
		}
		out.Users = append(out.Users, shown)
	}
	return out, nil
}

func (s *Server) userShow(ctx context.Context, in UserRef) (UserDetails, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return UserDetails{}, err
	}
	d, err := s.Users.Show(ctx, u.ID)
	if err != nil {
		return UserDetails{}, err
	}
	shown, err := s.user(ctx, d.User)
	if err != nil {
		return UserDetails{}, err
	}
	out := UserDetails{User: shown, HasPassword: d.HasPassword, Names: []Name{}, Identities: []Identity{}, Sessions: sessionList(d.Sessions)}
	for _, n := range d.Names {
		out.Names = append(out.Names, Name{Name: n.Name, Kind: string(n.Kind), Domain: string(n.Domain), Source: sourceName(n.Source), Since: n.ValidFrom, Until: optionalTime(n.ValidTo)})
	}
	for _, i := range d.Identities {
		out.Identities = append(out.Identities, Identity{Source: sourceName(i.Source), Kind: string(i.Kind), ID: i.ImmutableID})
	}
	if out.Credentials, err = s.allCredentials(ctx, u.ID); err != nil {
		return UserDetails{}, err
	}
	return out, nil
}

func (s *Server) userSet(ctx context.Context, in UserSet) (User, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return User{}, err
	}
	change := users.Change{DisplayName: in.DisplayName, Email: in.Email, Department: in.Department, Office: in.Office}
	if in.Overdraft != nil {
		overdraft, err := core.ParseAmount(*in.Overdraft)
		if err != nil {
			return User{}, err
		}
		change.Overdraft = &overdraft
	}
	if in.Password != nil {
		password := secret.New(*in.Password)
		change.Password = &password
	}
	if u, err = s.Users.Set(ctx, actor, u.ID, change); err != nil {
		return User{}, err
	}
	if in.Username != nil {
		if u, err = s.Users.Rename(ctx, actor, u.ID, *in.Username); err != nil {
			return User{}, err
		}
	}
	return s.user(ctx, u)
}

func (s *Server) userAlias(ctx context.Context, in UserAlias) (User, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return User{}, err
	}
	if in.Remove {
		u, err = s.Users.RemoveAlias(ctx, actor, u.ID, in.Alias)
	} else {
		u, err = s.Users.AddAlias(ctx, actor, u.ID, in.Alias)
	}
	if err != nil {
		return User{}, err
	}
	return s.user(ctx, u)
}

func (s *Server) userDisable(ctx context.Context, in UserRef) (User, error) {
	return s.with(ctx, in.User, s.Users.Disable)
}

func (s *Server) userEnable(ctx context.Context, in UserRef) (User, error) {
	return s.with(ctx, in.User, s.Users.Enable)
}

// with does something to the person of that name.
func (s *Server) with(ctx context.Context, name string, do func(context.Context, string, core.UserID) (core.User, error)) (User, error) {
	u, err := s.Users.Find(ctx, name)
	if err != nil {
		return User{}, err
	}
	if u, err = do(ctx, actor, u.ID); err != nil {
		return User{}, err
	}
	return s.user(ctx, u)
}

func (s *Server) userErase(ctx context.Context, in UserRef) (Nothing, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Nothing{}, err
	}
	return Nothing{}, s.Users.Erase(ctx, actor, u.ID)
}

func (s *Server) userSessions(ctx context.Context, in UserRef) ([]Session, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return nil, err
	}
	list, err := s.Sessions.List(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return sessionList(list), nil
}

func (s *Server) sessionRevoke(ctx context.Context, in SessionRevoke) (Count, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Count{}, err
	}
	if in.All {
		n, err := s.Sessions.RevokeUser(ctx, actor, u.ID)
		return Count{n}, err
	}
	return Count{1}, s.Sessions.Revoke(ctx, actor, u.ID, in.ID)
}

func (s *Server) nameFree(ctx context.Context, in NameFree) (Count, error) {
	freed, err := s.Users.FreeName(ctx, actor, in.Name)
	return Count{len(freed)}, err
}

func (s *Server) proposals(ctx context.Context, _ Nothing) ([]Proposal, error) {
	list, err := s.Users.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	out := []Proposal{}
	for _, p := range list {
		d, err := s.Users.Show(ctx, p.User)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return nil, err
		}
		out = append(out, Proposal{User: fmt.Sprintf("id:%d", p.User), Username: d.User.Username, Name: p.Name, Domain: p.Domain, At: p.At})
	}
	return out, nil
}

func (s *Server) decide(ctx context.Context, in Decide) (Count, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Count{}, err
	}
	list, err := s.Users.Proposals(ctx)
	if err != nil {
		return Count{}, err
	}
	n := 0
	for _, p := range list {
		if p.User != u.ID || !auth.Same(p.Name, in.Name) {
			continue
		}
		if err := s.Users.Decide(ctx, actor, p, in.Accept); err != nil {
			return Count{n}, err
		}
		n++
	}
	if n == 0 {
		return Count{}, fmt.Errorf("%w: the name %q is not proposed for %s", core.ErrNotFound, in.Name, u.Username)
	}
	return Count{n}, nil
}

func (s *Server) userImport(ctx context.Context, in UserImport) (Imported, error) {
	format, err := users.ParseFormat(in.Format)
	if err != nil {
		return Imported{}, err
	}
	result, err := s.Users.Import(ctx, actor, bytes.NewReader(in.File), users.ImportOptions{Format: format, Preview: in.Preview, UpdateOnly: in.UpdateOnly, Welcome: in.Welcome})
	if err != nil {
		return Imported{}, err
	}
	out := Imported{
		Preview: in.Preview, Format: string(result.Format), Ignored: result.Ignored, Lines: []ImportLine{},
		Created: result.Count(users.ImportCreate), Updated: result.Count(users.ImportUpdate),
		Unchanged: result.Count(users.ImportUnchanged), Skipped: result.Count(users.ImportSkip),
	}
	for _, l := range result.Lines {
		out.Lines = append(out.Lines, ImportLine{Line: l.Line, Username: l.Username, Action: string(l.Action), Fields: l.Fields, Note: l.Note})
	}
	created := map[int]bool{}
	for _, l := range result.Lines {
		created[l.Line] = l.Action == users.ImportCreate
	}
	for _, b := range result.Balances {
		changed, err := s.bookImported(ctx, b, in.Preview, created[b.Line])
		if err != nil {
			return Imported{}, fmt.Errorf("line %d: the people were imported, but this balance and those below it were not booked; import the file again: %w", b.Line, err)
		}
		if changed {
			out.Booked++
		}
	}
	return out, nil
}

// bookImported brings a balance to what the file says. The key is the line's: a file that is imported again after a
// failure books only what is missing.
func (s *Server) bookImported(ctx context.Context, b users.ImportedBalance, preview, created bool) (changed bool, err error) {
	if preview && created {
		return b.Amount != 0, nil // the account is not there yet
	}
	account, err := s.Ledger.Balance(ctx, b.User)
	if err != nil || account.Balance == b.Amount || preview {
		return err == nil && account.Balance != b.Amount, err
	}
	_, err = s.Ledger.Post(ctx, posting(b.User, b.Amount-account.Balance, "Import", b.Key))
	if errors.Is(err, core.ErrConflict) {
		return false, nil // booked by an earlier import of this very file; what changed since is not its business
	}
	return err == nil, err
}

// posting is a credit, or for a negative amount a debit, by the administrator.
func posting(user core.UserID, amount core.Amount, note, key string) ledger.Posting {
	p := ledger.Posting{Key: key, Kind: core.TransferCredit, User: user, Amount: amount, Actor: actor, Assurance: core.AssuranceAdmin, Note: note}
	if amount < 0 {
		p.Kind, p.Amount = core.TransferDebit, -amount
	}
	return p
}

// user adds the balance to a person.
func (s *Server) user(ctx context.Context, u core.User) (User, error) {
	account, err := s.Ledger.Balance(ctx, u.ID)
	if err != nil {
		return User{}, err
	}
	shown := User{
		ID: int64(u.ID), Username: u.Username, DisplayName: u.DisplayName, Email: u.Email, Department: u.Department, Office: u.Office,
		Source: sourceName(u.Source), State: state(u), Balance: account.Balance.String(), CreatedAt: u.CreatedAt, DeletedAt: optionalTime(u.DeletedAt),
	}
	if account.Held != 0 {
		shown.Held = account.Held.String()
	}
	if u.Overdraft != 0 {
		shown.Overdraft = u.Overdraft.String()
	}
	return shown, nil
}

func state(u core.User) string {
	switch {
	case !u.DeletedAt.IsZero():
		return "deleted"
	case u.Disabled:
		return "disabled"
	}
	return "active"
}

func sessionList(list []core.Session) []Session {
	out := []Session{}
	for _, x := range list {
		out = append(out, Session{ID: x.ID, Client: x.Client, Host: x.Host, Address: x.Address, CreatedAt: x.CreatedAt, LastSeenAt: x.LastSeenAt, ExpiresAt: x.RefreshExpires})
	}
	return out
}

func sourceName(id core.SourceID) string {
	if id == core.LocalSource {
		return localName
	}
	return string(id)
}

func sourceID(name string) core.SourceID {
	if name == localName {
		return core.LocalSource
	}
	return core.SourceID(name)
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func optionalAmount(text string) (core.Amount, error) {
	if text == "" {
		return 0, nil
	}
	return core.ParseAmount(text)
}
