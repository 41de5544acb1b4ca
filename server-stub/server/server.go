package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/httpapi"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// stopWithin is how long requests and commands may take to finish when the server stops.
const stopWithin = 10 * time.Second

// Options are what a start is given.
type Options struct {
	Data    string         // the data folder
	Sources config.Sources // where the configuration comes from
	Out     io.Writer      // tells the person who started it where it is
	Ready   func()         // called once, when everything answers; may be nil
	Log     io.Writer
	Clock   clock.Clock
}

// Run starts the server and returns when ctx ends and everything has stopped (nil), or when it cannot go on.
func Run(ctx context.Context, o Options) error {
	started := o.Clock()
	cfg, err := config.Load(o.Sources)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: cfg.LogLevel}))
	if asRoot() {
		logger.Warn("running as root; give the server a user of its own (the packages do)")
	}
	dir, err := datadir.Open(o.Data)
	if err != nil {
		return err
	}
	defer closeLogged(logger, "data folder", dir)
	if err := dir.Lock(); err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg, dir, logger)
	if err != nil {
		return err
	}
	defer closeLogged(logger, "database", db)

	s := &server{cfg: cfg, dir: dir, db: db, logger: logger, now: o.Clock, started: started}
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.run(ctx, o)
}

// server is everything while it runs.
type server struct {
	cfg     *config.Config
	dir     *datadir.Dir
	db      *sqlstore.Store
	logger  *slog.Logger
	now     clock.Clock
	started time.Time

	keys     *keys.Keys
	identity pki.Identity
	rooms    *rooms
	api      *httpapi.Handler
	pages    *sites
	devices  *devices
	// provisioning is what directories call by themselves
	provisioning *provisioning
	listener     net.Listener // HTTPS
	commands     net.Listener
}

// open prepares everything that can fail before anything runs.
func (s *server) open(ctx context.Context) (err error) {
	if s.keys, err = openKeys(ctx, s.dir, s.db); err != nil {
		return err
	}
	if err := keepCurrency(ctx, s.db, s.cfg.Currency); err != nil {
		return err
	}
	if err := offerSetup(ctx, s.dir, s.db); err != nil {
		return err
	}
	if s.identity, err = s.openIdentity(ctx); err != nil {
		return err
	}
	if s.rooms, err = s.openRooms(ctx); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; stop the other program, or choose another address with --listen", s.cfg.Listen, err)
	}
	s.listener = inbound.Guard(l, s.cfg.TrustedProxies, s.now)
	metrics, meters := openMetrics()
	s.api = s.openAPI(metrics, meters)
	s.provisioning = s.openProvisioning(meters)
	if s.pages, err = s.openPages(ctx, meters); err == nil {
		s.devices, err = s.openDevices(ctx, meters)
	}
	if err == nil {
		s.commands, err = admin.Listen(s.dir)
	}
	if err != nil {
		return errors.Join(err, s.closeListeners())
	}
	return nil
}

// closeListeners lets go of what an open that failed has taken.
func (s *server) closeListeners() error {
	err := s.listener.Close()
	if s.pages != nil && s.pages.listener != nil {
		err = errors.Join(err, s.pages.listener.Close())
	}
	return errors.Join(err, s.devices.close())
}

func (s *server) openIdentity(ctx context.Context) (pki.Identity, error) {
	if s.cfg.TLSCert != "" {
		return pki.OpenGiven(s.cfg.TLSCert, s.cfg.TLSKey, s.now, s.logger)
	}
	hostname, err := os.Hostname()
	if err != nil {
		s.logger.Warn("this computer's name is unknown; the certificate goes without", "error", err)
	}
	names := pki.Names(ctx, s.cfg.Listen, hostname, s.cfg.PublicURL, net.DefaultResolver)
	for _, listen := range []string{s.cfg.AdminListen, s.cfg.DeviceListen} {
		names = append(names, pki.Names(ctx, listen, "", nil, net.DefaultResolver)...)
	}
	return pki.OpenOwn(s.dir, s.keys, s.now, s.logger, names)
}

