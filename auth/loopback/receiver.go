package loopback

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Options say what the browser may bring, and where to.
type Options struct {
	Host    Host
	Texts   Texts // for the last page
	MaxForm int   // of a whole form, in bytes
	MaxCode int   // of a code, in bytes
	// EndByAddress has an answer that comes in an address, with the right state, end the sign-in with ErrInAddress, rather than be
	// refused like any GET: for providers that may not honour response_mode=form_post.
	EndByAddress bool
	Listen       ListenFunc // the system's if nil
}

// Answer is what the browser has brought: one of the two.
type Answer struct {
	Code    secret.String
	Refusal url.Values // the form, with one "error" in it; nil when there is a code
}

// ErrInAddress says that the answer came in an address, where histories and logs keep it: nobody may use it.
var ErrInAddress = errors.New("the answer came in the address instead of a form")

// Receiver waits for one browser.
type Receiver struct {
	options Options
	port    int
	state   secret.String
	servers []*http.Server
	serving sync.WaitGroup

	taken   atomic.Bool
	strange atomic.Bool
	came    chan arrival  // has room for the one
	shown   chan struct{} // closed when the last page has left
	verdict chan bool     // whether the person is signed in; has room for the one
}

// arrival is what ends the waiting.
type arrival struct {
	answer Answer
	err    error
}

// Listen opens the port. Whoever calls it calls Close, once. The error is the system's.
func Listen(ctx context.Context, o Options) (*Receiver, error) {
	if o.Listen == nil {
		o.Listen = (&net.ListenConfig{}).Listen
	}
	listeners, port, err := o.Host.open(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	r := newReceiver(o, port, Random())
	for _, l := range listeners {
		server := &http.Server{ // without a limit for writing: the last page waits for the verdict, and Close ends everything
			Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, MaxHeaderBytes: 32 << 10,
			BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		}
		server.SetKeepAlivesEnabled(false)
		r.servers = append(r.servers, server)
		r.serving.Go(func() { _ = server.Serve(guarded{l, foreign}) }) // ends by Close
	}
	return r, nil
}

func newReceiver(o Options, port int, state secret.String) *Receiver {
	o.Texts = o.Texts.complete()
	return &Receiver{
		options: o, port: port, state: state, came: make(chan arrival, 1), shown: make(chan struct{}), verdict: make(chan bool, 1),
	}
}

// Random makes a state or a verifier of api.VerifierBytes (RFC 7636 section 4.1).
func Random() secret.String {
	raw := make([]byte, api.VerifierBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return secret.New(base64.RawURLEncoding.EncodeToString(raw))
}

// Port is where the receiver listens.
func (r *Receiver) Port() int { return r.port }

// State is what the browser has to bring back with its answer. Each receiver has its own.
func (r *Receiver) State() secret.String { return r.state }

// Address is where the browser is to bring the answer, "http://localhost:50123".
func (r *Receiver) Address() string { return "http://" + r.host() }

func (r *Receiver) host() string { return string(r.options.Host) + ":" + strconv.Itoa(r.port) }

// Wait returns what the browser has brought. Errors: ErrInAddress, ctx's. The browser's last page waits for Close.
func (r *Receiver) Wait(ctx context.Context) (Answer, error) {
	select {
	case a := <-r.came:
		return a.answer, a.err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// Strange tells whether a form came that did not know the state: of another sign-in's tab, mostly.
func (r *Receiver) Strange() bool { return r.strange.Load() }

// lastPage is how long the browser's last page is waited for.
const lastPage = 2 * time.Second

// Close tells the person how it went, if they are still there, and frees the port. It waits for the page to leave, not for
// connections that the browser has opened in advance and uses for nothing.
func (r *Receiver) Close(signedIn bool) {
	r.verdict <- signedIn
	if r.taken.Load() {
		timer := time.NewTimer(lastPage)
		defer timer.Stop()
		select {
		case <-r.shown:
		case <-timer.C:
		}
	}
	for _, s := range r.servers {
		_ = s.Close()
	}
	r.serving.Wait()
}
