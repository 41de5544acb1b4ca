package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
)

// The follower's times.
const (
	callTimeout   = 15 * time.Second // one request
	pollEvery     = 15 * time.Second // while a proxy holds the stream back
	streamRetry   = 10 * time.Minute // until a silent stream is tried again then
	hastyRetry    = time.Minute      // until streams that ended too soon are tried again
	stableAfter   = 30 * time.Second // a connection that lived this long starts the backoff anew
	hastyStreams  = 3                // so many streams in a row that end before they prove to work count as held back
	refreshMargin = time.Minute      // before the access token expires, at most a quarter of what is left
	refreshFloor  = 5 * time.Second  // between two refreshes, whatever the clocks say
	refreshGrace  = 2 * time.Second  // for a refresh under way when the program ends: a lost answer could sign people out
	maxRetryAfter = 10 * time.Minute // the longest wait a server can ask for
)

// newsKind says what the follower has to tell.
type newsKind int

const (
	newsTokens  newsKind = iota // tokens and keyring
	newsBalance                 // balance: connected, by connection
	newsHeard                   // the balance is still right
	newsDropped                 // the connection broke; it may be back in a second
	newsLost                    // the server cannot be reached or used: err
	newsOver                    // the session has ended: err. The follower is done.
)

type news struct {
	kind       newsKind
	tokens     Tokens
	keyring    status.Keyring
	balance    api.Balance
	connection status.Connection
	skew       time.Duration // with newsBalance: the server's clock less ours
	err        error
}

// over wraps the error that ended the session for good.
type over struct{ error }

func (o over) Unwrap() error { return o.error }

var (
	errDropped   = errors.New("the event stream ended")
	errSignedOut = errors.New("the server ended the session")
)

// follower keeps one signed-in session alive. Everything here belongs to the goroutine of run.
type follower struct {
	server  Server
	clock   clock.Clock
	keep    func(context.Context, Tokens) status.Keyring // puts tokens into the vault; nil: memory only
	tell    func(news)
	kick    <-chan struct{} // somebody wants it tried now
	backoff backoff

	tokens    Tokens // Access is empty when it is known to be of no use
	skew      time.Duration
	refreshed time.Time // the last refresh, by our clock

	buffered bool      // a proxy holds the stream back: poll
	streamAt time.Time // when to try the stream again then
	hasty    int       // streams in a row that ended unproven
}

// run works until ctx ends or the session is over.
func (f *follower) run(ctx context.Context) {
	for {
		began := f.clock()
		connected, err := f.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if o, ok := errors.AsType[over](err); ok {
			f.tell(news{kind: newsOver, err: o.error})
			return
		}
		if connected && f.clock().Sub(began) >= stableAfter {
			f.backoff.reset()
		}
		if errors.Is(err, errDropped) {
			f.tell(news{kind: newsDropped})
		} else {
			f.tell(news{kind: newsLost, err: err})
		}
		f.rest(ctx, f.delay(err))
	}
}

// delay is the backoff, or later when the server asked for it.
func (f *follower) delay(err error) time.Duration {
	d := f.backoff.next()
	if e, ok := errors.AsType[*Error](err); ok && !e.Problem.RetryAt.IsZero() {
		d = max(d, min(maxRetryAfter, e.Problem.RetryAt.Sub(f.now())))
	}
	return d
}

// now is the server's time, as far as it is known.
func (f *follower) now() time.Time { return f.clock().Add(f.skew) }

func (f *follower) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.kick:
	case <-ctx.Done():
	}
}

// once connects, and stays connected as long as it can. connected tells whether it got that far.
func (f *follower) once(ctx context.Context) (connected bool, err error) {
	if f.tokens.Access.Empty() || !f.tokens.AccessExpires.After(f.now()) {
		if err := f.refresh(ctx); err != nil {
			return false, err
		}
	}
	b, err := f.balance(ctx)
	if err != nil {
		return false, err
	}
	f.tell(news{kind: newsBalance, balance: b, connection: f.connection(), skew: f.skew})
	err = f.watch(ctx, b.Version)
	if errors.Is(err, errSignedOut) {
		err = f.afterSignedOut(ctx)
	}
	return true, err
}

func (f *follower) connection() status.Connection {
	if f.buffered {
		return status.ConnectionPolling
	}
	return status.ConnectionStream
}

