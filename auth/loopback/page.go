package loopback

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
)

// Texts are for the person, in their language. The zero value is English.
type Texts struct {
	Language string // of the texts, "en"
	Done     string // "You're signed in. You can close this tab."
	Failed   string // "You are not signed in. You can close this tab."
}

// complete returns the texts, in English when there is not each of them.
func (t Texts) complete() Texts {
	if t.Done == "" || t.Failed == "" {
		return Texts{"en", "You're signed in. You can close this tab.", "You are not signed in. You can close this tab."}
	}
	return t
}

const style = `:root{color-scheme:light dark}body{font:1.25rem/1.5 system-ui,sans-serif;margin:0;padding:1rem;` +
	`color:#1b1f23;background:#fff}main{max-width:max-content;margin:30vh auto}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#16191d}}`

// policy lets the page have its own style and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page is where the browser ends.
func (t Texts) page(signedIn bool) string {
	text := t.Failed
	if signedIn {
		text = t.Done
	}
	return `<!doctype html><html lang="` + html.EscapeString(t.Language) + `"><head><meta charset="utf-8"><title>Platen</title>` +
		`<meta name="viewport" content="width=device-width"><style>` + style + `</style></head><body><main role="status" id="result">` +
		html.EscapeString(text) + `</main></body></html>`
}
