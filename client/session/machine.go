package session

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// The machine's times.
const (
	startPatience = 10 * time.Second // then "offline" is shown, even if the server may still answer (UX 1)
	siteFresh     = time.Hour        // how long the site's settings count as known
	noteDelay     = 5 * time.Second  // changes of the balance within it are noted together
	stopPatience  = 3 * time.Second  // for farewells at the end
)

// machine is the state. Only the goroutine of Session.Run touches it.
type machine struct {
	*Session
	logger *slog.Logger
	keeper *keeper
	tasks  sync.WaitGroup

	who        Who
	identified bool      // it is known who this is, and whether somebody is kept
	early      []command // sign-ins and sign-outs that came before that
	stopping   bool
	deciding   bool // what the person says of a server is being remembered

	in      *signedIn // who is signed in; nil: nobody
	aside   *unlisted // whose session waits until a directory lists them again; nil: nobody's, or somebody is signed in
	attempt *attempt  // a sign-in under way
	silence silence   // signing in without a question
	prefer  status.Method
	entra   order // what is done with the memory of Microsoft, one after the other

	policy      Policy // what was decided for this computer
	policyFails int    // in a row
	policyWait  backoff
	policyTimer *time.Timer

	browser   bool // a browser can be opened here
	microsoft bool // people may be sent to the authority that the site names

	ask       status.Ask // what the window is for while nobody is signed in
	dismissed bool       // "not now": do not ask by ourselves any more
	prefill   string     // instead of who.Prefill, when not empty
	newName   string

	balance   api.Balance // the zero value: none is known
	balanceAt time.Time   // when it was last known to be right
	stale     bool
	user      *api.User // whose it is; stays when a session ended by itself

	site      api.ClientConfig // the zero value: not known
	siteAt    time.Time        // when it was fetched; zero: never
	siteBusy  bool
	siteWait  backoff
	siteTimer *time.Timer   // the next attempt
	siteReady chan struct{} // closed when the site is known for the first time
	skew      time.Duration // the server's clock less ours

	problem *status.Problem
	keyring status.Keyring

	unattended Unattended
	blind      bool // it was said that nobody can tell who is here

	noTray   bool
	opened   uint64 // how often the window was asked for
	openPage status.Page
}

// signedIn is one session at the server.
type signedIn struct {
	epoch      int
	stay       bool // kept in the vault
	tokens     Tokens
	connected  bool
	lost       bool // the last attempt failed
	connection status.Connection
	kept       bool          // found in the vault
	method     status.Method // how they signed in; empty: not known any more
	account    string        // with Microsoft: who they are there
	vouched    bool          // in this run, because the computer vouched for them
	inBrowser  bool          // in this run, in a browser
	since      time.Time
	first      []command // the sign-ins that wait for the first balance
	noting     bool      // a note will be written soon
	away       away      // shared computers: whether the person has left
	cancel     context.CancelFunc
	kick       chan struct{}
	done       chan struct{} // closed when the follower has ended
}

func newMachine(s *Session) *machine {
	m := &machine{Session: s, logger: s.deps.Logger, keeper: newKeeper(s.deps.Vault, s.deps.Logger)}
	m.siteWait.jitter, m.silence.wait.jitter, m.policyWait.jitter = s.deps.Jitter, s.deps.Jitter, s.deps.Jitter
	m.siteReady = make(chan struct{})
	m.unattended = s.deps.Unattended.orDefault()
	return m
}

// task runs work in its own goroutine and then, on the machine's, what it returns.
func (m *machine) task(ctx context.Context, work func(context.Context) func()) {
	m.tasks.Go(func() {
		if then := work(ctx); then != nil {
			m.post(ctx, then)
		}
	})
}

// post runs then on the machine's goroutine, unless ctx ends first.
func (m *machine) post(ctx context.Context, then func()) {
	select {
	case m.inbox <- then:
	case <-ctx.Done():
	}
}

// after runs then on the machine's goroutine once d has passed.
func (m *machine) after(ctx context.Context, d time.Duration, then func()) *time.Timer {
	return time.AfterFunc(d, func() { m.post(ctx, then) })
}

