package browser

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Limits of what the browser may bring, in bytes.
const (
	maxBody  = 16 << 10
	maxValue = 256 // of a code
)

// answer is what the browser brought: one of the two.
type answer struct {
	code    secret.String
	refused string
}

// box is the letter box: it takes one letter.
type box struct {
	host   string // what the browser must call us
	state  secret.String
	texts  Texts
	taken  atomic.Bool
	answer chan answer // has room for the one
}

func newBox(port int, state secret.String, t Texts) *box {
	if t.Done == "" || t.Failed == "" {
		t = Texts{"en", "You're signed in. You can close this tab.", "You are not signed in. You can close this tab."}
	}
	return &box{host: "127.0.0.1:" + strconv.Itoa(port), state: state, texts: t, answer: make(chan answer, 1)}
}

// ServeHTTP implements http.Handler.
func (b *box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy())
	a, status := b.read(w, r)
	switch {
	case status != http.StatusOK:
		if status == http.StatusMethodNotAllowed {
			h.Set("Allow", http.MethodPost)
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, http.StatusText(status)+"\n")
		return
	case b.taken.Swap(true):
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusGone)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	text := b.texts.Done
	if a.refused != "" {
		text = b.texts.Failed
	}
	_, _ = io.WriteString(w, page(b.texts.Language, text)) // the sign-in does not depend on whether it is seen
	b.answer <- a
}

// read takes the letter out of a request. Whatever is not exactly what the server's page posts has a status of its own.
func (b *box) read(w http.ResponseWriter, r *http.Request) (answer, int) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	mode := r.Header.Get("Sec-Fetch-Mode")
	switch {
	case r.Host != b.host:
		return answer{}, http.StatusMisdirectedRequest
	case r.URL.Path != "/" || r.URL.RawQuery != "":
		return answer{}, http.StatusNotFound
	case r.Method != http.MethodPost:
		return answer{}, http.StatusMethodNotAllowed
	case mode != "" && mode != "navigate": // a script, not a person's tab
		return answer{}, http.StatusForbidden
	case err != nil || kind != "application/x-www-form-urlencoded":
		return answer{}, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return answer{}, http.StatusRequestEntityTooLarge
	}
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return answer{}, http.StatusBadRequest
	}
	state, ok := one(form, "state")
	if !ok || subtle.ConstantTimeCompare([]byte(state), []byte(b.state.Reveal())) != 1 {
		return answer{}, http.StatusForbidden
	}
	code, hasCode := one(form, "code")
	refused, hasError := one(form, "error")
	switch {
	case hasCode == hasError:
		return answer{}, http.StatusBadRequest
	case hasError:
		return answer{refused: known(refused)}, http.StatusOK
	case code == "" || len(code) > maxValue || strings.ContainsFunc(code, func(c rune) bool { return c <= ' ' || c > '~' }):
		return answer{}, http.StatusBadRequest
	}
	return answer{code: secret.New(code)}, http.StatusOK
}

// one returns the value of a field that stands there exactly once.
func one(form url.Values, name string) (string, bool) {
	if values := form[name]; len(values) == 1 {
		return values[0], true
	}
	return "", false
}

// known keeps the errors of the protocol.
func known(code string) string {
	all := []string{
		api.BrowserErrorCancelled, api.BrowserErrorNoAccount, api.BrowserErrorDisabled, api.BrowserErrorUnavailable, api.BrowserErrorFailed,
	}
	if slices.Contains(all, code) {
		return code
	}
	return api.BrowserErrorFailed
}

const style = `:root{color-scheme:light dark}body{font:1.25rem/1.5 system-ui,sans-serif;margin:0;padding:1rem;` +
	`color:#1b1f23;background:#fff}main{max-width:max-content;margin:30vh auto}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#16191d}}`

// policy lets the page have its own style and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func page(language, text string) string {
	return `<!doctype html><html lang="` + html.EscapeString(language) + `"><head><meta charset="utf-8"><title>Platen</title>` +
		`<meta name="viewport" content="width=device-width"><style>` + style + `</style></head><body><main role="status">` +
		html.EscapeString(text) + `</main></body></html>`
}