// run serves until ctx ends or something cannot go on.
func (s *server) run(ctx context.Context, o Options) error {
	web := inbound.Server(mainHandler(s.api, s.provisioning, s.pages.everybody), pki.TLSConfig(s.identity), s.logger)
	commands := admin.NewServer(s.commandDeps())

	// The ledger's writer stops last: requests that are finishing still book.
	ledgerCtx, stopLedger := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLedger()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.rooms.ledger.Run(ledgerCtx) })
	g.Go(func() error { s.rooms.ledger.VerifyOnce(gctx); return nil })
	g.Go(func() error { return ignoreClosed(web.ServeTLS(s.listener, "", "")) })
	stopAdminPages := s.pages.serve(g, s)
	stopDevices := s.devices.serve(gctx, g, s)
	g.Go(func() error { return commands.Serve(s.commands) })
	g.Go(func() error { pki.Watch(gctx, s.identity, s.watchEvery(), s.logger); return nil })
	g.Go(func() error { s.rooms.keepHouse(gctx, s.logger); return nil })
	s.rooms.directories.start()
	g.Go(func() error { s.rooms.directories.schedule.Run(gctx); return nil })
	g.Go(func() error { return s.rooms.credentials.Run(gctx) })
	if s.rooms.mail != nil {
		g.Go(func() error { return s.rooms.mail.Run(gctx) })
	}
	g.Go(func() error {
		select {
		case <-s.db.Broken():
			return fmt.Errorf("stop: %w; free or replace the disk, then start again", s.db.Err())
		case <-gctx.Done():
			return nil
		}
	})
	g.Go(func() error {
		<-gctx.Done()
		s.logger.Info("stopping")
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		s.api.Shutdown(stopCtx)
		err := errors.Join(web.Shutdown(stopCtx), stopAdminPages(stopCtx), stopDevices(stopCtx), commands.Shutdown(stopCtx))
		if err != nil {
			s.logger.Warn("some requests did not finish in time", "error", err)
		}
		stopLedger()
		return nil
	})
	s.announce(o.Out)
	if o.Ready != nil {
		o.Ready()
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.logger.Info("stopped")
	return nil
}

// watchEvery is how often the certificate is looked at: files that somebody replaces soon, the own one seldom.
func (s *server) watchEvery() time.Duration {
	if s.cfg.TLSCert != "" {
		return 10 * time.Second
	}
	return time.Hour
}

// announce tells where the server is, in lines a person reads and a script can.
func (s *server) announce(out io.Writer) {
	took := s.now().Sub(s.started).Round(time.Millisecond)
	s.logger.Info("ready", "version", buildinfo.Version, "commit", buildinfo.Commit(), "listen", s.listener.Addr().String(), "data", s.dir.Path(), "took", took)
	fmt.Fprintf(out, "Platen server %s is ready after %s.\n", buildinfo.Version, took)
	for _, address := range s.addresses() {
		fmt.Fprintf(out, "  address    %s\n", address)
	}
	if l := s.pages.listener; l != nil {
		fmt.Fprintf(out, "  admin      https://%s/\n", pageHost(l.Addr().String()))
	}
	if at := s.enrolAt(); at.Address != "" {
		fmt.Fprintf(out, "  devices    %s\n", at.Address)
	}
	if file := s.identity.CAFile(); file != "" {
		fmt.Fprintf(out, "  CA         %s\n", file)
	}
	fmt.Fprintf(out, "  CA pin     %s\n", s.identity.CAPin())
	fmt.Fprintf(out, "  data       %s\n", s.dir.Path())
	if setup := s.setup(); setup != "" {
		fmt.Fprintf(out, "  setup      %s\n", setup)
	}
	fmt.Fprintf(out, "Commands: platen-server user add NAME --data %s\n", s.dir.Path())
}

// setup says where the first owner is set up, "" once that is done.
func (s *server) setup() string {
	if token, err := s.dir.Exists(datadir.SetupToken); err != nil || !token {
		return ""
	}
	return fmt.Sprintf("%s with the token in %s", s.setupAddress(), s.dir.File(datadir.SetupToken))
}

// addresses are where clients reach the server.
func (s *server) addresses() []string {
	var list []string
	if s.cfg.PublicURL != nil {
		list = append(list, s.cfg.PublicURL.String())
	}
	host, _, err := net.SplitHostPort(s.cfg.Listen)
	if err != nil {
		return list
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return list
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	return append(list, "https://"+net.JoinHostPort(host, port))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func closeLogged(logger *slog.Logger, what string, c io.Closer) {
	if err := c.Close(); err != nil {
		logger.Error("not closed cleanly", "what", what, "error", err)
	}
}
