package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/deviceapi"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/pki"
)

// devices are the rooms of enrolled computers.
type devices struct {
	*deviceauth.Service
	handler  *deviceapi.Handler
	http     *http.Server
	listener net.Listener // nil when it is off
}

// openDevices makes the rooms and listens for devices. s.rooms and s.identity are there already.
func (s *server) openDevices(ctx context.Context, meters *inbound.Meters) (*devices, error) {
	groups, err := deviceauth.ParseGroups(s.cfg.DeviceGroups, s.cfg.File)
	if err != nil {
		return nil, err
	}
	ca, err := pki.OpenDevices(s.dir, s.keys, s.now, s.logger)
	if err != nil {
		return nil, err
	}
	serverCA := ""
	if s.cfg.TLSCert == "" {
		text, err := s.dir.Read(datadir.CACert)
		if err != nil {
			return nil, fmt.Errorf("read the CA that devices are told of: %w", err)
		}
		serverCA = string(text)
	}
	d := &devices{}
	d.Service = deviceauth.New(deviceauth.Options{
		Store: s.db, Clock: s.now, CA: ca, Codes: s.rooms.codes, Rules: rulesOf(s.cfg, s.rooms.directories.entries()), Groups: groups,
		Modes: s.cfg.SignIn.Modes, SharedOSUsers: s.cfg.SignIn.SharedOSUsers, Key: s.keys.Derive("devices"), ServerCA: serverCA, Logger: s.logger,
		OnRevoke: func(ctx context.Context, device string) {
			d.handler.Disconnect(device)
			if _, err := s.rooms.sessions.RevokeDevice(context.WithoutCancel(ctx), "system", device); err != nil {
				s.logger.ErrorContext(ctx, "cannot end the sessions that a revoked device vouched for", "device", device, "error", err)
			}
		},
	})
	d.handler = deviceapi.New(deviceapi.Deps{
		Devices: d.Service, ServerCA: serverCA, Clock: s.now, Logger: s.logger, Meters: meters, TrustedProxies: s.cfg.TrustedProxies,
	})
	if s.cfg.DeviceListen == "" {
		return d, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.DeviceListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for devices: %w; stop the other program, or choose another address with device_listen", s.cfg.DeviceListen, err)
	}
	d.listener = inbound.Guard(deviceapi.Pace(l, s.now), s.cfg.TrustedProxies, s.now)
	d.http = d.handler.Server(pki.DeviceTLSConfig(s.identity, ca))
	return d, nil
}

// serve serves devices in g, until shutdown is called, and forgets what is over, once an hour, until ctx ends.
func (d *devices) serve(ctx context.Context, g *errgroup.Group, s *server) (shutdown func(context.Context) error) {
	g.Go(func() error {
		ticker := time.NewTicker(time.Hour)
		defer ticker.Stop()
		for {
			if err := d.Purge(ctx); err != nil && ctx.Err() == nil {
				s.logger.Error("what devices left could not be forgotten", "error", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	})
	if d.listener == nil {
		return func(context.Context) error { return nil }
	}
	g.Go(func() error { return ignoreClosed(d.http.ServeTLS(d.listener, "", "")) })
	return d.http.Shutdown
}

// close lets go of the listener of an open that failed.
func (d *devices) close() error {
	if d == nil || d.listener == nil {
		return nil
	}
	if err := d.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// enrolAt says where devices enrol: at the address they can reach, with the pin of our own CA.
func (s *server) enrolAt() admin.EnrolAt {
	if s.devices.listener == nil {
		return admin.EnrolAt{}
	}
	host, _, _ := net.SplitHostPort(s.cfg.DeviceListen) // it was listened on
	_, port, _ := net.SplitHostPort(s.devices.listener.Addr().String())
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
		if s.cfg.PublicURL != nil {
			host = s.cfg.PublicURL.Hostname()
		}
	}
	at := admin.EnrolAt{Address: net.JoinHostPort(host, port)}
	if s.cfg.TLSCert == "" {
		pin := s.identity.CAPin()
		at.Pin = &pin
	}
	return at
}
