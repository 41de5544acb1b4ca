package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/tray/icon"
	"github.com/platenprint/platen/tray/notify"
	"github.com/platenprint/platen/tray/view"
)

// Memory: the resident lives as long as the person works, with a heap of a few MB. Collecting a little more often costs
// nothing that can be measured and keeps it from growing to twice of that.
const (
	gcPercent   = 40
	memoryLimit = 48 << 20         // bytes; far above what is used, a brake for accidents
	settleTime  = 15 * time.Second // after which starting is over, and what it took is given back
)

// Options say how the resident is started.
type Options struct {
	Flags map[string]string // settings given as flags, by flag name
	Log   io.Writer         // gets a copy of the log; nil: the file only
	// Unattended are the times after which shared computers sign people out; the zero value is what they are promised.
	Unattended session.Unattended
	// AtLogOn: the system starts it, and not the person: it is not wanted where AutoStart says no.
	AtLogOn bool
	// Signals tells what the system asks for; nil: nothing.
	Signals <-chan Signal
	// MayRestart tells whether the program that is installed now may take over (ErrRestart). Nil: never.
	MayRestart func() error
}

// Run is the resident program. It works until ctx ends or somebody quits it. ipc.ErrRunning says that this person has one
// already, ErrRestart that everything is closed and the program is to be started anew. Where the tray needs the main thread
// (macOS), it must be called on it.
func Run(ctx context.Context, o Options) error {
	if o.AtLogOn && !wanted(ctx, o.Flags) {
		return nil
	}
	ctx, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	place, err := ipc.Find(os.Getenv)
	if err != nil {
		return err
	}
	listener, err := ipc.Listen(ctx, place)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	dir, err := statedir.Find(runtime.GOOS, os.Getenv)
	if err != nil {
		return err
	}
	file, err := openLog(dir)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	frugal()

	settings, warnings, configErr := config.ForThisMachine(ctx, o.Flags, true)
	log := logger(file, o.Log, settings.LogLevel)
	log.InfoContext(ctx, "platen starts", "version", buildinfo.Version, "commit", buildinfo.Commit(), "pid", os.Getpid())
	crashed, err := crashLog(dir)
	if err != nil || crashed {
		log.WarnContext(ctx, "crash log", "of_an_earlier_run", crashed, "error", err)
	}
	for _, w := range warnings {
		log.WarnContext(ctx, "setting", "origin", w.Origin.String(), "problem", w.Text)
	}
	a := &agent{settings: settings, dir: dir, logger: log, quit: quit, unattended: o.Unattended}
	a.site = &site{agent: a, remembered: servers.Open(dir), used: settings}
	a.connect(configErr)
	a.run(ctx, listener, o)
	log.InfoContext(context.WithoutCancel(ctx), "platen has ended", "because", context.Cause(ctx))
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrRestart):
		return ErrRestart
	case errors.Is(cause, errPurge):
		_ = file.Close()
		return errors.Join(purgeSession(context.WithoutCancel(ctx), dir), place.Remove())
	}
	return nil
}

// frugal keeps the program small, unless the environment says how it wants it.
func frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// agent is the resident, put together.
type agent struct {
	settings config.Config
	dir      string
	logger   *slog.Logger
	quit     context.CancelCauseFunc

	site       *site
	nowhere    bool           // no server can be used
	asked      *status.Server // the one that waits for the person's word, since the start
	unattended session.Unattended

	session *session.Session
	window  *window
	desktop *desktop
	icon    *icon.Icon
}

