// Package servers remembers what the person has said of print servers that no setting names: which are theirs and which are not.
// Only the network, or the file name of the package, names such a server, so nothing is sent to it before they have agreed.
//
// It is a file in the state folder, not the settings file: whatever an administrator or the person sets is stronger. A server is
// its address and the pin of its certificate authority; when one of them changes, it is asked again.
package servers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

const (
	version = 1
	most    = 32       // of each kind; the oldest go
	maxFile = 64 << 10 // bytes
	maxPin  = 1 << 10  // bytes: several pins fit
)

// Store is the file. It is read at each call and safe for use by one process at a time.
type Store struct{ path string }

// Open returns the store in the state folder. It touches nothing yet.
func Open(dir string) *Store { return &Store{path: filepath.Join(dir, statedir.ServersFile)} }

// remembered is one server.
type remembered struct {
	URL    string `json:"url"`
	Pin    string `json:"pin,omitempty"`
	Source string `json:"source,omitempty"` // of a rejected one: who named it
}

// document is the file.
type document struct {
	Version   int          `json:"version"`
	Confirmed []remembered `json:"confirmed"` // the newest last
	Rejected  []remembered `json:"rejected"`
}

// Choose says which server is to be used: the settings as they are, or with a server that was confirmed before in the place of
// none. ask is the server that waits for the person's word; while there is one, no server is to be used.
func (s *Store) Choose(c config.Config) (use config.Config, ask *status.Server) {
	d := s.read()
	if c.DeviceRole == config.RoleShared {
		d = document{}
	}
	if c.ServerURL == nil {
		if c.Origin("ServerURL").Kind == sources.KindDefault { // and not one with a bad value
			return d.last(c), nil
		}
		return c, nil
	}
	found := Of(c)
	if found == nil {
		return c, nil
	}
	for _, r := range slices.Backward(d.Confirmed) {
		if r.URL == found.URL && (found.Pin == "" || found.Pin == r.Pin) {
			return With(c, r.URL, r.Pin), nil
		}
	}
	found.Rejected = slices.Contains(d.Rejected, remembered{found.URL, found.Pin, found.Source})
	if found.Rejected && len(d.Confirmed) > 0 {
		return d.last(c), nil
	}
	return c, found
}

// last is the settings with the server that was confirmed last, if there is one.
func (d document) last(c config.Config) config.Config {
	if len(d.Confirmed) == 0 {
		return c
	}
	r := d.Confirmed[len(d.Confirmed)-1]
	return With(c, r.URL, r.Pin)
}

// Of is the server of the settings if nobody who may decide has named it, else nil.
func Of(c config.Config) *status.Server {
	origin := c.Origin("ServerURL")
	if c.ServerURL == nil || !origin.Unconfirmed() {
		return nil
	}
	server := &status.Server{URL: c.ServerURL.String(), Host: Host(c.ServerURL), Where: status.WhereNetwork, Source: origin.Where}
	if origin.Kind == sources.KindPackageName {
		server.Where = status.WherePackage
	}
	if c.Origin("CAPin").Unconfirmed() {
		server.Pin = c.CAPin
	}
	return server
}

// Host is what people compare of an address: the host, with the port unless it is the usual one.
func Host(u *url.URL) string {
	if port := u.Port(); port != "" && port != "443" {
		return u.Host
	}
	return u.Hostname()
}

// With is the settings with a server that a person confirmed. Whom to trust stays as an administrator has set it.
func With(c config.Config, address, pin string) config.Config {
	u, err := settings.ParseOrigin(address)
	if err != nil {
		return c
	}
	c.ServerURL = u
	if origin := c.Origin("CAPin"); c.CAFile == "" && (c.CAPin == "" || origin.Unconfirmed()) {
		c.CAPin = pin
	}
	return c
}

// Confirm remembers that a server is the person's.
func (s *Store) Confirm(server status.Server) error {
	return s.change(func(d *document) {
		r := remembered{URL: server.URL, Pin: server.Pin}
		d.Confirmed = append(slices.DeleteFunc(d.Confirmed, func(o remembered) bool { return o.URL == r.URL }), r)
		d.Rejected = slices.DeleteFunc(d.Rejected, func(o remembered) bool { return o.URL == r.URL })
	})
}

// Reject remembers that it is not, as long as the same one is named by the same.
func (s *Store) Reject(server status.Server) error {
	return s.change(func(d *document) {
		r := remembered{server.URL, server.Pin, server.Source}
		d.Rejected = append(slices.DeleteFunc(d.Rejected, func(o remembered) bool { return o == r }), r)
	})
}

// Confirmed lists the settings with each server that was confirmed, for whoever has to speak to all of them.
func (s *Store) Confirmed(c config.Config) []config.Config {
	var list []config.Config
	for _, r := range s.read().Confirmed {
		list = append(list, With(c, r.URL, r.Pin))
	}
	return list
}

// read returns what is remembered. A file that is missing, or is not ours, remembers nothing: then it is asked again.
func (s *Store) read() document {
	if info, err := os.Stat(s.path); err != nil || !info.Mode().IsRegular() {
		return document{}
	}
	f, err := os.Open(s.path)
	if err != nil {
		return document{}
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	var d document
	if err != nil || len(text) > maxFile || json.Unmarshal(text, &d) != nil || d.Version != version {
		return document{}
	}
	d.Confirmed = slices.DeleteFunc(d.Confirmed, func(r remembered) bool { return !r.good() })
	return d
}

// good tells whether the settings would take it.
func (r remembered) good() bool {
	_, err := settings.ParseOrigin(r.URL)
	return err == nil && len(r.Pin) <= maxPin && settings.Clean(r.Pin) == nil
}

// change writes the file as a whole: after a crash there is the old or the new one. Only the person can read it.
func (s *Store) change(how func(*document)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("remember a server: %w", err)
		}
	}()
	d := s.read()
	how(&d)
	d.Version = version
	d.Confirmed, d.Rejected = newest(d.Confirmed), newest(d.Rejected)
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, statedir.ServersFile+".*.new") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		if rest := os.Remove(f.Name()); rest != nil && !errors.Is(rest, fs.ErrNotExist) {
			err = errors.Join(err, rest)
		}
	}
	return err
}

func newest(list []remembered) []remembered { return list[max(0, len(list)-most):] }
