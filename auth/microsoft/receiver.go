package microsoft

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/secret"
)

// Limits of what the browser may bring, in bytes.
const (
	maxForm = 64 << 10
	maxCode = 8 << 10 // Entra's have a few hundred to two thousand
)

// receiver is a web server on localhost that takes one form post with the right state and nothing else (R-IPC-1): no
// answer in an address, so that no code stands in a history; no other Host, so that no web page reaches it under a name
// of its own. What does not know the state is refused and changes nothing.
type receiver struct {
	port    int
	state   secret.String
	texts   Texts
	servers []*http.Server
	serving sync.WaitGroup

	taken   atomic.Bool
	strange atomic.Bool     // something came that was no answer to this sign-in
	answer  chan url.Values // has room for the one
	shown   chan struct{}   // closed when the last page has left
	verdict chan bool       // whether the person is signed in; has room for the one
}

// listenFunc is net.ListenConfig.Listen.
type listenFunc func(ctx context.Context, network, address string) (net.Listener, error)

// attempts is how often another port is tried when somebody has it on one of the two loopback addresses.
const attempts = 10

// receive starts to listen.
func receive(ctx context.Context, listen listenFunc, state secret.String, texts Texts) (*receiver, error) {
	listeners, port, err := localhost(ctx, listen)
	if err != nil {
		return nil, err
	}
	r := &receiver{
		port: port, state: state, texts: texts, answer: make(chan url.Values, 1), shown: make(chan struct{}), verdict: make(chan bool, 1),
	}
	for _, l := range listeners {
		server := &http.Server{
			Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, MaxHeaderBytes: 32 << 10,
			BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		}
		server.SetKeepAlivesEnabled(false)
		r.servers = append(r.servers, server)
		r.serving.Go(func() { _ = server.Serve(l) }) // ends by Close
	}
	return r, nil
}

// localhost listens on both addresses that localhost may be, with one port: otherwise somebody else on this computer could
// have the other one, and browsers try both.
func localhost(ctx context.Context, listen listenFunc) ([]net.Listener, int, error) {
	var last error
	for range attempts {
		four, err := listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, 0, err
		}
		_, text, err := net.SplitHostPort(four.Addr().String())
		if err != nil {
			return nil, 0, errors.Join(err, four.Close())
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, 0, errors.Join(err, four.Close())
		}
		six, err := listen(ctx, "tcp6", net.JoinHostPort("::1", text))
		if err == nil {
			return []net.Listener{four, six}, port, nil
		}
		if !inUse(err) { // there is no IPv6 here
			return []net.Listener{four}, port, nil
		}
		last = errors.Join(err, four.Close())
	}
	return nil, 0, last
}

// address is where the browser is to bring the answer.
func (r *receiver) address() string { return fmt.Sprintf("http://localhost:%d", r.port) }

// wait returns what the browser has brought: either code or error stands in it.
func (r *receiver) wait(ctx context.Context) (url.Values, *Error) {
	select {
	case v := <-r.answer:
		if v == nil {
			return nil, failf(BadAnswer, "it came in the address instead of a form: response_mode=form_post was not honoured")
		}
		return v, nil
	case <-ctx.Done():
		err := ended(ctx)
		if err.Kind == TimedOut && r.strange.Load() {
			return nil, failf(BadAnswer, "what came belonged to another sign-in, and the right one did not come in time")
		}
		return nil, err
	}
}

// lastPage is how long the browser's last page is waited for.
const lastPage = 2 * time.Second

// close tells the person how it went, if they are still there, and frees the port. It waits for the page to leave, not for
// connections that the browser has opened in advance and uses for nothing.
func (r *receiver) close(signedIn bool) {
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

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy())
	values, status := r.read(w, req)
	if status == http.StatusOK && r.taken.Swap(true) {
		status = http.StatusGone // the same answer a second time
	}
	if status != http.StatusOK {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, http.StatusText(status)+"\n")
		return
	}
	defer close(r.shown)
	r.answer <- values
	page := r.texts.page(<-r.verdict) // says what is true: the tokens are there, or not
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = io.WriteString(w, page) // the sign-in does not depend on whether it is seen
	_ = http.NewResponseController(w).Flush()
}

// read takes the answer out of a request. Whatever is not exactly what Entra's page posts has a status of its own. An
// answer in the address, which would be a fault of the provider, ends the sign-in: nil with StatusOK.
func (r *receiver) read(w http.ResponseWriter, req *http.Request) (url.Values, int) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	mode := req.Header.Get("Sec-Fetch-Mode")
	switch {
	case req.Host != "localhost:"+strconv.Itoa(r.port):
		return nil, http.StatusMisdirectedRequest
	case req.URL.Path != "/":
		return nil, http.StatusNotFound
	case mode != "" && mode != "navigate": // a script, not a person's tab
		return nil, http.StatusForbidden
	case req.Method == http.MethodGet && req.URL.RawQuery != "" && r.ours(req.URL.Query()):
		return nil, http.StatusOK
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed
	case req.URL.RawQuery != "":
		return nil, http.StatusNotFound
	case err != nil || kind != "application/x-www-form-urlencoded":
		return nil, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxForm))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, http.StatusRequestEntityTooLarge
	}
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return nil, http.StatusBadRequest
	}
	if !r.ours(form) {
		r.strange.Store(true)
		return nil, http.StatusForbidden
	}
	code, hasCode := one(form, "code")
	_, hasError := one(form, "error")
	if hasCode == hasError || hasCode && !plausible(code) {
		return nil, http.StatusBadRequest
	}
	return form, http.StatusOK
}

// ours tells whether an answer knows the state of this sign-in.
func (r *receiver) ours(form url.Values) bool {
	state, ok := one(form, "state")
	return ok && subtle.ConstantTimeCompare([]byte(state), []byte(r.state.Reveal())) == 1
}

func plausible(code string) bool {
	return code != "" && len(code) <= maxCode && !strings.ContainsFunc(code, func(c rune) bool { return c <= ' ' || c > '~' })
}

// one returns the value of a field that stands there exactly once.
func one(form url.Values, name string) (string, bool) {
	if values := form[name]; len(values) == 1 {
		return values[0], true
	}
	return "", false
}