// balance reads the balance, with a fresh token if need be.
func (f *follower) balance(ctx context.Context) (api.Balance, error) {
	b, err := f.readBalance(ctx)
	if useless(err) {
		if err = f.refresh(ctx); err != nil {
			return api.Balance{}, err
		}
		b, err = f.readBalance(ctx)
	}
	switch {
	case err == nil:
		if !b.At.IsZero() {
			f.skew = b.At.Sub(f.clock())
		}
	case useless(err):
		f.tokens.Access = secret.String{}
	case disabled(err) || notListed(err):
		return b, over{err}
	}
	return b, err
}

func (f *follower) readBalance(ctx context.Context) (api.Balance, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f.server.Balance(ctx, f.tokens.Access)
}

// refresh gets new tokens and takes them.
func (f *follower) refresh(ctx context.Context) error {
	if wait := refreshFloor - f.clock().Sub(f.refreshed); wait > 0 && !f.refreshed.IsZero() {
		f.rest(ctx, wait)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	t, keyring, err := f.trade(ctx, f.tokens.Refresh)
	if err == nil {
		f.adopt(t, keyring)
	}
	return err
}

// trade trades the refresh token and keeps the new one in the vault before anybody uses it: until then the old one is
// what the vault has, and the server takes it once more. It touches no field that run changes meanwhile.
func (f *follower) trade(ctx context.Context, old secret.String) (Tokens, status.Keyring, error) {
	ctx, cancel := linger(ctx, callTimeout, refreshGrace)
	defer cancel()
	t, err := f.server.Refresh(ctx, old)
	if useless(err) || disabled(err) || notListed(err) {
		return t, status.KeyringUnknown, over{err}
	}
	if err != nil || f.keep == nil {
		return t, status.KeyringUnknown, err
	}
	return t, f.keep(ctx, t), nil
}

func (f *follower) adopt(t Tokens, keyring status.Keyring) {
	f.tokens, f.refreshed = t, f.clock()
	f.tell(news{kind: newsTokens, tokens: t, keyring: keyring})
}

// refreshIn is how long to wait until the access token should be renewed.
func (f *follower) refreshIn() time.Duration {
	left := f.tokens.AccessExpires.Sub(f.now())
	return max(refreshFloor, left-min(refreshMargin, left/4))
}

// watch follows the stream from version on (or polls, or both while it is not sure that the stream works) and renews the
// token in time. It returns why it ended.
func (f *follower) watch(ctx context.Context, version int64) error {
	inner, cancel := context.WithCancel(ctx)
	w := &watch{follower: f, version: version, renewed: make(chan traded, 1), renewals: backoff{jitter: f.backoff.jitter}}
	defer func() {
		cancel()
		w.tasks.Wait()
		w.collect() // new tokens that came too late for the loop
	}()
	if f.buffered && f.clock().Before(f.streamAt) {
		w.toPolling()
	} else {
		w.stream = w.open(inner)
		w.pollLater(f.buffered)
	}
	renew := time.NewTimer(f.refreshIn())
	defer renew.Stop()
	for {
		var events <-chan Event
		var done <-chan error
		if w.stream != nil {
			events, done = w.stream.events, w.stream.done
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-events:
			if e.Kind == EventSignedOut {
				return errSignedOut
			}
			w.hear(e)
		case end := <-done:
			err = w.ended(inner, end)
		case <-w.poll:
			err = w.read(inner)
		case <-w.tryAgain:
			w.stream, w.tryAgain = w.open(inner), nil
		case <-f.kick:
			if f.buffered {
				err = w.read(inner)
			}
		case <-renew.C:
			w.renew(inner)
		case r := <-w.renewed:
			var wait time.Duration
			if wait, err = w.take(r); err == nil {
				renew.Reset(wait)
			}
		}
		if err != nil {
			return err
		}
	}
}

// watch is one connection of a follower.
type watch struct {
	*follower
	tasks   sync.WaitGroup
	version int64 // of the newest balance

	stream   *stream          // nil while it is not worth trying
	poll     <-chan time.Time // nil while the stream is trusted
	tryAgain <-chan time.Time

	renewing bool
	renewed  chan traded
	renewals backoff
}

// stream is one call of Server.Follow.
type stream struct {
	events chan Event
	done   chan error
	opened bool // the answer's head is here; a proxy may still hold back the rest
	proven bool // something came after it
}

// traded is the outcome of a trade made beside the stream.
type traded struct {
	tokens  Tokens
	keyring status.Keyring
	err     error
}

func (w *watch) open(ctx context.Context) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{events: make(chan Event), done: make(chan error, 1)}
	access, version := w.tokens.Access, w.version
	w.tasks.Go(func() {
		defer cancel()
		s.done <- w.server.Follow(ctx, access, version, func(e Event) {
			select {
			case s.events <- e:
			case <-ctx.Done():
			}
		})
	})
	return s
}