// start finds out who this is and whether somebody is kept here.
func (m *machine) start(ctx context.Context) {
	m.task(ctx, func(ctx context.Context) func() {
		policy, policyErr := m.askPolicy(ctx)
		who, err := m.deps.Identity.Identify(ctx, "")
		if err != nil {
			m.logger.WarnContext(ctx, "os account not known", "error", err)
		}
		usable := m.browserUsable()
		return func() {
			m.who, m.browser = who, usable
			m.hearPolicy(ctx, policy, policyErr)
			m.settleIn(ctx)
		}
	})
}

// settleIn finds out whether somebody is kept here, where there is a server at all.
func (m *machine) settleIn(ctx context.Context) {
	switch {
	case m.deps.Settings.Problem != nil:
		m.problem = m.deps.Settings.Problem
		m.known(ctx)
	case m.who.Shared:
		m.task(ctx, func(ctx context.Context) func() { m.keeper.clear(ctx, 0); return nil }) // of a time when it was somebody's own
		m.nobody(ctx, status.AskWhoIsPrinting)
		m.known(ctx)
	default:
		m.recall(ctx)
	}
}

// known ends the start: what had to wait for it is done now.
func (m *machine) known(ctx context.Context) {
	m.identified = true
	early := m.early
	m.early = nil
	for _, c := range early {
		m.handle(ctx, c)
	}
}

// recall looks into the vault. It is also what "try again" does for a locked keyring.
func (m *machine) recall(ctx context.Context) {
	m.task(ctx, func(ctx context.Context) func() {
		kept, note, keyring := m.keeper.load(ctx)
		return func() {
			if m.in != nil || m.attempt != nil {
				return // somebody was quicker than the keyring
			}
			defer m.known(ctx)
			m.keyring = status.KeyringUnknown
			if keyring == status.KeyringLocked {
				m.keyring = keyring
			}
			if kept == nil {
				m.silence.notMe = note != nil && note.NotMe
				m.nobody(ctx, status.AskFirstLaunch)
				return
			}
			m.logger.InfoContext(ctx, "kept session found", "username", kept.User.Username)
			m.user = &kept.User
			before := entry{stay: true, kept: true}
			if note != nil && note.User.ID == kept.User.ID {
				m.user.DisplayName = note.User.DisplayName
				m.balance, m.balanceAt, m.stale = note.Balance, note.At, note.Balance.Amount != ""
				m.setSite(note.Site)
				before.method, before.account = note.Method, note.Account
				m.entra.used = note.Method == status.MethodMicrosoft
			}
			m.enter(ctx, Tokens{Refresh: kept.Refresh, RefreshExpires: kept.RefreshExpires, User: kept.User}, before)
		}
	})
}

// nobody waits for a sign-in, after a try without a question. The window is asked for once the server has answered (UX 5).
func (m *machine) nobody(ctx context.Context, ask status.Ask) {
	m.ask, m.dismissed = ask, false
	m.fetchSite(ctx)
	m.trySilently(ctx)
}

// entry says how a session came about.
type entry struct {
	stay      bool // it is to be kept
	kept      bool // it was found in the vault
	method    status.Method
	account   string
	vouched   bool
	inBrowser bool
	first     []command // who waits for the first balance
}

// enter starts to follow a session.
func (m *machine) enter(ctx context.Context, tokens Tokens, e entry) {
	follow, cancel := context.WithCancel(ctx)
	stay := e.stay
	in := &signedIn{
		epoch: m.keeper.next(), stay: stay, tokens: tokens, first: e.first,
		kept: e.kept, method: e.method, account: e.account, vouched: e.vouched, inBrowser: e.inBrowser, since: m.deps.Clock(),
		cancel: cancel, kick: make(chan struct{}, 1), done: make(chan struct{}),
	}
	f := &follower{
		server: m.deps.Server, clock: m.deps.Clock, backoff: backoff{jitter: m.deps.Jitter},
		tokens: tokens, skew: m.skew, kick: in.kick,
		tell: func(n news) { m.post(ctx, func() { m.hear(ctx, in, n) }) },
	}
	save := func(ctx context.Context, t Tokens) status.Keyring {
		return m.keeper.save(ctx, in.epoch, Kept{Refresh: t.Refresh, RefreshExpires: t.RefreshExpires, User: t.User})
	}
	kept := make(chan struct{}) // closed when the first tokens are in the vault; nobody waits for a slow keyring but them
	if stay {
		f.keep = func(ctx context.Context, t Tokens) status.Keyring {
			<-kept
			return save(ctx, t)
		}
	}
	m.in = in
	if e.method == status.MethodTrust {
		m.keyring = status.KeyringUnknown
	}
	m.task(ctx, func(ctx context.Context) func() {
		defer close(kept)
		if e.kept || !stay {
			return nil
		}
		keyring := save(ctx, tokens)
		return func() { m.hearKeyring(in, keyring) }
	})
	m.tasks.Go(func() {
		defer close(in.done)
		f.run(follow)
	})
	if m.who.Shared {
		m.watchOver(ctx, in)
	}
	if len(e.first) == 0 {
		m.after(follow, startPatience, func() {
			if m.in == in && !in.connected && !in.lost {
				in.lost = true
				m.problem = &status.Problem{Code: status.ProblemUnreachable, Host: m.deps.Settings.ServerHost}
			}
		})
	}
}

