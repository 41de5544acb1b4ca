package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// actor is who did it, for the audit log and the ledger.
const actor = "admin"

// Directories are the sources that people come from. Where an id is not known the error is core.ErrNotFound.
type Directories interface {
	// IDs lists them: those of the configuration in its order, then the others.
	IDs() []core.SourceID
	List(ctx context.Context) ([]Directory, error)
	// Show is one of the list with everything about it.
	Show(ctx context.Context, id core.SourceID) (Directory, error)
	// Check asks one whether it answers, in one sentence.
	Check(ctx context.Context, id core.SourceID) (string, error)

	Add(ctx context.Context, actor string, in DirectoryAdd) (DirectoryAdded, error)
	Set(ctx context.Context, actor string, in DirectorySet) (DirectoryAdded, error)
	// Remove tells how many people of it stay.
	Remove(ctx context.Context, actor string, id core.SourceID) (int, error)
	Schedule(ctx context.Context, actor string, in DirectorySchedule) (Directory, error)

	// Plan reads one and keeps what a run would change. It and Apply answer ErrSends for one that is not read.
	Plan(ctx context.Context, id core.SourceID, full bool) (dirsync.PlanHead, error)
	// Changes hands out what a kept plan would change as things stand now.
	Changes(ctx context.Context, plan string, yield func(dirsync.Change) error) (dirsync.PlanHead, error)
	// Apply synchronises one now, or applies the plan; the reason lets a plan pass the brake. The run is filled in also when there is
	// an error.
	Apply(ctx context.Context, actor string, id core.SourceID, plan, reason string) (core.SyncRun, error)
	// Undo takes a run of the directory back.
	Undo(ctx context.Context, id core.SourceID, run int64, reason string) (core.SyncRun, error)
	// Records says what directories, or the one with that id, say of a person. keys are identities of them; without any they are
	// looked for by name.
	Records(ctx context.Context, id core.SourceID, keys []core.ExternalIdentity, name string) ([]WhyRecord, error)
}

// Deps is what the commands work with. All but Mail are needed.
type Deps struct {
	Store       store.Store
	Users       *users.Service
	Sessions    *sessions.Manager
	Roles       *roles.Service
	Ledger      *ledger.Ledger
	Directories Directories
	Naming      Naming
	Credentials *credentials.Service
	Mail        *mail.Service // nil where no mail is sent
	Devices     *deviceauth.Service
	EnrolAt     func() EnrolAt
	Kit         func() Kit
	Settings    []config.Setting
	Currency    core.Currency
	// Status fills in what the assembly knows; Users is counted here.
	Status func(context.Context) Status
	// Capabilities answers the comparison table for this server.
	Capabilities func(context.Context) (api.Capabilities, error)
	// Backup writes a whole backup.
	Backup func(context.Context, io.Writer) error
	Clock  clock.Clock
	Logger *slog.Logger
}

// Server answers commands.
type Server struct {
	Deps
	http  *http.Server
	verbs map[string]verb
}

// verb answers one kind of call.
type verb struct {
	limit int64
	serve func(ctx context.Context, body []byte, tell func(message)) (any, error)
}

