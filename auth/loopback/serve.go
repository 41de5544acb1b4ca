package loopback

import (
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy())
	a, status := r.read(w, req)
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
	r.came <- a
	page := r.options.Texts.page(<-r.verdict) // says what is true, once it is known
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = io.WriteString(w, page) // the sign-in does not depend on whether it is seen
	_ = http.NewResponseController(w).Flush()
}

// read takes the answer out of a request. Whatever is not exactly what a provider's page posts has a status of its own.
func (r *Receiver) read(w http.ResponseWriter, req *http.Request) (arrival, int) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	mode := req.Header.Get("Sec-Fetch-Mode")
	switch {
	case req.Host != r.host():
		return arrival{}, http.StatusMisdirectedRequest
	case req.URL.Path != "/":
		return arrival{}, http.StatusNotFound
	case mode != "" && mode != "navigate": // a script, not a person's tab
		return arrival{}, http.StatusForbidden
	case r.options.EndByAddress && req.Method == http.MethodGet && req.URL.RawQuery != "" && r.ours(req.URL.Query()):
		return arrival{err: ErrInAddress}, http.StatusOK
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return arrival{}, http.StatusMethodNotAllowed
	case req.URL.RawQuery != "":
		return arrival{}, http.StatusNotFound
	case err != nil || kind != "application/x-www-form-urlencoded":
		return arrival{}, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, int64(r.options.MaxForm)))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return arrival{}, http.StatusRequestEntityTooLarge
	}
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return arrival{}, http.StatusBadRequest
	}
	if !r.ours(form) {
		r.strange.Store(true)
		return arrival{}, http.StatusForbidden
	}
	code, hasCode := one(form, "code")
	_, hasError := one(form, "error")
	switch {
	case hasCode == hasError:
		return arrival{}, http.StatusBadRequest
	case hasError:
		return arrival{answer: Answer{Refusal: form}}, http.StatusOK
	case code == "" || len(code) > r.options.MaxCode || strings.ContainsFunc(code, func(c rune) bool { return c <= ' ' || c > '~' }):
		return arrival{}, http.StatusBadRequest
	}
	return arrival{answer: Answer{Code: secret.New(code)}}, http.StatusOK
}

// ours tells whether an answer knows the state of this sign-in.
func (r *Receiver) ours(form url.Values) bool {
	state, ok := one(form, "state")
	return ok && subtle.ConstantTimeCompare([]byte(state), []byte(r.state.Reveal())) == 1
}

// one returns the value of a field that stands there exactly once.
func one(form url.Values, name string) (string, bool) {
	if values := form[name]; len(values) == 1 {
		return values[0], true
	}
	return "", false
}