// hearKeyring notes whether the session can be kept. Where the computer vouches for people nobody misses it.
func (m *machine) hearKeyring(in *signedIn, k status.Keyring) {
	if m.in == in && k != status.KeyringUnknown && in.method != status.MethodTrust {
		m.keyring = k
	}
}

// hear takes the news of the follower of in.
func (m *machine) hear(ctx context.Context, in *signedIn, n news) {
	if n.kind == newsTokens {
		in.tokens = n.tokens // also when it has just been signed out: the newest one is what ends it at the server
	}
	if m.in != in {
		return
	}
	switch n.kind {
	case newsTokens:
		m.hearKeyring(in, n.keyring)
		m.hearUser(ctx, n.tokens.User)
	case newsBalance:
		m.hearBalance(ctx, in, n)
	case newsHeard:
		m.balanceAt, in.connection = m.seenAt(), n.connection
	case newsDropped:
		in.connection = status.ConnectionNone
		m.logger.InfoContext(ctx, "connection dropped")
	case newsLost:
		if in.connected || !in.lost {
			m.logger.InfoContext(ctx, "server not reached", "error", n.err)
			m.noteSoon(ctx, in)
		}
		in.connected, in.lost, in.connection = false, true, status.ConnectionNone
		m.stale = m.balance.Amount != ""
		m.problem = problemOf(n.err, m.deps.Settings.ServerHost)
		in.answer(status.Result{Problem: m.problem})
	case newsOver:
		m.over(ctx, in, n.err)
	}
}

// hearUser notices a new name of the same person (UX 8).
func (m *machine) hearUser(ctx context.Context, user api.User) {
	if m.user != nil && m.user.ID == user.ID && m.user.Username != "" && !auth.Same(m.user.Username, user.Username) {
		m.newName = user.Username
		m.logger.InfoContext(ctx, "account has a new name", "was", m.loggable(m.user.Username), "is", m.loggable(user.Username))
	}
	m.user = &user
}

// loggable is a name for the log, which the next person at a shared computer can read.
func (m *machine) loggable(name string) string {
	if m.who.Shared {
		return "not written on a shared computer"
	}
	return name
}

func (m *machine) hearBalance(ctx context.Context, in *signedIn, n news) {
	if !in.connected {
		m.logger.InfoContext(ctx, "connected", "connection", n.connection)
		if m.deps.Clock().Sub(m.siteAt) > siteFresh || m.siteAt.IsZero() {
			m.fetchSite(ctx)
		}
	}
	if m.balance.Version != n.balance.Version || m.stale {
		m.noteSoon(ctx, in)
	}
	in.connected, in.lost, in.connection = true, false, n.connection
	m.balance, m.stale, m.problem, m.skew = n.balance, false, nil, n.skew
	m.balanceAt = m.seenAt()
	in.answer(status.Result{OK: true})
}

// seenAt is now, as the server's clock says: ages are told by the same clock as the server's.
func (m *machine) seenAt() time.Time { return m.deps.Clock().Add(m.skew) }

