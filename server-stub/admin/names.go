package admin

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/names/review"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// The verbs about names.
const (
	VerbNamesReview  = "names.review"
	VerbNamesMigrate = "names.migrate"
	VerbNamesUndo    = "names.undo"
	VerbNamesRuns    = "names.runs"
	VerbUserResolve  = "user.resolve"
)

// Naming is whose names are whose here. Nil functions know nothing.
type Naming struct {
	Rules     func() names.Rules
	Providers names.Providers
	// UsernameRule is the username rule of a configured directory as users.MigrateOptions wants it.
	UsernameRule func(core.SourceID) string
}

// NamesReview asks for a part of a review.
type NamesReview struct {
	To       string `json:"to"` // upn or mail
	Domain   string `json:"domain,omitempty"`
	From     string `json:"from,omitempty"` // the address of a workstation
	Provider string `json:"provider,omitempty"`
	After    int64  `json:"after,omitempty"`
	Limit    int    `json:"limit,omitempty"` // people looked at, at most MaxList, which 0 means
}

// ReviewPage is a part of a review.
type ReviewPage struct {
	Lines []ReviewLine `json:"lines"`
	Next  int64        `json:"next"` // After of the next part
	More  bool         `json:"more"`
}

// ReviewLine is what a switch of usernames means for one person.
type ReviewLine struct {
	ID          int64       `json:"id"`
	Username    string      `json:"username"`
	DisplayName string      `json:"display_name,omitempty"`
	Source      string      `json:"source"`
	NewUsername string      `json:"new_username,omitempty"`
	State       string      `json:"state"` // unchanged, gains alias, ambiguous, no match
	Problems    []string    `json:"problems,omitempty"`
	Jobs        []ReviewJob `json:"jobs"`
}

// ReviewJob is a name that a workstation of the person sends, and the username of whom the job belongs to.
type ReviewJob struct {
	Name  string `json:"name"`
	Now   string `json:"now"` // "" for nobody
	After string `json:"after"`
}

// NamesMigrate renames people.
type NamesMigrate struct {
	To     string  `json:"to"`
	Source *string `json:"source,omitempty"`
	Apply  bool    `json:"apply,omitempty"`
}

// NamesUndo takes a migration back.
type NamesUndo struct {
	Run int64 `json:"run"`
}

// NamesRun is a migration that was done.
type NamesRun struct {
	Run       int64     `json:"run"`
	Source    string    `json:"source,omitempty"` // "" for all directories
	At        time.Time `json:"at"`
	Renamed   int       `json:"renamed"`
	Conflicts int       `json:"conflicts"`
	UndoneBy  int64     `json:"undone_by,omitempty"`
	Message   string    `json:"message"`
}

// Migration is what a migration did, or in a preview would do.
type Migration struct {
	Preview   bool            `json:"preview"`
	Run       int64           `json:"run,omitempty"`
	People    int             `json:"people"`
	Renamed   int             `json:"renamed"`
	Followed  int             `json:"followed"` // follow their directory again
	Conflicts int             `json:"conflicts"`
	Skipped   int             `json:"skipped"`
	Problem   string          `json:"problem,omitempty"`
	Lines     []MigrationLine `json:"lines"`
}

// MigrationLine is what a migration does to one person.
type MigrationLine struct {
	ID     int64  `json:"id"`
	Old    string `json:"old"`
	New    string `json:"new,omitempty"`
	Action string `json:"action"` // rename, follow, conflict, skip
	Why    string `json:"why,omitempty"`
}

// UserResolve asks whose name it is.
type UserResolve struct {
	Name     string `json:"name"`           // alex, CORP\alex, alex@example.org
	As       string `json:"as,omitempty"`   // job (which "" means), prompt or trust
	From     string `json:"from,omitempty"` // the computer's address
	Provider string `json:"provider,omitempty"`
	Join     string `json:"join_domain,omitempty"` // the domain that the computer is joined to
}

// Resolved is whose name it is, and why.
type Resolved struct {
	Outcome    string      `json:"outcome"` // one, disabled, ambiguous, unknown
	User       *NamedUser  `json:"user,omitempty"`
	Candidates []NamedUser `json:"candidates,omitempty"`
	Why        []string    `json:"why"`
}

// NamedUser is a person in short.
type NamedUser struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Source   string `json:"source"`
}

func (s *Server) nameRoutes() {
	on(s, VerbUserResolve, s.userResolve)
	on(s, VerbNamesReview, s.namesReview)
	onLong(s, VerbNamesMigrate, s.namesMigrate)
	onLong(s, VerbNamesUndo, s.namesUndo)
	on(s, VerbNamesRuns, s.namesRuns)
}

func (s *Server) rules() names.Rules {
	if s.Naming.Rules == nil {
		return names.Rules{}
	}
	return s.Naming.Rules()
}

// address reads the address of a computer; an empty text is none.
func address(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, invalid("%q is no address; write it like 10.1.4.4", text)
	}
	return addr, nil
}

func (s *Server) namesReview(ctx context.Context, in NamesReview) (ReviewPage, error) {
	from, err := address(in.From)
	if err != nil {
		return ReviewPage{}, err
	}
	to, err := review.ParseTarget(in.To)
	if err != nil {
		return ReviewPage{}, err
	}
	limit := in.Limit
	if limit <= 0 || limit > MaxList {
		limit = MaxList
	}
	o := review.Options{To: to, Domain: in.Domain, Rules: s.rules(), Providers: s.Naming.Providers, From: from, Provider: in.Provider, Now: s.Clock()}
	var out ReviewPage
	err = s.Store.View(ctx, func(tx store.Tx) error {
		out = ReviewPage{Lines: []ReviewLine{}}
		last, more, err := review.Run(ctx, tx, o, core.UserID(in.After), limit, func(l review.Line) { out.Lines = append(out.Lines, reviewLine(l)) })
		out.Next, out.More = int64(last), more
		return err
	})
	return out, err
}

