package agent

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/platenprint/platen/client/config"
)

func TestE9_AServerThatIsNamedLaterIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, looks := time.Now(), 0
		found := awaitServer(t.Context(), lookAgain, func(context.Context) (config.Config, error) {
			looks++
			switch since := time.Since(began); {
			case since < 5*time.Minute:
				return config.Config{}, nil
			case since < 20*time.Minute:
				return config.Config{ServerURL: &url.URL{Scheme: "https", Host: "broken.example.org"}}, errors.New("a pin is broken")
			}
			return config.Config{ServerURL: &url.URL{Scheme: "https", Host: "print.example.org"}}, nil
		})
		if took := time.Since(began); !found || took > 26*time.Minute || looks > 10 {
			t.Errorf("found %v after %v and %d looks", found, took, looks)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if awaitServer(ctx, lookAgain, func(context.Context) (config.Config, error) { return config.Config{}, nil }) {
			t.Error("found one")
		}
	})
}