// over ends a session that the server has ended.
func (m *machine) over(ctx context.Context, in *signedIn, err error) {
	if notListed(err) && !m.who.Shared {
		m.logger.InfoContext(ctx, "the account is not listed any more; asking again from time to time", "error", err)
		problem := asDisabled(err, m.deps.Settings.ServerHost)
		in.answer(status.Result{Problem: problem})
		m.putAside(ctx, in, problem)
		return
	}
	m.logger.InfoContext(ctx, "session is over", "error", err)
	if disabled(err) || notListed(err) {
		problem := problemOf(err, m.deps.Settings.ServerHost)
		if notListed(err) {
			problem = asDisabled(err, m.deps.Settings.ServerHost)
		}
		in.answer(status.Result{Problem: problem})
		m.leave(ctx)
		m.forgetMicrosoftAnyway(ctx)
		m.ask, m.dismissed = m.freshAsk(), true
		m.problem, m.silence.over = problem, true
		return
	}
	user, balance, at := m.user, m.balance, m.balanceAt
	in.answer(status.Result{Problem: problemOf(err, m.deps.Settings.ServerHost)})
	m.leave(ctx)
	m.silence.ended(in, m.deps.Clock())
	if m.who.Shared || user == nil {
		m.forgetMicrosoft(ctx)
		m.nobody(ctx, m.freshAsk())
		return
	}
	// The same person will most likely prove it again: what they had stays in sight (UX 5).
	m.user, m.balance, m.balanceAt, m.stale = user, balance, at, balance.Amount != ""
	m.prefill = user.Username
	ask := status.AskSessionEnded
	if renamed(user.Username, m.who.Prefill) {
		ask, m.prefill = status.AskNamesChanged, m.who.Prefill
	}
	m.nobody(ctx, ask)
}

// renamed tells whether the name that led to an account here before looks like the old form of the name that the
// computer's account is mapped to now: "alex.test" or "alex.test@old.example.org" before "alex.test@example.org".
func renamed(before, now string) bool {
	short, _, _ := strings.Cut(before, "@")
	if i := strings.LastIndexByte(short, '\\'); i >= 0 {
		short = short[i+1:]
	}
	local, _, isUPN := strings.Cut(now, "@")
	return isUPN && !auth.Same(before, now) && auth.Same(short, local)
}

// freshAsk is what the window asks when nothing is known of anybody.
func (m *machine) freshAsk() status.Ask {
	if m.who.Shared {
		return status.AskWhoIsPrinting
	}
	return status.AskFirstLaunch
}

// leave forgets who is signed in, here and in the vault. It does not speak to the server.
func (m *machine) leave(ctx context.Context) {
	in := m.in
	m.part()
	m.keeper.next()
	m.task(ctx, func(ctx context.Context) func() {
		m.keeper.clear(ctx, in.epoch)
		return nil
	})
}

// part forgets who is signed in, but not what is in the vault.
func (m *machine) part() {
	m.in.cancel()
	m.in, m.user, m.balance, m.balanceAt, m.stale = nil, nil, api.Balance{}, time.Time{}, false
	m.problem, m.prefill, m.newName, m.keyring = nil, "", "", status.KeyringUnknown
}

// noteSoon writes the note a little later. Shared computers and sessions in memory leave none.
func (m *machine) noteSoon(ctx context.Context, in *signedIn) {
	if !in.stay || in.noting {
		return
	}
	in.noting = true
	m.after(ctx, noteDelay, func() {
		if m.in != in {
			return
		}
		in.noting = false
		note := m.note()
		m.task(ctx, func(ctx context.Context) func() {
			m.keeper.saveNote(ctx, in.epoch, note)
			return nil
		})
	})
}

func (m *machine) note() Note {
	n := Note{Balance: m.balance, At: m.balanceAt, Site: m.site}
	if m.user != nil {
		n.User = *m.user
	}
	if m.in != nil {
		n.Method, n.Account = m.in.method, m.in.account
	}
	return n
}

// stop says farewell: the note is written, and a session that is not kept ends at the server too.
func (m *machine) stop(ctx context.Context) {
	m.stopping = true
	m.publish()
	if m.attempt != nil {
		m.abandon(ctx, m.attempt)
	}
	farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if in := m.in; in != nil {
		in.cancel()
		<-in.done
		if in.stay {
			m.keeper.saveNote(farewell, in.epoch, m.note())
		} else if !in.tokens.Access.Empty() {
			_ = m.deps.Server.SignOut(farewell, in.tokens.Access) // it would end by itself
		}
	}
	m.tasks.Wait()
}

// answer tells the sign-ins that wait for the first balance how it went.
func (in *signedIn) answer(r status.Result) {
	for _, c := range in.first {
		c.answer(r)
	}
	in.first = nil
}

// access is the token to ask with, for calls beside the follower.
func (in *signedIn) access() secret.String { return in.tokens.Access }