// hear takes a heartbeat or a balance: the stream works.
func (w *watch) hear(e Event) {
	switch s := w.stream; {
	case !s.opened && e.Kind == EventHeartbeat: // Follow says that it is open
		s.opened = true
	case !s.proven:
		s.opened, s.proven = true, true
		w.buffered, w.hasty, w.poll = false, 0, nil
	}
	if e.Kind != EventBalance || e.Balance.Version < w.version { // older than what a poll brought
		w.tell(news{kind: newsHeard, connection: w.connection()})
		return
	}
	w.version = e.Balance.Version
	w.tell(news{kind: newsBalance, balance: e.Balance, connection: w.connection(), skew: w.skew})
}

// ended decides what the end of the stream means: nil to go on by polling.
func (w *watch) ended(ctx context.Context, err error) error {
	switch {
	case disabled(err) || notListed(err):
		return over{err}
	case useless(err):
		w.tokens.Access = secret.String{}
		return errDropped
	case w.stream.proven:
		return errDropped
	}
	retry := hastyRetry
	if errors.Is(err, ErrSilent) {
		retry = streamRetry
	} else if w.hasty++; !w.buffered && w.hasty < hastyStreams {
		return errDropped
	}
	w.streamAt = w.clock().Add(retry)
	w.toPolling()
	return w.read(ctx) // at once: silence may have hidden a change
}

func (w *watch) toPolling() {
	w.stream, w.buffered = nil, true
	w.tryAgain = time.After(w.streamAt.Sub(w.clock()))
	w.pollLater(true)
}

func (w *watch) pollLater(wanted bool) {
	w.poll = nil
	if wanted {
		w.poll = time.After(pollEvery)
	}
}

// read polls.
func (w *watch) read(ctx context.Context) error {
	if w.renewing { // a second refresh beside the first would look like a stolen token
		w.poll = time.After(minDelay)
		return nil
	}
	b, err := w.balance(ctx)
	if err != nil {
		return err
	}
	w.version = b.Version
	w.tell(news{kind: newsBalance, balance: b, connection: w.connection(), skew: w.skew})
	w.pollLater(true)
	return nil
}

// renew trades the token beside the stream.
func (w *watch) renew(ctx context.Context) {
	w.renewing = true
	old := w.tokens.Refresh
	w.tasks.Go(func() {
		t, keyring, err := w.trade(ctx, old)
		w.renewed <- traded{t, keyring, err}
	})
}

// take takes what renew brought, and says when to renew the next time. It fails only when the session is over.
func (w *watch) take(r traded) (time.Duration, error) {
	w.renewing = false
	if _, ended := errors.AsType[over](r.err); ended {
		return 0, r.err
	}
	if r.err != nil {
		return w.renewals.next(), nil
	}
	w.adopt(r.tokens, r.keyring)
	w.renewals.reset()
	return w.refreshIn(), nil
}

// collect takes new tokens that came after the loop had ended.
func (w *watch) collect() {
	select {
	case r := <-w.renewed:
		_, _ = w.take(r) // an end of the session shows again at the next refresh
	default:
	}
}

// afterSignedOut asks the server for the reason: its answer to the refresh token tells whether the account was disabled.
func (f *follower) afterSignedOut(ctx context.Context) error {
	t, keyring, err := f.trade(ctx, f.tokens.Refresh)
	if err == nil {
		f.adopt(t, keyring) // only the stream ended
		return errDropped
	}
	if _, ended := errors.AsType[over](err); ended {
		return err
	}
	return over{&Error{Code: api.CodeSessionEnded, Problem: status.Problem{Code: status.ProblemNone}, Err: errSignedOut}}
}

// useless tells whether the token is what the server refused.
func useless(err error) bool {
	return code(err) == api.CodeUnauthenticated || code(err) == api.CodeSessionEnded
}

// disabled tells whether the person may not be signed in, whatever the token.
func disabled(err error) bool {
	return code(err) == api.CodeAccountDisabled || code(err) == api.CodePasswordExpired
}

// linger returns a context that ends after timeout, or grace after ctx.
func linger(ctx context.Context, timeout, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return out, func() { stop(); cancel() }
}
