package tokenstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/platenprint/platen/internal/clock"
)

// DefaultTimeout is how long one call of the keyring may take.
const DefaultTimeout = 3 * time.Second

const (
	defaultService = "Platen"
	keyAccount     = "sealing-key"
)

// Options say where and for whom a Store keeps things.
type Options struct {
	Dir       string        // the folder for the files; made with mode 0700
	ServerURL string        // the server whose session is kept; part of what the files are bound to
	OSUser    string        // the OS account for good (osuser.Account.Key); part of what the files are bound to
	Service   string        // the name in the OS keyring; "Platen" if empty
	Keyring   Keyring       // the operating system's if nil
	Timeout   time.Duration // for one call of the keyring; DefaultTimeout if zero
	Clock     clock.Clock   // clock.System if nil
	Log       *slog.Logger  // none if nil
}

// Status says whether what is saved outlives the program.
type Status struct {
	Persistent bool         `json:"persistent"`
	Keyring    Availability `json:"keyring"`
	// Reason says in an English sentence why nothing is persistent; empty if it is.
	Reason string `json:"reason,omitempty"`
}

// Store keeps the session of one OS account at one server. It is safe for concurrent use.
type Store struct {
	opts  Options
	owner owner
	guard *guard

	mu     sync.Mutex // guards the fields below, also over calls of the keyring, which have a deadline
	key    key        // once it is known
	tokens *Tokens    // what Save was given last
	note   []byte

	microsoft []byte

	statusMu sync.Mutex
	status   Status
}