// connect makes the session.
func (a *agent) connect(configErr error) {
	account := remembered(osuser.Current)
	machine := &deploy{dial: dialDeploy, clock: clock.System, logger: a.logger, ours: a.site.isOf}
	who := identity{config: a.settings, account: account, deploy: machine.decided}
	store := once(a.store(account))
	entra := a.microsoft(who, store)
	way, ask := a.site.begin(configErr)
	a.nowhere, a.asked = way.Problem != nil, ask
	deps := session.Deps{
		Server: way.Server, Servers: a.site,
		Vault:    vault{open: store, rescue: entra.cache.rescue},
		Identity: who,
		Settings: session.Settings{
			AuthMode:    string(a.settings.AuthMode),
			Client:      fmt.Sprintf("platen %s (%s)", buildinfo.Version, runtime.GOOS),
			HideBalance: a.settings.HideBalance,
			LowBalance:  a.settings.LowBalance,
			ServerHost:  way.ServerHost, Problem: way.Problem, Unconfirmed: ask,
		},
		Details: a.details, Clock: clock.System, Jitter: rand.Float64, Logger: a.logger,
		Presence: attendance{presence.New(os.Getenv, clock.System)}, Unattended: a.unattended,
		Machine: machine, Browser: pages{a.browserTexts, a.site.isPage}, Microsoft: entra,
	}
	if a.settings.TopUpURL != nil {
		deps.Settings.TopUpURL = a.settings.TopUpURL.String()
	}
	a.session = session.New(deps)
}

// microsoft is the way to Entra ID. It costs nothing until somebody takes it.
func (a *agent) microsoft(who identity, store func(context.Context) (*tokenstore.Store, error)) *entra {
	return &entra{
		extra: a.settings.MicrosoftAuthority, texts: a.browserTexts, logger: a.logger,
		http: func() *http.Client { return connect.Web(a.settings, clock.System) },
		cache: &entraCache{
			store: func(ctx context.Context) (microsoft.Cache, error) {
				s, err := store(ctx)
				if err != nil {
					return nil, err
				}
				return s.MicrosoftCache(), nil
			},
			shared: func(ctx context.Context) bool {
				account, err := who.account(ctx)
				return err != nil || who.shared(ctx, account)
			},
		},
	}
}

// browserTexts are what the browser's last page says.
func (a *agent) browserTexts() loopback.Texts {
	texts, err := assets.LoadTexts(a.localeName())
	if err != nil {
		return loopback.Texts{}
	}
	return loopback.Texts{Language: texts.Language(), Done: texts.Text("browser.done_text"), Failed: texts.Text("browser.failed_text")}
}

// store opens the token store of this account at this server.
func (a *agent) store(account func(context.Context) (osuser.Account, error)) func(context.Context) (*tokenstore.Store, error) {
	return func(ctx context.Context) (*tokenstore.Store, error) {
		who, err := account(ctx)
		if err != nil {
			return nil, fmt.Errorf("open the token store: %w", err)
		}
		c := a.site.config()
		if c.ServerURL == nil {
			return nil, errNoServer
		}
		return tokenstore.Open(ctx, tokenstore.Options{
			Dir: a.dir, ServerURL: c.ServerURL.String(), OSUser: who.Key(), Clock: clock.System, Log: a.logger,
		}), nil
	}
}

// details is what the settings page shows without the server.
func (a *agent) details() status.Details {
	d := status.Details{Settings: a.settings.Settings(), ClientVersion: buildinfo.Version}
	if c := a.site.config(); c.ServerURL != nil {
		d.ServerURL = c.ServerURL.String()
	}
	for i := range d.Settings {
		if s := &d.Settings[i]; s.Name == "ServerURL" && d.ServerURL != "" && (s.Value == "" || a.settings.Origin(s.Name).Unconfirmed()) {
			s.Value, s.Origin = d.ServerURL, originConfirmed
		}
	}
	return d
}

