package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http/httpproxy"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/printqueue/enrol"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// Options is what the service needs of its program.
type Options struct {
	Places statedir.Places // statedir.Find
	Place  ipc.Place       // ipc.System
	Log    io.Writer       // gets a copy of the log; nil: nobody
	Clock  clock.Clock

	// For tests; nil: the real ones.
	Account  func(ctx context.Context, id string) (osuser.Account, error)
	Identity func(context.Context) (machine.Identity, error)
	Machine  func(*machine.Options)
	Settings func(*enrol.Options)
}

// Run is the service until ctx ends. Errors say what stands in the way and what to do: ipc.ErrRunning, private.ErrBusy,
// private.ErrUnsafe, machine.ErrNoIdentity among them.
func Run(ctx context.Context, opts Options) error {
	logs, err := private.Open(opts.Places.Log)
	if err != nil {
		return fmt.Errorf("open the folder of the log: %w", err)
	}
	defer func() { _ = logs.Close() }()
	file, err := openLog(logs, opts.Log)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = file.Close() }()
	crashes(logs)
	logger := slog.New(slog.NewTextHandler(file, nil))
	logger.InfoContext(ctx, "platen-deploy starts", "version", buildinfo.Version, "commit", buildinfo.Commit(), "state", opts.Places.State)
	err = serve(ctx, opts, logger)
	if err != nil {
		logger.ErrorContext(ctx, "platen-deploy ends", "error", err)
		return err
	}
	logger.InfoContext(ctx, "platen-deploy ends")
	return nil
}

// crashes has the runtime write what a crash leaves into a file of the log's folder.
func crashes(logs *private.Dir) {
	f, err := logs.Append(statedir.CrashFile)
	if err != nil {
		return // a nicety
	}
	_ = debug.SetCrashOutput(f, debug.CrashOptions{})
	_ = f.Close() // the runtime has its own
}

func serve(ctx context.Context, opts Options, logger *slog.Logger) error {
	dir, err := private.Open(opts.Places.State)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	free, err := dir.Lock()
	if err != nil {
		return err
	}
	defer free()
	way := &way{environment: proxy()}
	m, err := newMachine(ctx, dir, opts, way.proxy, logger)
	if err != nil {
		return err
	}
	computer, err := sources.ForService()
	if err != nil {
		return fmt.Errorf("find this computer's settings: %w", err)
	}
	wants := enrol.Options{Computer: computer, Logger: logger, Apply: func(w enrol.Wanted) {
		way.set(w.Proxy)
		m.Want(w.Wish, w.Unclear)
	}}
	if opts.Settings != nil {
		opts.Settings(&wants)
	}
	listener, err := ipc.Listen(ctx, opts.Place)
	if err != nil {
		return err
	}
	h := &handler{device: m, account: opts.Account, session: sessionOf, logger: logger}
	if h.account == nil {
		h.account = osuser.Of
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	running.Go(enrol.Watch(ctx, wants))
	running.Go(func() { m.Run(ctx) })
	err = ipc.Serve(ctx, listener, h, logger, opts.Clock)
	cancel()
	running.Wait()
	return err
}

// NewMachine makes the device of a state folder, for the service and for enrolling without one.
func NewMachine(ctx context.Context, dir *private.Dir, opts Options, logger *slog.Logger) (*machine.Machine, error) {
	way := &way{environment: proxy()}
	if computer, err := sources.ForService(); err == nil && opts.Settings == nil {
		way.set(enrol.Read(ctx, computer).Proxy)
	}
	return newMachine(ctx, dir, opts, way.proxy, logger)
}

func newMachine(ctx context.Context, dir *private.Dir, opts Options, proxy machine.Proxy, logger *slog.Logger) (*machine.Machine, error) {
	identify := opts.Identity
	if identify == nil {
		identify = machine.ThisComputer
	}
	id, err := identify(ctx)
	if err != nil {
		return nil, err
	}
	m := machine.Options{Dir: dir, Identity: id, Report: reporter(), Proxy: proxy, Clock: opts.Clock, Logger: logger}
	if opts.Machine != nil {
		opts.Machine(&m)
	}
	return machine.New(m)
}

// reporter says what the computer is called and which domain it has joined. It is asked each time: computers are renamed.
func reporter() func(context.Context) api.DeviceReport {
	return func(ctx context.Context) api.DeviceReport {
		self, err := osuser.Current(ctx)
		if err != nil {
			name, err := os.Hostname()
			if err != nil {
				name = "" // a nicety
			}
			return api.DeviceReport{Hostname: name}
		}
		return api.DeviceReport{Hostname: self.Hostname, JoinDomain: self.JoinDomain, JoinRealm: self.JoinRealm}
	}
}

// way is the way to the server: by the proxy of the computer's settings, or else by the environment's. It is safe for concurrent use.
type way struct {
	environment machine.Proxy
	setting     atomic.Pointer[string]
}

// set takes the setting Proxy: "", "direct" or http://HOST:PORT.
func (w *way) set(setting string) { w.setting.Store(&setting) }

func (w *way) proxy(r *http.Request) (*url.URL, error) {
	switch setting := w.setting.Load(); {
	case setting == nil || *setting == "":
		return w.environment(r)
	case *setting == "direct":
		return nil, nil
	default:
		return url.Parse(*setting)
	}
}

// proxy is what HTTPS_PROXY and NO_PROXY of the service say, which an administrator sets (systemd: a drop-in with Environment=).
// Proxy settings of people and of the network (WPAD) are not the service's.
func proxy() machine.Proxy {
	find := httpproxy.FromEnvironment().ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return find(r.URL) }
}