// NewServer makes the server of the commands.
func NewServer(d Deps) *Server {
	s := &Server{Deps: d, verbs: map[string]verb{}}
	s.routes()
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.handle), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(d.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// routes has every verb there is, but for backup.create, which answers with a file.
func (s *Server) routes() {
	on(s, VerbStatus, s.status)
	on(s, VerbUserAdd, s.userAdd)
	on(s, VerbUserImport, s.userImport)
	on(s, VerbUserCredit, s.userCredit)
	on(s, VerbUserList, s.userList)
	on(s, VerbUserShow, s.userShow)
	on(s, VerbUserSet, s.userSet)
	on(s, VerbUserAlias, s.userAlias)
	on(s, VerbUserDisable, s.userDisable)
	on(s, VerbUserEnable, s.userEnable)
	on(s, VerbUserErase, s.userErase)
	on(s, VerbUserSessions, s.userSessions)
	on(s, VerbUserRole, s.userRole)
	on(s, VerbSessionRevoke, s.sessionRevoke)
	on(s, VerbNameFree, s.nameFree)
	on(s, VerbProposals, s.proposals)
	on(s, VerbDecide, s.decide)
	on(s, VerbLedgerShow, s.ledgerShow)
	onLong(s, VerbLedgerVerify, s.ledgerVerify)
	on(s, VerbConfigShow, s.configShow)
	on(s, VerbKit, s.kit)
	s.credentialRoutes()
	on(s, VerbCapabilities, s.capabilities)
	s.directoryRoutes()
	s.deviceRoutes()
	s.nameRoutes()
	s.groupRoutes()
	s.scimRoutes()
}

// on adds a verb.
func on[I, O any](s *Server, name string, serve func(context.Context, I) (O, error)) {
	onLong(s, name, func(ctx context.Context, in I, _ func(Progress)) (O, error) { return serve(ctx, in) })
}

// onLong adds a verb that tells how far it is.
func onLong[I, O any](s *Server, name string, serve func(context.Context, I, func(Progress)) (O, error)) {
	onStream(s, name, func(ctx context.Context, in I, progress func(Progress), _ func(any) error) (O, error) {
		return serve(ctx, in, progress)
	})
}

// onStream adds a verb that hands out many items before its answer.
func onStream[I, O any](s *Server, name string, serve func(ctx context.Context, in I, progress func(Progress), item func(any) error) (O, error)) {
	limit := int64(maxCall)
	if name == VerbUserImport {
		limit = maxImportCall
	}
	s.verbs[name] = verb{limit, func(ctx context.Context, body []byte, tell func(message)) (any, error) {
		var in I
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, invalid("the call is not as it must be; the command and the server may be of different versions")
		}
		return serve(ctx, in, func(p Progress) { tell(message{Progress: &p}) }, func(item any) error {
			text, err := json.Marshal(item)
			if err != nil {
				return fmt.Errorf("write a part of the answer: %w", err)
			}
			tell(message{Item: text})
			return ctx.Err()
		})
	}}
}

// Serve answers on l until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve commands: %w", err)
	}
	return nil
}

// Shutdown waits for calls in progress until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	v, known := s.verbs[name]
	switch {
	case ok && name == VerbBackupCreate && r.Method == http.MethodPost:
		s.backup(w, r)
		return
	case !ok || !known || r.Method != http.MethodPost:
		answer(w, nil, fmt.Errorf("%w: the server does not know the command %q; it may be older than this program", core.ErrNotFound, name))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, v.limit))
	if err != nil {
		answer(w, nil, invalid("the call is larger than %d MiB", v.limit>>20))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	result, err := v.serve(r.Context(), body, func(m message) {
		_ = json.NewEncoder(w).Encode(m) // the caller may be gone
		if m.Progress != nil {
			_ = http.NewResponseController(w).Flush()
		}
	})
	if err != nil && KindOf(err) == "failed" {
		s.Logger.ErrorContext(r.Context(), "command failed", "verb", name, "error", err)
	}
	answer(w, result, err)
}

// answer writes the last line.
func answer(w io.Writer, result any, err error) {
	m := message{}
	if err == nil {
		if m.Result, err = json.Marshal(result); err != nil {
			err = fmt.Errorf("write the answer: %w", err)
		}
	}
	if err != nil {
		m = message{Error: &wireError{KindOf(err), err.Error()}}
	}
	_ = json.NewEncoder(w).Encode(m) // the caller may be gone
}

func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", trailerWhole)
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := s.Backup(r.Context(), w); err != nil {
		s.Logger.ErrorContext(r.Context(), "backup failed", "error", err)
		w.Header().Set(trailerWhole, "no: "+strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	w.Header().Set(trailerWhole, "yes")
}

func (s *Server) status(ctx context.Context, _ Nothing) (Status, error) {
	st := s.Status(ctx)
	err := s.Store.View(ctx, func(tx store.Tx) (err error) {
		st.Users, err = tx.CountUsers(ctx, store.UserFilter{})
		return err
	})
	var listErr error
	st.Directories, listErr = s.Directories.List(ctx)
	if err = errors.Join(err, listErr); err != nil && st.Problem == "" {
		st.Problem = err.Error()
	}
	return st, nil
}

func (s *Server) configShow(context.Context, Nothing) (ConfigShow, error) {
	return ConfigShow{Settings: s.Settings}, nil
}