// run puts the session on the desktop and behind the door, and works until ctx ends. The door closes last, so that the
// others see the end coming.
func (a *agent) run(ctx context.Context, listener *ipc.Listener, o Options) {
	door, closeDoor := context.WithCancel(context.WithoutCancel(ctx))
	defer closeDoor()
	var inside, outside sync.WaitGroup
	a.furnish(ctx, &inside)
	outside.Go(func() {
		if err := ipc.Serve(door, listener, resident{a}, a.logger); err != nil {
			a.logger.ErrorContext(ctx, "other programs cannot reach this one any more", "error", err)
		}
	})
	inside.Go(func() {
		if err := a.session.Run(ctx); err != nil {
			a.logger.ErrorContext(ctx, "session ended", "error", err)
		}
	})
	inside.Go(func() { a.obey(ctx, o) })
	if a.nowhere {
		inside.Go(func() { a.lookOut(ctx, o, a.asked) })
	}
	inside.Go(func() { a.desktop.run(ctx) })
	inside.Go(func() { a.window.run(ctx) })
	settled := time.AfterFunc(settleTime, release)
	defer settled.Stop()
	if err := a.icon.Run(ctx); err != nil {
		a.logger.InfoContext(ctx, "no tray icon", "error", err)
		a.session.SetTray(ctx, false)
	}
	<-ctx.Done()
	inside.Wait()
	closeDoor()
	outside.Wait()
}

// furnish makes what belongs to the desktop; tasks waits for what it starts.
func (a *agent) furnish(ctx context.Context, tasks *sync.WaitGroup) {
	locale := a.locale(ctx)
	act := func(action status.Action) { // from the icon or a notification, which must not wait
		tasks.Go(func() {
			if r := (resident{a}).Do(ctx, action); !r.OK && r.Problem != nil {
				a.logger.InfoContext(ctx, "action failed", "kind", action.Kind, "problem", r.Problem.Code, "details", r.Problem.Details)
			}
		})
	}
	a.icon = icon.New(icon.Options{
		Logger: a.logger, OnAction: act,
		OnTray: func(shown bool) { tasks.Go(func() { a.session.SetTray(ctx, shown) }) },
	})
	a.desktop = &desktop{
		watch: a.session.Watch, icon: a.icon.Show, start: a.settings.ShowBalanceAtStart, locale: locale, clock: clock.System, logger: a.logger,
		toasts: make(chan view.Toast, waitingToasts),
	}
	a.window = newWindow(a.logger, func(ctx context.Context, page status.Page) (process, error) {
		if !hasDisplay(os.Getenv) {
			return nil, errNoDisplay
		}
		return startWindow(ctx, page, a.settings.Language)
	}, func(error) { a.noWindow(locale) })
	a.desktop.window = a.window.open
	notifier, err := notify.New(ctx, notify.Options{Logger: a.logger, OnAction: act})
	if err != nil {
		a.logger.InfoContext(ctx, "no notifications", "error", err)
	} else {
		a.desktop.toast = notifier.Send
		tasks.Go(func() {
			<-ctx.Done()
			notifier.Close()
		})
	}
}

// originConfirmed is where a setting comes from that a person has confirmed (tray/view has words for it).
const originConfirmed = "confirmed"

var (
	errNoServer  = errors.New("no server is set")
	errNoDisplay = errors.New("there is no display, so no window; the commands of platen do the same")
)

// locale is how the person reads: the setting, else the environment, else the system.
func (a *agent) locale(ctx context.Context) view.Locale {
	name := a.localeName()
	texts, err := assets.LoadTexts(name)
	if err != nil {
		a.logger.ErrorContext(ctx, "no texts", "locale", name, "error", err)
	}
	return view.NewLocale(name, texts.Text, time.Local)
}

func (a *agent) localeName() string {
	return cmp.Or(a.settings.Language, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"), systemLocale())
}

// noWindow says that no window can be shown here, and leads to the web page if the site has one.
func (a *agent) noWindow(l view.Locale) {
	t := view.Toast{ID: "no-window", Title: l.Text("toast.no_window")}
	if a.session.Snapshot().PortalURL != "" {
		portal := status.Action{Kind: status.ActionOpenPortal}
		t.Body = l.Text("toast.no_window_body")
		t.Buttons, t.Default = []view.Button{{Text: l.Text("button.open"), Action: portal}}, portal
	}
	a.desktop.tell(t, false)
}
