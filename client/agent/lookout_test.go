package agent

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/servers"
)

func TestE9_AServerThatIsNamedLaterIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, looks := time.Now(), 0
		seen := awaitServer(t.Context(), lookAgain, func(context.Context) sight {
			if looks++; time.Since(began) < 20*time.Minute {
				return nothingNew
			}
			return serverNamed
		})
		if took := time.Since(began); seen != serverNamed || took > 26*time.Minute || looks > 10 {
			t.Errorf("saw %v after %v and %d looks", seen, took, looks)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if seen := awaitServer(ctx, lookAgain, func(context.Context) sight { return nothingNew }); seen != nothingNew {
			t.Errorf("saw %v", seen)
		}
	})
}

func TestANetworkThatNamesOneServerAfterTheOtherStartsTheProgramSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		seen := awaitServer(t.Context(), lookAgain, func(context.Context) sight { return otherServer })
		if took := time.Since(began); seen != otherServer || took < 5*time.Minute || took > 15*time.Minute {
			t.Errorf("saw %v after %v", seen, took)
		}
	})
}

// set is the settings of a computer where one of them names a server.
func set(t *testing.T, address string) config.Config {
	t.Helper()
	c, _, err := config.Load(t.Context(), config.Sources{Ordered: config.System(config.Machine{
		GOOS: "linux", Env: map[string]string{"PLATEN_SERVER_URL": address},
		ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist },
	})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func confirm(t *testing.T, s *site) {
	t.Helper()
	if _, err := s.Confirm(t.Context(), *servers.Of(s.settings)); err != nil {
		t.Fatal(err)
	}
}

func reject(t *testing.T, s *site) {
	t.Helper()
	if _, err := s.Reject(t.Context(), *servers.Of(s.settings)); err != nil {
		t.Fatal(err)
	}
}

// A resident that would find what it has already must not start anew for ever.
func TestOnlyWhatIsNewIsSeen(t *testing.T) {
	const theirs, other = "https://print.example.org", "https://other.example.org"
	broken := set(t, theirs)
	broken.CAFile = "/nonexistent/ca.pem"
	for name, test := range map[string]struct {
		start string // what the network named at the start
		then  func(*testing.T, *site)
		now   config.Config
		err   error
		want  sight
	}{
		"still nothing":                      {"", nil, named(t, ""), nil, nothingNew},
		"a setting is broken":                {"", nil, config.Config{}, errors.New("broken"), nothingNew},
		"a server of the network":            {"", nil, named(t, theirs), nil, serverNamed},
		"the one that is asked about":        {theirs, nil, named(t, theirs), nil, nothingNew},
		"another one than is asked about":    {theirs, nil, named(t, other), nil, otherServer},
		"nothing where one is asked about":   {theirs, nil, named(t, ""), nil, nothingNew},
		"a setting where one is asked about": {theirs, nil, set(t, theirs), nil, serverNamed},
		"one that cannot be used":            {"", nil, broken, nil, nothingNew},
		"the one that was refused":           {theirs, func(t *testing.T, s *site) { reject(t, s) }, named(t, theirs), nil, nothingNew},
		"the one that was confirmed":         {theirs, func(t *testing.T, s *site) { confirm(t, s) }, named(t, theirs), nil, serverUsed},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, t.TempDir(), test.start)
			_, asked := s.begin(nil)
			if test.then != nil {
				test.then(t, s)
			}
			if got := s.look(test.now, test.err, asked); got != test.want {
				t.Errorf("saw %v, want %v", got, test.want)
			}
		})
	}
}
