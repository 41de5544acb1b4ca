package loopback

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listen opens a receiver, which has to work.
func listen(t *testing.T, host Host, by ListenFunc) *Receiver {
	t.Helper()
	r, err := Listen(t.Context(), Options{Host: host, MaxForm: maxForm, MaxCode: maxCode, Listen: by})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// post posts a form and returns the answer. It may be called from beside the test.
func post(t *testing.T, address string, values url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", form)
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestTheLastPageWaitsForTheVerdictAndThePortIsFreeAfterwards(t *testing.T) {
	for _, host := range []Host{IPv4, Localhost} {
		for said, want := range map[bool]string{true: "re signed in.", false: "You are not signed in."} {
			t.Run(string(host)+" "+strconv.FormatBool(said), func(t *testing.T) {
				r := listen(t, host, nil)
				if want := "http://" + string(host) + ":" + strconv.Itoa(r.Port()); r.Address() != want {
					t.Errorf("the address is %s, want %s", r.Address(), want)
				}
				if code, _ := post(t, r.Address(), url.Values{"code": {"evil"}, "state": {"guess"}}); code != http.StatusForbidden || !r.Strange() {
					t.Errorf("a wrong state got %d, strange = %v", code, r.Strange())
				}
				pages := make(chan string, 1)
				go func() {
					_, page := post(t, r.Address(), url.Values{"code": {"one-use"}, "state": {r.State().Reveal()}})
					pages <- page
				}()
				if a, err := r.Wait(t.Context()); err != nil || a.Code.Reveal() != "one-use" || a.Refusal != nil {
					t.Errorf("got %+v, %v", a, err)
				}
				// The first page has no verdict yet; the second is refused at once.
				if code, _ := post(t, r.Address(), url.Values{"code": {"one-use"}, "state": {r.State().Reveal()}}); code != http.StatusGone || len(pages) != 0 {
					t.Errorf("the second got %d, and there are %d pages", code, len(pages))
				}
				r.Close(said)
				if page := <-pages; !strings.Contains(page, want) {
					t.Errorf("the page says %q", page)
				}
				select {
				case <-r.shown: // which Close waits for
				case <-time.After(30 * time.Second):
					t.Error("nobody knows that the page has left")
				}
				for _, address := range []string{"127.0.0.1", "::1"} {
					conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort(address, strconv.Itoa(r.Port())))
					if err == nil {
						_ = conn.Close()
						t.Errorf("somebody still listens on %s", address)
					}
				}
			})
		}
	}
}

func TestARefusalIsHandedOnWhole(t *testing.T) {
	r := listen(t, Localhost, nil)
	status := make(chan int, 1)
	go func() {
		code, _ := post(t, r.Address(), url.Values{"error": {"access_denied"}, "error_subcode": {"cancel"}, "state": {r.State().Reveal()}})
		status <- code
	}()
	a, err := r.Wait(t.Context())
	if err != nil || !a.Code.Empty() || a.Refusal.Get("error") != "access_denied" || a.Refusal.Get("error_subcode") != "cancel" {
		t.Errorf("got %+v, %v", a, err)
	}
	r.Close(false)
	if code := <-status; code != http.StatusOK {
		t.Errorf("the browser got %d", code)
	}
}

func TestNobodyComesBack(t *testing.T) {
	r := listen(t, IPv4, nil)
	defer r.Close(false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Wait(ctx); !errors.Is(err, context.Canceled) || r.Strange() {
		t.Errorf("got %v, strange = %v", err, r.Strange())
	}
}

func TestEachReceiverHasItsOwnState(t *testing.T) {
	one, other := listen(t, IPv4, nil), listen(t, IPv4, nil)
	defer one.Close(false)
	defer other.Close(false)
	if one.State().Equal(other.State()) || len(one.State().Reveal()) != 43 || one.Port() == other.Port() {
		t.Error("two receivers are the same")
	}
	if code, _ := post(t, one.Address(), url.Values{"code": {"x"}, "state": {other.State().Reveal()}}); code != http.StatusForbidden {
		t.Errorf("one took the other's: %d", code)
	}
}

func TestLocalhostIsBothAddressesOfOnePort(t *testing.T) {
	system := (&net.ListenConfig{}).Listen
	six := func(answer func(try int) error) (ListenFunc, *int) {
		tries := 0
		return func(ctx context.Context, network, address string) (net.Listener, error) {
			if network != "tcp6" {
				return system(ctx, network, address)
			}
			tries++
			if err := answer(tries); err != nil {
				return nil, &net.OpError{Op: "listen", Err: err}
			}
			return system(ctx, "tcp4", "127.0.0.1:0") // stands for ::1, which not every computer has
		}, &tries
	}
	for name, test := range map[string]struct {
		answer           func(try int) error
		tries, listeners int
		want             error
	}{
		"both":                         {func(int) error { return nil }, 1, 2, nil},
		"no IPv6 here":                 {func(int) error { return syscall.EADDRNOTAVAIL }, 1, 1, nil},
		"somebody has it once":         {func(try int) error { return map[int]error{1: taken}[try] }, 2, 2, nil},
		"somebody has it all the time": {func(int) error { return taken }, attempts, 0, taken},
	} {
		t.Run(name, func(t *testing.T) {
			by, tries := six(test.answer)
			r, err := Listen(t.Context(), Options{Host: Localhost, Listen: by})
			if *tries != test.tries || !errors.Is(err, test.want) {
				t.Errorf("after %d tries: %v", *tries, err)
			}
			if err != nil {
				return
			}
			if len(r.servers) != test.listeners {
				t.Errorf("%d listeners, want %d", len(r.servers), test.listeners)
			}
			r.Close(false)
		})
	}
	t.Run("127.0.0.1 is one", func(t *testing.T) {
		by, tries := six(func(int) error { return taken })
		r := listen(t, IPv4, by)
		if *tries != 0 || len(r.servers) != 1 {
			t.Errorf("%d tries, %d listeners", *tries, len(r.servers))
		}
		r.Close(false)
	})
	t.Run("no port at all", func(t *testing.T) {
		_, err := Listen(t.Context(), Options{Host: IPv4, Listen: func(context.Context, string, string) (net.Listener, error) {
			return nil, &net.OpError{Op: "listen", Err: syscall.EACCES}
		}})
		if !errors.Is(err, syscall.EACCES) {
			t.Errorf("got %v", err)
		}
	})
}
