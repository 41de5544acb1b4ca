package presence_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/presence/presencetest"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
)

// nowhere is an address at which there is no bus.
const nowhere = "unix:path=/nonexistent/bus"

// source asks the two buses, and nothing of the machine that the test runs on.
func source(session, system string, env ...string) presence.Source {
	all := map[string]string{"DBUS_SESSION_BUS_ADDRESS": session, "DBUS_SYSTEM_BUS_ADDRESS": system}
	for i := 0; i < len(env); i += 2 {
		all[env[i]] = env[i+1]
	}
	return presence.New(func(name string) string { return all[name] }, clock.System)
}

// read reads, and checks that the idle time is as wanted, give or take the slowness of this machine.
func read(t *testing.T, s presence.Source, want presence.Reading) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testenv.Deadline)
	defer cancel()
	got, err := s.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if late := got.Idle - want.Idle; late < 0 || late > testenv.Deadline {
		t.Errorf("idle for %v, want %v", got.Idle, want.Idle)
	}
	got.Idle = want.Idle
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDesktopsTellHowLongNobodyMovedAndWhetherTheyAreLocked(t *testing.T) {
	for name, kind := range map[string]presencetest.Kind{"GNOME": presencetest.GNOME, "KDE": presencetest.KDE} {
		t.Run(name, func(t *testing.T) {
			bus := testenv.SessionBus(t)
			desktop := presencetest.NewDesktop(t, bus, kind)
			s := source(bus, nowhere)
			desktop.Leave(10 * time.Minute)
			read(t, s, presence.Reading{Idle: 10 * time.Minute, IdleKnown: true, LockedKnown: true})
			desktop.Lock(true)
			read(t, s, presence.Reading{Idle: 10 * time.Minute, IdleKnown: true, Locked: true, LockedKnown: true})
			desktop.Lock(false)
			desktop.Leave(time.Second)
			read(t, s, presence.Reading{Idle: time.Second, IdleKnown: true, LockedKnown: true})
		})
	}
}

func TestDesktopsThatTellOnlyTheirLock(t *testing.T) {
	bus := testenv.SessionBus(t)
	mate := presencetest.NewDesktop(t, bus, presencetest.MATE)
	s := source(bus, nowhere)
	read(t, s, presence.Reading{LockedKnown: true})
	mate.Lock(true)
	read(t, s, presence.Reading{Locked: true, LockedKnown: true})

	t.Run("Plasma on Wayland says 0 for ever", func(t *testing.T) {
		bus := testenv.SessionBus(t)
		presencetest.NewDesktop(t, bus, presencetest.KDE).Still()
		read(t, source(bus, nowhere), presence.Reading{LockedKnown: true})
	})
}

func TestLogindTellsWhatItWasTold(t *testing.T) {
	bus := testenv.SessionBus(t)
	logind := presencetest.NewLogind(t, bus, "7")
	for name, env := range map[string][]string{
		"the session of the environment": {"XDG_SESSION_ID", "7"},
		"the session of whoever asks":    nil,
		"a session that is no more":      {"XDG_SESSION_ID", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			s := source("", bus, env...)
			logind.Idle(time.Time{})
			logind.Lock(false)
			read(t, s, presence.Reading{LockedKnown: true}) // no hint is no knowledge: most desktops give none
			logind.Idle(time.Now().Add(-4 * time.Minute))
			logind.Lock(true)
			read(t, s, presence.Reading{Idle: 4 * time.Minute, IdleKnown: true, Locked: true, LockedKnown: true})
			logind.Idle(time.Now().Add(time.Hour)) // the clock was set back
			read(t, s, presence.Reading{IdleKnown: true, Locked: true, LockedKnown: true})
		})
	}
}

func TestDesktopAndLogindTogether(t *testing.T) {
	session, system := testenv.SessionBus(t), testenv.SessionBus(t)
	desktop, logind := presencetest.NewDesktop(t, session, presencetest.GNOME), presencetest.NewLogind(t, system, "7")
	s := source(session, system)
	desktop.Leave(time.Minute)
	logind.Idle(time.Now().Add(-time.Hour)) // a hint that nobody took back
	logind.Lock(true)
	read(t, s, presence.Reading{Idle: time.Minute, IdleKnown: true, Locked: true, LockedKnown: true})
}

func TestNobodyToAskIsSaid(t *testing.T) {
	for name, s := range map[string]presence.Source{
		"no session bus, no system bus": source("", nowhere),
		"buses that are gone":           source(nowhere, nowhere),
		"a bus with nobody on it":       source(testenv.SessionBus(t), nowhere),
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := s.Read(t.Context()); !errors.Is(err, presence.ErrUnsupported) || r != (presence.Reading{}) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// A service that could be started by the bus is left alone: asking must not launch a screen saver.
func TestAskingStartsNothing(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "started")
	for i, name := range []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.gnome.Mutter.IdleMonitor", "org.freedesktop.login1"} {
		text := "[D-BUS Service]\nName=" + name + "\nExec=/bin/sh -c \"touch " + mark + "\"\n"
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".service"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bus := testenv.SessionBus(t, dir)
	if _, err := source(bus, bus).Read(t.Context()); !errors.Is(err, presence.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a service was started")
	}
}

func TestEndOfTheQuestionEndsIt(t *testing.T) {
	bus := testenv.SessionBus(t)
	presencetest.NewDesktop(t, bus, presencetest.GNOME)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source(bus, nowhere).Read(ctx); err == nil {
		t.Error("an answer after the end")
	}
}
