package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// Lockout is when a directory locks an account: after Threshold failures, each less than Window after the one before.
type Lockout struct {
	Threshold int // 0 is 3, negative never; 1 leaves us no try and is refused
	Window    time.Duration
}

// DefaultLockout is the strictest that is common.
func DefaultLockout() Lockout { return Lockout{Threshold: 3, Window: 30 * time.Minute} }

// Directory is a source that checks passwords.
type Directory struct {
	Checker directory.PasswordChecker
	Lockout Lockout
}

// LinkPolicy says what becomes of the short name that a computer calls a person by, once they have proven who they are.
type LinkPolicy string

// The policies.
const (
	LinkAuto   LinkPolicy = "auto"   // it becomes an alias
	LinkReview LinkPolicy = "review" // it is proposed to the administrator (users.Proposals)
	LinkOff    LinkPolicy = "off"
)

// Deps is what a Service needs.
type Deps struct {
	Store       store.Store
	Clock       clock.Clock
	Logger      *slog.Logger
	Hasher      *passhash.Hasher
	Rules       names.Rules
	Directories []Directory
	Cloud       *Cloud        // the identity provider whose people type account and password here, or would; nil for none
	Key         secret.String // at least 32 bytes, for the names of the counters; another key forgets them all
	Link        LinkPolicy    // LinkAuto when empty
	// SharedOSUsers are OS accounts that many people use: they are never linked to anybody.
	SharedOSUsers []string
}

// Attempt is one try.
type Attempt struct {
	Name     string
	Password secret.String
	Facts    usermap.Facts // what the client says about the OS account: recorded, never believed
	Address  netip.Addr    // where it comes from; forwarded headers were judged before
	Shared   bool          // the computer is used by many people
	Client   string
	Host     string
	// LocalOnly is for a place where passwords are only for accounts that are Platen's own: everybody else is as unknown, and no
	// directory and no identity provider is asked.
	LocalOnly bool
}

// Result is who it is.
type Result struct {
	User       core.User
	LinkedName string // the short name that this sign-in made an alias, empty for none
}

// maxPassword is the longest password that is looked at, in bytes. Active Directory takes 256 characters.
const maxPassword = 1024

// checkTimeout bounds a check once it has begun: it goes on when the client hangs up, so that hanging up avoids no count.
const checkTimeout = 30 * time.Second

// Service checks passwords. Safe for concurrent use.
type Service struct {
	d       Deps
	limits  *limiter
	ways    atomic.Pointer[ways]
	local   chan struct{} // tries in progress that no directory checks
	proofs  chan struct{} // proofs of other kinds in progress
	generic map[string]bool
}

// New returns a Service, or core.ErrInvalid for dependencies that cannot work.
func New(d Deps) (*Service, error) {
	if len(d.Key.Reveal()) < 32 {
		return nil, fmt.Errorf("%w: the key of the sign-in counters is shorter than 32 bytes", core.ErrInvalid)
	}
	if d.Link == "" {
		d.Link = LinkAuto
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		d: d, local: make(chan struct{}, 4*runtime.GOMAXPROCS(0)), proofs: make(chan struct{}, proofGate), generic: genericNames(d.SharedOSUsers),
		limits: &limiter{store: d.Store, key: []byte(d.Key.Reveal()), inFlight: map[string]*flight{}},
	}
	return s, s.Configure(d.Rules, d.Directories, d.Cloud)
}

// ChecksPasswords tells whether a source checks the passwords of its people itself; it fits users.Deps.
func (s *Service) ChecksPasswords(id core.SourceID) bool { return s.ways.Load().sources[id] != nil }

// Purge forgets counters that have run out.
func (s *Service) Purge(ctx context.Context) (int, error) {
	longest := halfDayWindow
	ways := s.ways.Load()
	for _, src := range ways.sources {
		longest = max(longest, src.lockout.Window)
	}
	if ways.cloud != nil {
		longest = max(longest, ways.cloud.lockout.Window)
	}
	n := 0
	err := s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
		n, err = tx.DeleteAttemptsBefore(ctx, s.d.Clock().Add(-longest))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget counters of failed sign-ins: %w", err)
	}
	return n, nil
}

// sourceGate is how many binds at most are made at one directory at a time.
const sourceGate = 16

// source is a directory with what is remembered of its latest answers.
type source struct {
	checker directory.PasswordChecker
	cloud   CloudChecker // instead of checker
	lockout Lockout
	gate    chan struct{}

	mu        sync.Mutex // guards the fields below
	failures  [16]time.Duration
	recorded  int
	downUntil time.Time
}

// downFor is how long a directory that did not answer counts as not answering for names that nobody has.
const downFor = time.Minute

// note remembers how long a failed bind took, or that there was no answer.
func (s *source) note(now time.Time, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, core.ErrUnavailable) {
		s.downUntil = now.Add(downFor)
		return
	}
	s.downUntil = time.Time{}
	if err != nil {
		s.failures[s.recorded%len(s.failures)] = took
		s.recorded++
	}
}

// typical returns what the directory would have answered to a failed bind, and after how long.
func (s *source) typical(now time.Time, pick func(n int) int) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.downUntil) {
		return 0, core.ErrUnavailable
	}
	if n := min(s.recorded, len(s.failures)); n > 0 {
		return min(s.failures[pick(n)], checkTimeout), nil
	}
	return 0, nil
}
