// Package enrol reads what the computer's own settings want of the privileged service: whose device it is to be, whom it believes,
// and by which proxy it goes. It reads nothing of any person and nothing of the network (sources.Machine), every minute and when a
// file changes.
//
// What the settings want is done by printqueue/machine. Settings that cannot be understood change nothing: what was wanted before
// stays, and the reason is logged and shown by platen-deploy status.
package enrol

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/printqueue/machine"
)

// Wanted is what the settings say now.
type Wanted struct {
	Wish    machine.Wish
	Unclear error    // why the wish is not known: a setting that decides whom to believe is of no use
	Proxy   string   // "": the environment's; "direct"; or http://HOST:PORT
	Notes   []string // what an administrator should put right
}

// Read reads the settings of a computer once.
func Read(ctx context.Context, c sources.Computer) Wanted {
	values, warnings := sources.Find(ctx, sources.Set{Ordered: sources.Machine(c)})
	var w Wanted
	for _, warning := range warnings {
		w.Notes = append(w.Notes, warning.String())
	}
	r := reader{values: values, w: &w}
	if text := r.text("Proxy"); text != "" {
		proxy, err := settings.ParseProxy(text)
		r.minor("Proxy", err, "the service uses the environment's")
		w.Proxy = proxy
	}
	if text := r.text("Enrol"); text != "" {
		yes, err := settings.ParseBool(text)
		if r.minor("Enrol", err, "the service works with yes"); err == nil && !yes {
			return w
		}
	}
	r.wish(c)
	return w
}

type reader struct {
	values sources.Values
	w      *Wanted
}

// text is a setting's, "" where it has none or an unusable one.
func (r reader) text(name string) string {
	v := r.values.Get(name)
	if v.Problem != "" {
		return ""
	}
	if err := settings.Clean(v.Text); err != nil {
		r.minor(name, err, "it does not count")
		return ""
	}
	return v.Text
}

// minor notes what is wrong with a setting that the service can do without.
func (r reader) minor(name string, err error, instead string) {
	if v := r.values.Get(name); err != nil {
		r.w.Notes = append(r.w.Notes, fmt.Sprintf("%s: %s=%s %v; %s", v.Origin, name, settings.Visible(v.Text), err, instead))
	}
}

// critical reads a setting that decides whom to believe.
func (r reader) critical(name string, parse func(text string) error) error {
	v := r.values.Get(name)
	err := errors.New(v.Problem)
	switch {
	case v.Problem != "":
		return fmt.Errorf("setting %s (%s): %w", name, v.Origin, err)
	case v.Text == "":
		return nil
	}
	if err = settings.Clean(v.Text); err == nil {
		err = parse(v.Text)
	}
	if err != nil {
		return fmt.Errorf("setting %s=%s (%s): %w", name, settings.Visible(v.Text), v.Origin, err)
	}
	return nil
}

func (r reader) wish(c sources.Computer) {
	var wish machine.Wish
	r.w.Unclear = errors.Join(
		r.critical("ServerURL", func(text string) error {
			u, err := settings.ParseOrigin(text)
			if err == nil {
				wish.ServerURL, wish.Origin = u.String(), r.values.Get("ServerURL").Origin.String()
			}
			return err
		}),
		r.critical("CAPin", func(text string) error {
			for one := range strings.SplitSeq(text, ",") {
				pin, err := api.ParsePin(one)
				if err != nil {
					return fmt.Errorf("is not a pin: %w", err)
				}
				wish.Pins = append(wish.Pins, pin)
			}
			return nil
		}),
		r.critical("CAFile", func(text string) error {
			path, err := settings.ParsePath(text)
			if err != nil {
				return err
			}
			pem, err := c.ReadShared(path)
			if err != nil {
				return fmt.Errorf("cannot be used: %w", err)
			}
			wish.CA = string(pem)
			return nil
		}),
	)
	token, at, warning, err := sources.Token(c)
	if err != nil {
		wish.Note = fmt.Sprintf("%s: %v; it is not used", at, err)
		r.w.Notes = append(r.w.Notes, wish.Note)
	}
	if warning != "" {
		r.w.Notes = append(r.w.Notes, at.String()+": "+warning)
	}
	wish.Token = token
	if r.w.Unclear == nil {
		r.w.Wish = wish
		return
	}
	r.w.Notes = append(r.w.Notes, strings.ReplaceAll(r.w.Unclear.Error(), "\n", "; "))
}