func reviewLine(l review.Line) ReviewLine {
	out := ReviewLine{
		ID: int64(l.User.ID), Username: l.User.Username, DisplayName: l.User.DisplayName, Source: sourceName(l.User.Source),
		NewUsername: l.Target, State: string(l.State), Problems: l.Problems, Jobs: []ReviewJob{},
	}
	for _, j := range l.Sent {
		out.Jobs = append(out.Jobs, ReviewJob{Name: j.Name, Now: j.Now.Username, After: j.Then.Username})
	}
	return out
}

func (s *Server) namesMigrate(ctx context.Context, in NamesMigrate, progress func(Progress)) (Migration, error) {
	o := users.MigrateOptions{To: in.To, Preview: !in.Apply, UsernameRule: s.Naming.UsernameRule, Progress: report(progress, "people")}
	if in.Source != nil {
		id := sourceID(*in.Source)
		o.Source = &id
	}
	m, err := s.Users.Migrate(ctx, actor, o)
	if err != nil {
		return Migration{}, err
	}
	return migrationOf(m, o.Preview), nil
}

func (s *Server) namesUndo(ctx context.Context, in NamesUndo, progress func(Progress)) (Migration, error) {
	m, err := s.Users.UndoMigration(ctx, actor, in.Run, s.Naming.UsernameRule, report(progress, "people"))
	if err != nil {
		return Migration{}, err
	}
	return migrationOf(m, false), nil
}

func (s *Server) namesRuns(ctx context.Context, _ Nothing) ([]NamesRun, error) {
	runs, err := s.Users.Migrations(ctx, s.Directories.IDs())
	if err != nil {
		return nil, err
	}
	out := []NamesRun{}
	for _, r := range runs {
		run := NamesRun{Run: r.ID, Source: string(r.Source), At: r.StartedAt, Renamed: r.Renamed, Conflicts: r.Conflicts, UndoneBy: r.UndoneBy, Message: r.Message}
		if strings.Contains(run.Source, ":") {
			run.Source = "" // the name under which those of all directories are kept
		}
		out = append(out, run)
	}
	return out, nil
}

// report makes lines of progress.
func report(progress func(Progress), step string) func(done, total int) {
	return func(done, total int) { progress(Progress{Step: step, Done: int64(done), Total: int64(total)}) }
}

func migrationOf(m users.Migration, preview bool) Migration {
	out := Migration{
		Preview: preview, Run: m.Run, People: m.People, Problem: m.Problem, Lines: []MigrationLine{},
		Renamed: m.Count(users.MigrateRename), Followed: m.Count(users.MigrateFollow), Conflicts: m.Count(users.MigrateConflict), Skipped: m.Count(users.MigrateSkip),
	}
	for _, l := range m.Lines {
		out.Lines = append(out.Lines, MigrationLine{ID: int64(l.User), Old: l.Old, New: l.New, Action: string(l.Action), Why: l.Why})
	}
	return out
}

func (s *Server) userResolve(ctx context.Context, in UserResolve) (Resolved, error) {
	from, err := address(in.From)
	if err != nil {
		return Resolved{}, err
	}
	var out Resolved
	err = s.Store.View(ctx, func(tx store.Tx) error {
		answer, err := s.whose(ctx, tx, in, from)
		if err != nil {
			return err
		}
		out = Resolved{Outcome: answer.Outcome.String(), Why: answer.Why}
		if answer.User != 0 {
			u, err := namedUser(ctx, tx, answer.User)
			if err != nil {
				return err
			}
			out.User = &u
		}
		for _, id := range answer.Candidates {
			u, err := namedUser(ctx, tx, id)
			if err != nil {
				return err
			}
			out.Candidates = append(out.Candidates, u)
		}
		return nil
	})
	return out, err
}

// whose asks as a job, a person at the window, or an enrolled computer would.
func (s *Server) whose(ctx context.Context, tx store.Tx, in UserResolve, from netip.Addr) (names.Answer, error) {
	job := names.Job{Owner: in.Name, Provider: in.Provider, From: from, JoinDomain: in.Join}
	q := names.Query{Text: in.Name, Facts: usermap.Facts{JoinDomain: in.Join}}
	if from.IsValid() {
		q.Facts.Addresses = []netip.Addr{from}
	}
	switch in.As {
	case "", "job":
		return names.FindOwner(ctx, tx, job, s.rules(), s.Naming.Providers, s.Clock())
	case "prompt":
	case "trust":
		q.Context, q.Attested, q.Facts.Kind = names.Trust, true, usermap.KindDomain
		domain, name, qualified := strings.Cut(in.Name, `\`)
		if !qualified {
			domain, name = "", in.Name
		}
		q.Facts.Domain, q.Facts.Name = domain, name
	default:
		return names.Answer{}, invalid("--as %q: write job, prompt or trust", in.As)
	}
	if in.Provider != "" {
		return names.Answer{}, invalid("a print provider is asked for jobs only")
	}
	return names.Find(ctx, tx, q, s.rules(), s.Clock())
}

func namedUser(ctx context.Context, tx store.Tx, id core.UserID) (NamedUser, error) {
	u, err := tx.User(ctx, id)
	if err != nil {
		return NamedUser{}, fmt.Errorf("read user %d: %w", id, err)
	}
	return shortUser(u), nil
}