// Open prepares a store and probes the keyring, which takes at most the Timeout. It never fails: what does not work
// shows in Status.
func Open(ctx context.Context, opts Options) *Store {
	if opts.Service == "" {
		opts.Service = defaultService
	}
	if opts.Keyring == nil {
		opts.Keyring = system{}
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Clock == nil {
		opts.Clock = clock.System
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.ServerURL = strings.TrimRight(opts.ServerURL, "/")
	s := &Store{opts: opts, owner: owner{serverURL: opts.ServerURL, osUser: opts.OSUser}, guard: newGuard(opts.Timeout)}
	s.setStatus(s.Probe(ctx), nil)
	return s
}

// Probe tells whether the keyring can be used now, within the Timeout. It prompts nobody.
func (s *Store) Probe(ctx context.Context) Availability {
	found, err := guarded(ctx, s.guard, func(ctx context.Context) (Availability, error) { return s.opts.Keyring.Probe(ctx), nil })
	if err != nil {
		return Availability{Unresponsive, "the keyring was asked whether it is there: " + err.Error()}
	}
	return found
}

// Status says whether what is saved outlives the program, as far as is known: by the probe of Open at first, then by the
// last Save.
func (s *Store) Status() Status {
	s.statusMu.Lock()
	defer s.statusMu.Unlock()
	return s.status
}

// Persistent is Status().Persistent.
func (s *Store) Persistent() bool { return s.Status().Persistent }

// setStatus notes how the last attempt went: err is of the disk, found of the keyring.
func (s *Store) setStatus(found Availability, err error) {
	status := Status{Persistent: found.State == Available && err == nil, Keyring: found}
	switch {
	case err != nil:
		status.Reason = err.Error()
	case found.State != Available:
		status.Reason = found.Reason
	}
	s.statusMu.Lock()
	before := s.status
	s.status = status
	s.statusMu.Unlock()
	if before.Keyring.State != status.Keyring.State || before.Persistent != status.Persistent {
		s.opts.Log.Info("token store", "persistent", status.Persistent, "keyring", string(status.Keyring.State), "reason", status.Reason)
	}
}

// Load returns the kept session. Errors: ErrNone, ErrUnavailable (the file is left alone: the keyring may be there next
// time), ErrForeign and ErrDamaged (the file was moved aside: sign in again), else of the file system.
func (s *Store) Load(ctx context.Context) (Tokens, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens != nil {
		return *s.tokens, nil
	}
	plain, err := s.read(ctx, kindTokens)
	if err != nil {
		return Tokens{}, fmt.Errorf("load the session kept for %s: %w", s.owner.serverURL, err)
	}
	tokens, err := decodeTokens(plain)
	if err != nil {
		return Tokens{}, fmt.Errorf("load the session kept for %s: %w", s.owner.serverURL, s.moveAside(kindTokens, err))
	}
	s.tokens = &tokens
	return tokens, nil
}

// Save keeps the session in place of an older one: in memory always, and on disk if the keyring can be used. That it
// cannot is no error; see Status. An error says that the disk failed; the session is kept in memory then too.
func (s *Store) Save(ctx context.Context, tokens Tokens) error {
	tokens.ServerURL = strings.TrimRight(tokens.ServerURL, "/")
	if tokens.ServerURL != "" && tokens.ServerURL != s.owner.serverURL {
		return fmt.Errorf("keep the session for %s: its tokens are those of %s", s.owner.serverURL, tokens.ServerURL)
	}
	tokens.ServerURL, tokens.SavedAt = s.owner.serverURL, s.opts.Clock().UTC()
	plain, err := tokens.encode()
	if err != nil {
		return fmt.Errorf("keep the session for %s: %w", s.owner.serverURL, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = &tokens
	if err := s.write(ctx, kindTokens, plain); err != nil {
		return fmt.Errorf("keep the session for %s: %w", s.owner.serverURL, err)
	}
	return nil
}

// LoadNote returns what SaveNote kept; errors as of Load.
func (s *Store) LoadNote(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.note != nil {
		return bytes.Clone(s.note), nil
	}
	plain, err := s.read(ctx, kindNote)
	if err != nil {
		return nil, fmt.Errorf("load the note kept for %s: %w", s.owner.serverURL, err)
	}
	s.note = plain
	return bytes.Clone(plain), nil
}

// SaveNote keeps a small document (at most 512 KiB) of the session's own, sealed like the tokens and removed with them.
func (s *Store) SaveNote(ctx context.Context, note []byte) error {
	if len(note) > maxSealed/2 {
		return fmt.Errorf("keep the note for %s: it has %d bytes, at most %d are allowed", s.owner.serverURL, len(note), maxSealed/2)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note = append([]byte{}, note...)
	if err := s.write(ctx, kindNote, note); err != nil {
		return fmt.Errorf("keep the note for %s: %w", s.owner.serverURL, err)
	}
	return nil
}

// Clear forgets session, note and the sign-in with Microsoft, in memory and on disk, and the key too once no other server's session needs it. An
// error says that a file could not be removed.
func (s *Store) Clear(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens, s.note, s.microsoft = nil, nil, nil
	var err error
	for _, kd := range []kind{kindTokens, kindNote, kindMicrosoft} {
		path := s.path(kd)
		removeLeftovers(path)
		err = errors.Join(err, removeFile(path), removeFile(path+asideExt))
	}
	if err != nil {
		return fmt.Errorf("forget the session for %s: %w", s.owner.serverURL, err)
	}
	s.dropKey(ctx)
	return nil
}

// path names the file of a document by its server; whose it is stands inside.
func (s *Store) path(kd kind) string {
	sum := sha256.Sum256([]byte(s.owner.serverURL))
	name := map[kind]string{kindTokens: "session-", kindNote: "note-", kindMicrosoft: "microsoft-"}[kd]
	return filepath.Join(s.opts.Dir, name+hex.EncodeToString(sum[:8])+sealedExt)
}

// read opens a sealed file. What cannot be read for good is moved aside.
func (s *Store) read(ctx context.Context, kd kind) ([]byte, error) {
	sealed, err := readFile(s.path(kd))
	if err == nil {
		err = checkHeader(kd, s.owner, sealed) // before the keyring is asked
	}
	if err != nil {
		return nil, s.moveAside(kd, err)
	}
	k, err := s.findKey(ctx)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, s.moveAside(kd, fmt.Errorf("%w: the keyring has no key for it any more", ErrForeign))
	}
	if err != nil {
		return nil, err
	}
	plain, err := k.open(kd, s.owner, sealed)
	if err != nil {
		return nil, s.moveAside(kd, err)
	}
	return plain, nil
}

// moveAside renames a file that is damaged or foreign, and returns err.
func (s *Store) moveAside(kd kind, err error) error {
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
		return err
	}
	path := s.path(kd)
	s.opts.Log.Warn("moved a file of the token store aside", "path", path+asideExt, "error", err)
	if renameErr := os.Rename(path, path+asideExt); renameErr != nil {
		return fmt.Errorf("%w (and it could not be moved aside: %w)", err, renameErr)
	}
	return err
}

// write seals a document. Where that is not possible an older file is removed: its refresh token is spent, and using a
// spent token again would look like theft to the server. The end of ctx does not stop it, for a program that ends has
// its newest token to keep; the keyring's deadline does.
func (s *Store) write(ctx context.Context, kd kind, plain []byte) error {
	ctx = context.WithoutCancel(ctx)
	k, err := s.makeKey(ctx)
	if err != nil {
		var gone *UnavailableError
		if !errors.As(err, &gone) {
			return errors.Join(err, removeFile(s.path(kd)))
		}
		s.setStatus(gone.Availability, nil)
		return removeFile(s.path(kd))
	}
	sealed, err := k.seal(kd, s.owner, plain)
	if err == nil {
		err = writeFile(s.path(kd), sealed)
	}
	if err != nil {
		err = errors.Join(err, removeFile(s.path(kd)))
	}
	s.setStatus(Availability{State: Available}, err)
	return err
}

// findKey returns the key of the keyring: keyring.ErrNotFound if it has none, ErrUnavailable if it cannot be asked.
func (s *Store) findKey(ctx context.Context) (key, error) {
	if s.key.raw != nil {
		return s.key, nil
	}
	if found := s.Probe(ctx); found.State != Available {
		return key{}, &UnavailableError{found}
	}
	text, err := guarded(ctx, s.guard, func(context.Context) (string, error) { return s.opts.Keyring.Get(s.opts.Service, keyAccount) })
	if errors.Is(err, keyring.ErrNotFound) {
		return key{}, err
	}
	if err != nil {
		return key{}, unavailable("read the key", err)
	}
	k, ok := parseKey(text)
	if !ok {
		return key{}, fmt.Errorf("the keyring has something else in place of our key: %w", keyring.ErrNotFound)
	}
	s.key = k
	return k, nil
}

// makeKey is findKey, and makes a key if there is none. It is read back: another session of the same OS account may
// have been faster, and there are keyrings that keep nothing.
func (s *Store) makeKey(ctx context.Context) (key, error) {
	k, err := s.findKey(ctx)
	if !errors.Is(err, keyring.ErrNotFound) {
		return k, err
	}
	text := newKey().text()
	_, err = guarded(ctx, s.guard, func(context.Context) (struct{}, error) {
		return struct{}{}, s.opts.Keyring.Set(s.opts.Service, keyAccount, text)
	})
	if err != nil {
		return key{}, unavailable("keep a new key", err)
	}
	k, err = s.findKey(ctx)
	if errors.Is(err, keyring.ErrNotFound) {
		return key{}, &UnavailableError{Availability{Failing, "the keyring does not keep what it is given"}}
	}
	return k, err
}

// dropKey forgets the key and removes it from the keyring, unless another file still needs it. Failing that is no harm:
// without files the key opens nothing.
func (s *Store) dropKey(ctx context.Context) {
	s.key = key{}
	sealed := func(name string) bool { return strings.HasSuffix(name, sealedExt) }
	if slices.ContainsFunc(filesIn(s.opts.Dir), sealed) || s.Probe(ctx).State != Available {
		return
	}
	_, err := guarded(ctx, s.guard, func(context.Context) (struct{}, error) {
		return struct{}{}, s.opts.Keyring.Delete(s.opts.Service, keyAccount)
	})
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		s.opts.Log.Warn("could not remove the key from the keyring", "error", err)
	}
}
