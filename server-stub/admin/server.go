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
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// actor is who did it, for the audit log and the ledger.
const actor = "admin"

// Directories are the configured sources.
type Directories interface {
	// IDs lists them in the order of the configuration.
	IDs() []core.SourceID
	// Sync synchronises one now; a reason in approve lets it pass the brake. core.ErrNotFound for an unknown one. The run
	// is filled in also when there is an error.
	Sync(ctx context.Context, id core.SourceID, approve string) (core.SyncRun, error)
	// Check asks one whether it answers, in one sentence.
	Check(ctx context.Context, id core.SourceID) (string, error)
}

// Deps is what the commands work with. All are needed.
type Deps struct {
	Store       store.Store
	Users       *users.Service
	Sessions    *sessions.Manager
	Roles       *roles.Service
	Ledger      *ledger.Ledger
	Directories Directories
	Naming      Naming
	Devices     *deviceauth.Service
	EnrolAt     func() EnrolAt
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
	serve func(ctx context.Context, body []byte, progress func(Progress)) (any, error)
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
	on(s, VerbCapabilities, s.capabilities)
	onLong(s, VerbSyncRun, s.syncRun)
	on(s, VerbSyncRuns, s.syncRuns)
	on(s, VerbSyncCheck, s.syncCheck)
	s.deviceRoutes()
	s.nameRoutes()
	s.groupRoutes()
}

// on adds a verb.
func on[I, O any](s *Server, name string, serve func(context.Context, I) (O, error)) {
	onLong(s, name, func(ctx context.Context, in I, _ func(Progress)) (O, error) { return serve(ctx, in) })
}

// onLong adds a verb that tells how far it is.
func onLong[I, O any](s *Server, name string, serve func(context.Context, I, func(Progress)) (O, error)) {
	limit := int64(maxCall)
	if name == VerbUserImport {
		limit = maxImportCall
	}
	s.verbs[name] = verb{limit, func(ctx context.Context, body []byte, progress func(Progress)) (any, error) {
		var in I
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, invalid("the call is not as it must be; the command and the server may be of different versions")
		}
		return serve(ctx, in, progress)
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
	result, err := v.serve(r.Context(), body, func(p Progress) {
		_ = json.NewEncoder(w).Encode(message{Progress: &p}) // the caller may be gone
		_ = http.NewResponseController(w).Flush()
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
	if err != nil && st.Problem == "" {
		st.Problem = err.Error()
	}
	return st, nil
}

func (s *Server) configShow(context.Context, Nothing) (ConfigShow, error) {
	return ConfigShow{Settings: s.Settings}, nil
}
