package tokenstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/sessionbus"
)

const (
	secretsName       = "org.freedesktop.secrets"
	secretsPath       = "/org/freedesktop/secrets"
	loginCollection   = "/org/freedesktop/secrets/collection/login"
	serviceCollection = "org.freedesktop.Secret.Service.Collections"
)

// prepare runs before each call of go-keyring, which connects by itself: the bus has to be there, and named in the
// environment, for godbus looks in /run/user/UID instead of XDG_RUNTIME_DIR and launches a bus if it finds none.
func prepare() error { return sessionbus.Name() }

// Probe asks the session bus whether a Secret Service is there, may start the one that the bus knows of, and looks
// whether the collection that go-keyring will use is unlocked. It never prompts.
func (system) Probe(ctx context.Context) Availability {
	address, err := sessionbus.Address(os.Getenv)
	if err != nil {
		return Availability{Missing, err.Error()}
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return Availability{Missing, fmt.Sprintf("the session bus does not answer: %v", err)}
	}
	defer conn.Close()
	if found, err := serviceThere(ctx, conn); err != nil {
		return Availability{Failing, fmt.Sprintf("no keyring service could be started: %v", err)}
	} else if !found {
		return Availability{Missing, "no keyring service (org.freedesktop.secrets) is on the session bus; GNOME Keyring or KWallet provide one"}
	}
	return collectionState(ctx, conn)
}

// serviceThere tells whether somebody owns the Secret Service's name, after starting whom the bus would start.
func serviceThere(ctx context.Context, conn *dbus.Conn) (bool, error) {
	if owned, err := sessionbus.HasOwner(ctx, conn, secretsName); err != nil || owned {
		return owned, err
	}
	if found, err := sessionbus.CanStart(ctx, conn, secretsName); err != nil || !found {
		return false, err
	}
	var answer uint32
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.StartServiceByName", 0, secretsName, uint32(0)).Store(&answer)
	return err == nil, err
}

// collectionState looks at the collection that go-keyring uses: "login", else the default one.
func collectionState(ctx context.Context, conn *dbus.Conn) Availability {
	var collections []dbus.ObjectPath
	if err := property(ctx, conn, secretsPath, serviceCollection, &collections); err != nil {
		return Availability{Failing, fmt.Sprintf("the keyring service does not list its collections: %v", err)}
	}
	path := dbus.ObjectPath(loginCollection)
	if !slices.Contains(collections, path) {
		err := conn.Object(secretsName, secretsPath).CallWithContext(ctx, "org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&path)
		if err != nil || path == "/" {
			return Availability{Missing, "the keyring service has no login or default keyring yet"}
		}
	}
	var locked bool
	if err := property(ctx, conn, path, "org.freedesktop.Secret.Collection.Locked", &locked); err != nil {
		return Availability{Failing, fmt.Sprintf("the keyring service does not tell whether %s is locked: %v", path, err)}
	}
	if locked {
		return Availability{Locked, "the login keyring is locked; unlock it, for example by signing in to the desktop with your password"}
	}
	return Availability{State: Available}
}

// property reads a D-Bus property, which godbus' GetProperty does without a context.
func property(ctx context.Context, conn *dbus.Conn, path dbus.ObjectPath, name string, value any) error {
	i := len(name) - len(filepath.Ext(name))
	var v dbus.Variant
	err := conn.Object(secretsName, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, name[:i], name[i+1:]).Store(&v)
	if err != nil {
		return err
	}
	return v.Store(value)
}
